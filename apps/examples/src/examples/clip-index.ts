import '@poiesis/backend-onnx';
import { stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { EmbeddingIndex, type ImageError, indexImages } from '@poiesis/clip';
import { loadIndex, pictureFiles, saveIndex } from '@poiesis/clip/node';
import { useBackend } from '@poiesis/core';
import { Command } from 'commander';
import { indexMeta, indexModel } from '../clip/index-meta';
import { loadClip } from '../clip/model-file';
import { ExampleError, exitCodes, oneLine } from '../errors';
import { runConsole } from '../run/console';
import { interruptible } from '../run/interrupt';
import { userPath } from '../run/paths';

interface IndexFlags {
  folder: string;
  model: string;
  index: string;
  backend: string;
  quiet?: boolean;
}

export function clipIndex(): Command {
  return new Command('index')
    .summary('index a folder of pictures, to be searched')
    .description(
      'Embeds the pictures of a folder and of those in it (PNG, JPEG, WebP, GIF) into an index, which\n' +
        '`clip search --index` looks through. Of a folder that was indexed before, only new pictures are embedded, and\n' +
        'those that are gone are taken out. Files that cannot be read are passed over and listed at the end.\n\n' +
        'The model is the folder of a run, or a released CLIP or SigLIP in the layout of Hugging Face or open_clip.',
    )
    .requiredOption('--folder <dir>', 'the pictures')
    .requiredOption('--model <dir>', 'the model')
    .requiredOption('--index <file>', 'where the index goes')
    .option('--backend <name>', 'what to compute on: auto, onnx, wasm, cpu', 'auto')
    .option('--quiet', 'write nothing but errors')
    .action(index);
}

/** Pictures between two looks at whether to stop; the index is saved at the end and when stopping. */
const RUN = 64;

async function index(flags: IndexFlags): Promise<void> {
  const [folder, file, path] = [userPath(flags.folder), userPath(flags.index), userPath(flags.model)];
  const console = runConsole({ json: false, quiet: flags.quiet ?? false });
  // Ids are paths below the folder, with `/`.
  const pictures = (await pictureFiles(folder)).map((path) => relative(folder, path).split(sep).join('/'));
  if (pictures.length === 0) throw new ExampleError(`${folder} holds no pictures`);
  await useBackend(flags.backend);
  const clip = await loadClip(path);
  const meta = indexMeta({ folder, model: path, fingerprint: await indexModel(clip) });
  const known = await existing(file, meta);
  const index = known ?? new EmbeddingIndex(clip.embedDim, { meta });
  const there = new Set(pictures);
  const gone = await index.remove(index.ids.filter((id) => !there.has(id)));

  const { signal, release } = interruptible(console.say);
  const failures: ImageError[] = [];
  const result = { added: 0, skipped: 0 };
  try {
    for (let at = 0; at < pictures.length && !signal.aborted; at += RUN) {
      const run = pictures.slice(at, at + RUN);
      const part = await indexImages(
        clip,
        index,
        run.map((id) => [id, join(folder, id)] as const),
      );
      result.added += part.added;
      result.skipped += part.skipped;
      failures.push(...part.failures);
      console.progress('Indexing pictures', Math.min(at + RUN, pictures.length), pictures.length);
    }
  } finally {
    release();
  }
  if (index.size > 0) await saveIndex(file, index);
  for (const { cause, image } of failures) {
    process.stderr.write(`not indexed: ${relative(folder, image)}: ${oneLine(cause)}\n`);
  }
  const already = result.skipped > 0 ? `, ${result.skipped} were there already` : '';
  const removed = gone > 0 ? `, ${gone} are gone` : '';
  const bad = failures.length > 0 ? `, ${failures.length} could not be read` : '';
  console.say(`${result.added} pictures indexed${already}${removed}${bad}: ${file}`);
  if (signal.aborted) {
    throw new ExampleError('Interrupted. The same command goes on.', { exitCode: exitCodes.interrupted });
  }
  if (index.size === 0) throw new ExampleError(`none of the ${pictures.length} pictures could be read`);
  console.say(`Search: npm start -- clip search --index ${file} --query "happy cat"`);
}

/** The index that is there already, if it is one of this folder and model. */
async function existing(file: string, meta: Record<string, string>): Promise<EmbeddingIndex | null> {
  if (!(await stat(file).catch(() => null))) return null;
  const index = await loadIndex(file).catch((cause) => {
    throw new ExampleError(`${file} is there and no index: ${oneLine(cause)}`, { cause });
  });
  for (const [key, value] of Object.entries(meta)) {
    if (index.meta[key] === value) continue;
    throw new ExampleError(
      `${file} is an index of another ${key === 'folder' ? 'folder' : 'model'}; choose another file with --index`,
    );
  }
  return index;
}
