import { checkArgument, FileFormatError } from '../errors';
import { bitsPerElement, byteLength, diskDTypes, dtypeRank, isDiskDType } from './dtype';
import { describeForeignFile } from './foreign-file';
import type { DiskDType, HostTensor, StateDict } from './host-tensor';
import { isWellFormed, JsonReader } from './json-reader';

/** Longest header that the reference implementation reads. */
const MAX_HEADER_BYTES = 100_000_000;
/** More dimensions than any tensor library has. */
const MAX_RANK = 64;
/** More metadata than any real file has; a bound on what text alone can make us keep. */
const MAX_METADATA = 65_536;
const METADATA = '__metadata__';

/** Where a tensor lies in a file. */
export interface TensorInfo {
  readonly dtype: DiskDType;
  readonly shape: readonly number[];
  /** First byte in the file, not in the data section. */
  readonly offset: number;
  readonly length: number;
}

/** A validated header: reading any tensor that it names stays within the file. */
export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Byte at which the tensors' data begins. */
  readonly dataStart: number;
}

/**
 * Length of the JSON header, from the first bytes of a file. The bound by the file's own size is what keeps a hostile
 * length from becoming an allocation.
 * @throws FileFormatError
 */
export function headerLength(start: Uint8Array, fileSize: number, file: string): number {
  const foreign = describeForeignFile(start);
  if (start.length < 8 || fileSize < 10) {
    const received = foreign ?? `${fileSize} bytes`;
    throw new FileFormatError({
      file,
      offset: 0,
      expected: 'a safetensors file of at least 10 bytes',
      received,
    });
  }
  const view = new DataView(start.buffer, start.byteOffset, 8);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 4294967296;
  const limit = Math.min(fileSize - 8, MAX_HEADER_BYTES);
  if (length < 2 || length > limit) {
    const expected = foreign ? 'a safetensors file' : `a header length from 2 to ${limit}`;
    throw new FileFormatError({ file, offset: 0, expected, received: foreign ?? String(length) });
  }
  return length;
}

/**
 * Parses and checks the JSON header of a file of `fileSize` bytes. Tensors must fill the data section exactly: no
 * holes, no overlaps, each as long as its shape and type say.
 * @throws FileFormatError
 */
export function parseHeader(json: Uint8Array, fileSize: number, file: string): SafetensorsHeader {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
  } catch (cause) {
    throw new FileFormatError({
      file,
      offset: 8,
      expected: 'a header in UTF-8',
      received: 'other bytes',
      cause,
    });
  }
  const dataStart = 8 + json.length;
  const tensors = new Map<string, TensorInfo>();
  let metadata: ReadonlyMap<string, string> | undefined;

  const reader = new JsonReader(text, file, 8);
  reader.object(
    (name) => {
      // The reference reads null as no metadata.
      if (name === METADATA) metadata = reader.null() ? new Map() : reader.strings(MAX_METADATA);
      else tensors.set(name, readTensorInfo(reader, name, dataStart));
    },
    (name) => (name === METADATA ? metadata !== undefined : tensors.has(name)),
  );
  reader.end();
  checkLayout(tensors, dataStart, fileSize, file);
  return { tensors, metadata: Object.fromEntries(metadata ?? []), dataStart };
}

function readTensorInfo(reader: JsonReader, name: string, dataStart: number): TensorInfo {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  reader.object(
    (field) => {
      if (field === 'dtype') dtype = reader.string();
      else if (field === 'shape') shape = reader.integers(MAX_RANK, `at most ${MAX_RANK} dimensions`);
      else if (field === 'data_offsets') offsets = reader.integers(2, 'two offsets');
      else reader.skip();
    },
    (field) =>
      (field === 'dtype' && dtype !== undefined) ||
      (field === 'shape' && shape !== undefined) ||
      (field === 'data_offsets' && offsets !== undefined),
  );
  const tensor = `tensor ${JSON.stringify(name.slice(0, 80))}`;
  if (!isDiskDType(dtype)) {
    reader.fail(
      `${tensor} to have a dtype among ${diskDTypes.join(', ')}`,
      dtype === undefined ? 'none' : JSON.stringify(dtype.slice(0, 40)),
    );
  }
  if (!shape) reader.fail(`${tensor} to have a shape`, 'none');
  if (offsets?.length !== 2) reader.fail(`${tensor} to have two data_offsets`, offsets ? '1 or 0' : 'none');
  const [begin, end] = offsets as [number, number];
  const length = byteLength(dtype, shape);
  if (length === undefined || end - begin !== length) {
    const needs = length === undefined ? 'a countable number of whole bytes' : `${length} bytes`;
    reader.fail(`${needs} for ${tensor}, ${dtype} [${shape.join(', ')}]`, `offsets ${begin} to ${end}`);
  }
  return { dtype, shape, offset: dataStart + begin, length };
}

function checkLayout(
  tensors: ReadonlyMap<string, TensorInfo>,
  dataStart: number,
  fileSize: number,
  file: string,
): void {
  // Empty tensors share their offset with the next one and come first.
  const inOrder = [...tensors.values()].sort((a, b) => a.offset - b.offset || a.length - b.length);
  let next = dataStart;
  for (const info of inOrder) {
    if (info.offset !== next) {
      const name = [...tensors.keys()].find((key) => tensors.get(key) === info) ?? '';
      const expected = `tensor ${JSON.stringify(name.slice(0, 80))} to begin at byte ${next}, where the one before it ends`;
      const received = info.offset > next ? 'a hole' : 'an overlap';
      throw new FileFormatError({ file, offset: info.offset, expected, received });
    }
    next += info.length;
  }
  if (next !== fileSize) {
    const expected = `a file of ${next} bytes, as its header says`;
    throw new FileFormatError({
      file,
      offset: Math.min(next, fileSize),
      expected,
      received: `${fileSize} bytes`,
    });
  }
}

/** Names in the order in which their data is written: widest types first, then by name, as the reference does. */
export function fileOrder(state: StateDict): string[] {
  const encoder = new TextEncoder();
  const keys = new Map(Object.keys(state).map((name) => [name, encoder.encode(name)]));
  return [...keys.keys()].sort(
    (a, b) =>
      dtypeRank(state[b]!.dtype) - dtypeRank(state[a]!.dtype) || compareBytes(keys.get(a)!, keys.get(b)!),
  );
}

/**
 * The first bytes of a file: header length and header, padded with spaces to a multiple of 8, so that data is aligned.
 * @throws ArgumentError for tensors whose bytes are not what shape and type say, and names that cannot be written.
 */
export function encodeHeader(
  state: StateDict,
  order: readonly string[],
  metadata: Record<string, string>,
): Uint8Array {
  const parts: string[] = [];
  if (Object.keys(metadata).length > 0) {
    for (const [key, value] of Object.entries(metadata)) {
      checkArgument(typeof value === 'string', 'writeSafetensors', `metadata.${key}`, 'a string', value);
      checkArgument(
        isWellFormed(key) && isWellFormed(value),
        'writeSafetensors',
        'metadata',
        'well-formed text',
        value,
      );
    }
    parts.push(`${JSON.stringify(METADATA)}:${JSON.stringify(metadata)}`);
  }
  let offset = 0;
  for (const name of order) {
    const tensor = state[name]!;
    checkTensor(name, tensor);
    const end = offset + tensor.bytes.byteLength;
    const entry = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${parts.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  checkArgument(
    length <= MAX_HEADER_BYTES,
    'writeSafetensors',
    'state',
    'a header below 100 MB',
    `${length} bytes`,
  );
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

function checkTensor(name: string, { dtype, shape, bytes }: HostTensor): void {
  const fn = 'writeSafetensors';
  checkArgument(
    name !== METADATA && isWellFormed(name),
    fn,
    'name',
    `well-formed text other than ${METADATA}`,
    name,
  );
  checkArgument(isDiskDType(dtype), fn, `${name}.dtype`, 'a type of the safetensors format', dtype);
  checkArgument(
    shape.length <= MAX_RANK,
    fn,
    `${name}.shape`,
    `at most ${MAX_RANK} dimensions`,
    shape.length,
  );
  const length = byteLength(dtype, shape);
  const expected = `${length} bytes for ${dtype} [${shape.join(', ')}], ${bitsPerElement(dtype)} bits each`;
  checkArgument(bytes.byteLength === length, fn, name, expected, `${bytes.byteLength} bytes`);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
