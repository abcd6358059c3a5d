import { describe, expect, it } from 'vitest';
import {
  bufferSource,
  decodeSafetensors,
  encodeSafetensors,
  hostTensor,
  nativeArray,
  SafetensorsFile,
  type StateDict,
  toFloat32,
  toInt32,
} from '../../src/checkpoint';
import { ArgumentError, FileFormatError } from '../../src/errors';

const state: StateDict = {
  'b.weight': hostTensor([1, 2, 3, 4], [2, 2]),
  'a.bias': hostTensor([5, 6], [2], 'BF16'),
  count: hostTensor([9n], [], 'I64'),
  empty: hostTensor([], [0, 4]),
};

describe('encodeSafetensors', () => {
  it('aligns every tensor to its element', () => {
    const bytes = encodeSafetensors(
      { a: hostTensor([1], [1], 'U8'), b: hostTensor([1], [1], 'F64') },
      { k: 'é' },
    );
    const { state } = decodeSafetensors(bytes);
    expect(bytes[8]).toBe(0x7b);
    expect(state.b!.bytes.byteOffset % 8).toBe(0);
    expect(nativeArray(state.b!).buffer).toBe(bytes.buffer);
  });

  it.each([
    [{ __metadata__: hostTensor([1], [1]) }, {}, 'well-formed text other than __metadata__'],
    [{ 'half \ud800': hostTensor([1], [1]) }, {}, 'well-formed text'],
    [{ a: { ...hostTensor([1], [1]), bytes: new Uint8Array(3) } }, {}, '4 bytes for F32 [1]'],
    [{ a: { ...hostTensor([1], [1]), shape: [-1] } }, {}, 'undefined bytes for F32 [-1]'],
    [{ a: { ...hostTensor([1], [1]), dtype: 'f32' as 'F32' } }, {}, 'a type of the safetensors format'],
    [{ a: hostTensor([1], Array(65).fill(1)) }, {}, 'at most 64 dimensions'],
    [{}, { a: 'half \udc00' }, 'well-formed text'],
    [{}, { a: 1 as unknown as string }, 'a string'],
  ] as [StateDict, Record<string, string>, string][])(
    'refuses what no reader would take (%#)',
    (state, metadata, expected) => {
      expect(() => encodeSafetensors(state, metadata)).toThrow(expected);
      expect(() => encodeSafetensors(state, metadata)).toThrow(expect.toSatisfy(ArgumentError.isInstance));
    },
  );
});

describe('decodeSafetensors', () => {
  it('gives back what was written, as views', () => {
    const bytes = encodeSafetensors(state, { step: '3' });
    const content = decodeSafetensors(bytes);
    expect(content).toEqual({ state, metadata: { step: '3' } });
    expect(content.state['b.weight']!.bytes.buffer).toBe(bytes.buffer);
  });

  it('reads misaligned tensors and buffers', () => {
    const shifted = new Uint8Array(encodeSafetensors(state).length + 1).subarray(1);
    shifted.set(encodeSafetensors(state));
    const content = decodeSafetensors(shifted);
    expect([...toFloat32(content.state['b.weight']!)]).toEqual([1, 2, 3, 4]);
    expect([...toInt32(content.state.count!)]).toEqual([9]);
  });

  it.each([
    [
      'PK\x03\x04\x14\0\0\0\x08\x08\0\0',
      'a zip archive, as torch.save writes (.pt, .pth, .bin); convert it in Python: ',
    ],
    ['\x80\x02\x8a\x0al\xfc\x9cF\xf9 j', 'a Python pickle, as old torch.save writes'],
    ['version https://git-lfs.github.com/spec/v1', 'a Git LFS pointer'],
    ['{"metadata":{},"weight_map":{}}', 'JSON; a sharded model is opened by the index'],
    ['<!doctype html><html></html>', 'an HTML or XML page'],
    ['\x89HDF\r\n\x1a\n\0\0\0', 'an HDF5 file'],
    ['GGUF\x03\0\0\0\xff\0\0\0\0\0\0\0', 'a GGUF file'],
    ['\x80\x02}', 'a Python pickle'],
  ])('says what else a file is: %j', (text, expected) => {
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    expect(() => decodeSafetensors(bytes, 'model.bin')).toThrow(expected);
    expect(() => decodeSafetensors(bytes, 'model.bin')).toThrow(
      /^model\.bin at byte 0: expected a safetensors file/,
    );
  });

  it('names the byte and the tensor', () => {
    const bytes = encodeSafetensors({ 'conv.wéight': hostTensor([1, 2], [2]) });
    const text = new TextDecoder().decode(bytes).replace('[2]', '[3]');
    const error = errorOf(() => decodeSafetensors(new TextEncoder().encode(text), 'a.safetensors'));
    expect(error.message).toMatch(
      /^a\.safetensors at byte \d+: expected 12 bytes for tensor "conv.wéight", F32 \[3\], got/,
    );
    // The byte after the entry that is wrong.
    expect(new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, error.offset))).toMatch(
      /\[0,8\]\}$/,
    );
  });

  it('takes 100 MB of header at most, and as many dimensions as libraries do', () => {
    const large = { name: 'large', size: 200_000_010, read: async () => lengthPrefix(100_000_001) };
    return Promise.all([
      expect(SafetensorsFile.open(large)).rejects.toThrow(
        'a header length from 2 to 100000000, got 100000001',
      ),
      expect(() =>
        decodeSafetensors(withHeader(`{"a":{"dtype":"U8","shape":[${'1,'.repeat(64)}1]}}`)),
      ).toThrow('at most 64 dimensions'),
      expect(() => decodeSafetensors(withHeader('['.repeat(1_000_000)))).toThrow('an object'),
      expect(() => decodeSafetensors(withHeader(`{"a":{"b":${'['.repeat(1_000_000)}`))).toThrow(
        '16 levels of nesting',
      ),
    ]);
  });
});

describe('SafetensorsFile', () => {
  it('reads the header and then only what is asked for', async () => {
    const reads: [number, number][] = [];
    const inner = bufferSource(encodeSafetensors(state, { k: 'v' }));
    const file = await SafetensorsFile.open({
      ...inner,
      read: (offset, length) => {
        reads.push([offset, length]);
        return inner.read(offset, length);
      },
    });
    expect(reads).toHaveLength(2);
    expect(file.names().sort()).toEqual(Object.keys(state).sort());
    expect(file.metadata).toEqual({ k: 'v' });
    const { offset, length } = file.info('a.bias')!;
    expect(await file.tensor('a.bias')).toEqual(state['a.bias']);
    expect(reads[2]).toEqual([offset, length]);
    expect(await file.stateDict()).toEqual(state);
    expect(reads).toHaveLength(4); // neighbours come in one read
    expect(Object.keys(await file.stateDict(['count', 'a.bias', 'count']))).toEqual(['count', 'a.bias']);
  });

  it.each(['nope', 'toString', '__proto__'])('has an error for the unknown name %s', async (name) => {
    const file = await SafetensorsFile.open(encodeSafetensors(state));
    await expect(file.tensor(name)).rejects.toSatisfy(ArgumentError.isInstance);
    await expect(file.stateDict([name])).rejects.toThrow('one of the 4 tensors of buffer');
  });

  it('opens buffers and Blobs', async () => {
    const bytes = encodeSafetensors(state);
    for (const source of [bytes, bytes.buffer as ArrayBuffer, new Blob([bytes as Uint8Array<ArrayBuffer>])]) {
      expect(await (await SafetensorsFile.open(source)).stateDict()).toEqual(state);
    }
    await expect(SafetensorsFile.open(new Blob(['short']))).rejects.toSatisfy(FileFormatError.isInstance);
  });

  it('closes what it failed to open', async () => {
    let closed = 0;
    const close = async () => void closed++;
    await expect(SafetensorsFile.open({ ...bufferSource(new Uint8Array(20)), close })).rejects.toThrow();
    expect(closed).toBe(1);
  });
});

describe('hostTensor', () => {
  it('takes the type of the array, or the one asked for', () => {
    expect(hostTensor([1, 2], [2]).dtype).toBe('F32');
    expect(hostTensor(new Float64Array(2), [2]).dtype).toBe('F64');
    expect(hostTensor(new BigUint64Array(2), [2]).dtype).toBe('U64');
    expect(hostTensor(new Int16Array([-1]), [1], 'F16').bytes).toEqual(new Uint8Array([0x00, 0xbc]));
    expect(hostTensor([2 ** 53 - 1], [1], 'I64').bytes).toEqual(
      new Uint8Array([255, 255, 255, 255, 255, 255, 31, 0]),
    );
  });

  it.each([
    [[1, 2], [3], 'F32', '3 values for shape [3]'],
    [[1], [-1], 'F32', 'undefined values'],
    [[1.5], [1], 'I32', 'value 1.5 at index 0 does not fit I32'],
    [[2 ** 53], [1], 'I64', 'does not fit I64'],
    [[-1], [1], 'U64', 'value -1 at index 0 does not fit U64'],
    [[256], [1], 'U8', 'does not fit U8'],
    [[1], [1], 'F8_E4M3', 'numbers cannot be written as F8_E4M3'],
    [[1], [1], 'F31', 'a type of the safetensors format'],
  ] as never as [number[], number[], 'F32', string][])(
    'refuses %j as %j %s',
    (values, shape, dtype, expected) => {
      expect(() => hostTensor(values, shape, dtype)).toThrow(expected);
      expect(() => hostTensor(values, shape, dtype)).toThrow(expect.toSatisfy(ArgumentError.isInstance));
    },
  );
});

it('hostTensor turns no bigints into floats', () => {
  expect(() => hostTensor(new BigInt64Array([1n]), [1], 'F32')).toThrow('bigints cannot be written as F32');
});

describe('toFloat32', () => {
  it('unpacks 4-bit floats, the lower half of a byte first', () => {
    const values = toFloat32({ dtype: 'F4', shape: [4], bytes: new Uint8Array([0x21, 0xf7]) });
    expect([...values]).toEqual([0.5, 1, 6, -6]);
  });

  it('refuses what has no single meaning', () => {
    expect(() => toFloat32({ dtype: 'F6_E2M3', shape: [4], bytes: new Uint8Array(3) })).toThrow(
      'not specified',
    );
    expect(() => toFloat32({ dtype: 'C64', shape: [1], bytes: new Uint8Array(8) })).toThrow('complex');
    expect(() => toFloat32({ dtype: 'F32', shape: [2], bytes: new Uint8Array(7) })).toThrow(
      '8 bytes for F32 [2]',
    );
    expect(() => toInt32(hostTensor([1.5], [1]))).toThrow('does not fit int32');
  });
});

function withHeader(json: string, data = 0): Uint8Array {
  const header = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + header.length + data);
  bytes.set(lengthPrefix(header.length));
  bytes.set(header, 8);
  return bytes;
}

function lengthPrefix(length: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  return bytes;
}

function errorOf(body: () => unknown): FileFormatError {
  try {
    body();
  } catch (error) {
    if (FileFormatError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('expected a FileFormatError');
}
