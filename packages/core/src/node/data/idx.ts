import { type Dataset, fromArrays, type HostArray, type HostData } from '../../data';
import { checkRange } from '../../data/sample';
import { checkArgument } from '../../errors';
import { failIn } from './fail';
import { gunzip, isGzip } from './gunzip';
import { readBytes } from './read-bytes';

/**
 * Reads an IDX file, the format of MNIST: plain or gzipped, any element type, any number of axes.
 * Bytes are not copied out of a plain file; wider types are turned from big-endian into the machine's order.
 * @throws FileFormatError where the file is not an IDX file, is shorter or longer than its header says, or damaged;
 *   nothing of the announced size is allocated then. StorageError where it cannot be read.
 */
export function readIdx(file: string): HostArray {
  return decodeIdx(readBytes(file), file);
}

/**
 * A dataset of the rows of an IDX file: its first axis counts the samples.
 * @param options `range`: what 0 and 255 stand for, for files of bytes; by default they are integers.
 */
export function idx(file: string, { range }: { range?: readonly [number, number] } = {}): Dataset<HostArray> {
  const { data, shape } = readIdx(file);
  if (!range) return fromArrays({ data, shape });
  checkRange('idx', 'options.range', range);
  checkArgument(
    data instanceof Uint8Array,
    'idx',
    'options.range',
    'no range: the file does not hold bytes',
    range,
  );
  return fromArrays({ data, shape, range });
}

/**
 * Decodes the content of an IDX file, see `readIdx`.
 * @param file what error messages call it.
 */
export function decodeIdx(bytes: Uint8Array, file = 'IDX data'): HostArray {
  const content = isGzip(bytes)
    ? gunzip(bytes, file, MAX_HEADER, (head) => lengthOf(headerOf(head, file)))
    : bytes;
  const header = headerOf(content, file);
  const expected = lengthOf(header);
  if (content.length !== expected) {
    const wanted = `${expected} bytes for ${header.name} of shape [${header.shape.join(', ')}]`;
    failIn(file)(Math.min(content.length, expected), wanted, `${content.length}`);
  }
  return { data: elements(content, header), shape: header.shape };
}

interface ElementType {
  name: string;
  size: number;
  make(buffer: ArrayBuffer, offset: number, length: number): HostData;
}

const types: Record<number, ElementType> = {
  8: { name: 'uint8', size: 1, make: (b, o, n) => new Uint8Array(b, o, n) },
  9: { name: 'int8', size: 1, make: (b, o, n) => new Int8Array(b, o, n) },
  11: { name: 'int16', size: 2, make: (b, o, n) => new Int16Array(b, o, n) },
  12: { name: 'int32', size: 4, make: (b, o, n) => new Int32Array(b, o, n) },
  13: { name: 'float32', size: 4, make: (b, o, n) => new Float32Array(b, o, n) },
  14: { name: 'float64', size: 8, make: (b, o, n) => new Float64Array(b, o, n) },
};

interface Header extends ElementType {
  shape: number[];
  /** Where the elements begin. */
  start: number;
}

/** 4 bytes and 255 lengths. */
const MAX_HEADER = 4 + 4 * 255;

/** Two zeros, the element type, the number of axes, and a big-endian length for each. */
function headerOf(bytes: Uint8Array, file: string): Header {
  const fail = failIn(file);
  if (bytes.length < 4) fail(bytes.length, 'an IDX header of at least 4 bytes', `${bytes.length}`);
  const [zero, zeroToo, code = 0, axes = 0] = bytes;
  if (zero !== 0 || zeroToo !== 0) {
    const magic = [...bytes.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    fail(0, 'IDX magic 00 00', magic);
  }
  const type = types[code] ?? fail(2, `an IDX element type (${Object.keys(types).join(', ')})`, `${code}`);
  if (axes === 0) fail(3, 'at least one axis', '0');
  const start = 4 + 4 * axes;
  if (bytes.length < start)
    fail(bytes.length, `a header of ${start} bytes for ${axes} axes`, `${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
  return { ...type, shape, start };
}

/** Bytes of the whole content. May be beyond the exact integers, which no file is. */
function lengthOf({ shape, size, start }: Header): number {
  // No product with a zero in it: many large lengths give Infinity, and 0 · Infinity is not 0.
  return start + (shape.includes(0) ? 0 : shape.reduce((product, d) => product * d, size));
}

function elements(content: Uint8Array, { make, size, start }: Header): HostData {
  if (size === 1)
    return make(content.buffer as ArrayBuffer, content.byteOffset + start, content.length - start);
  const swapped = new Uint8Array(content.length - start);
  if (LITTLE_ENDIAN) {
    for (let i = 0; i < swapped.length; i += size) {
      for (let k = 0; k < size; k++) swapped[i + k] = content[start + i + size - 1 - k]!;
    }
  } else {
    swapped.set(content.subarray(start));
  }
  return make(swapped.buffer, 0, swapped.length / size);
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
