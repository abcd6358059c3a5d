const convert =
  'convert it in Python: safetensors.torch.save_file(torch.load(path, weights_only=True), "model.safetensors")';

/** What a file is that begins like this, where it is one of the things that people mistake for safetensors. */
export function describeForeignFile(start: Uint8Array): string | undefined {
  const text = String.fromCharCode(...start.subarray(0, 8));
  if (text.startsWith('PK\x03\x04'))
    return `a zip archive, as torch.save writes (.pt, .pth, .bin); ${convert}`;
  if (start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5)
    return `a Python pickle, as old torch.save writes (.pt, .pth, .bin); ${convert}`;
  if (text.startsWith('\x89HDF')) return 'an HDF5 file, as Keras writes (.h5)';
  if (text.startsWith('\x1f\x8b')) return 'a gzip file; unpack it first';
  if (text.startsWith('GGUF')) return 'a GGUF file, as llama.cpp writes';
  if (text === 'version ') return 'a Git LFS pointer; run git lfs pull to get the file itself';
  if (/^\s*\{/.test(text)) return 'JSON; a sharded model is opened by the index beside its shards';
  if (/^\s*</.test(text)) return 'an HTML or XML page instead of the file';
  return undefined;
}
