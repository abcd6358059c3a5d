import { ArgumentError } from '../errors';
import { type ByteSource, byteSource, type SourceLike } from './byte-source';
import { bytesOf } from './convert';
import {
  encodeHeader,
  fileOrder,
  headerLength,
  parseHeader,
  type SafetensorsHeader,
  type TensorInfo,
} from './header';
import type { HostTensor, StateDict } from './host-tensor';

/** Neighbouring tensors are read together up to this size: one read for many small ones. */
const RUN_BYTES = 16 * 1024 * 1024;

/** The header of a source, with its own bytes (length prefix included). @throws FileFormatError */
export async function readHeader(
  source: ByteSource,
): Promise<{ header: SafetensorsHeader; bytes: Uint8Array }> {
  const start = await source.read(0, Math.min(8, source.size));
  const bytes = await source.read(0, 8 + headerLength(start, source.size, source.name));
  return { header: parseHeader(bytes.subarray(8), source.size, source.name), bytes };
}

/**
 * Reads tensors in the order of the file, neighbours together. Each is a view of the run that it came with, so that
 * aligned files stay aligned.
 * @param onRun is given each run of bytes, in order
 */
export async function readTensors(
  source: ByteSource,
  wanted: Iterable<readonly [name: string, info: TensorInfo]>,
  onRun?: (bytes: Uint8Array) => void,
): Promise<Map<string, HostTensor>> {
  const tensors = new Map<string, HostTensor>();
  const inOrder = [...wanted].sort(([, a], [, b]) => a.offset - b.offset || a.length - b.length);
  for (let first = 0, last = 0; first < inOrder.length; first = last) {
    const start = inOrder[first]![1].offset;
    let end = start;
    for (last = first; last < inOrder.length; last++) {
      const { offset, length } = inOrder[last]![1];
      if (offset !== end || (last > first && offset + length - start > RUN_BYTES)) break;
      end = offset + length;
    }
    const run = await source.read(start, end - start);
    onRun?.(run);
    for (const [name, { dtype, shape, offset, length }] of inOrder.slice(first, last)) {
      tensors.set(name, { dtype, shape, bytes: run.subarray(offset - start, offset - start + length) });
    }
  }
  return tensors;
}

/** Tensors by name, read when asked for. */
export interface TensorReader {
  readonly metadata: Readonly<Record<string, string>>;
  /** Names of all tensors. */
  names(): string[];
  /** Type, shape and place of a tensor, or `undefined` where there is none of that name. */
  info(name: string): TensorInfo | undefined;
  /** Reads one tensor. @throws ArgumentError for an unknown name. */
  tensor(name: string): Promise<HostTensor>;
  /** Reads all tensors, or those named. */
  stateDict(names?: Iterable<string>): Promise<StateDict>;
  /** Lets go of open files. */
  close(): Promise<void>;
}

/**
 * A safetensors file, opened by its header alone; tensors are read one by one when asked for.
 *
 * ```ts
 * const file = await SafetensorsFile.open('model.safetensors');     // or a URL, Blob, buffer, ByteSource
 * const weight = await file.tensor('model.0.weight');
 * await file.close();
 * ```
 */
export class SafetensorsFile implements TensorReader {
  private constructor(
    private readonly source: ByteSource,
    private readonly header: SafetensorsHeader,
  ) {}

  /**
   * Reads and checks the header.
   * @throws FileFormatError where the file is damaged or of another kind, StorageError where it cannot be read
   */
  static async open(from: SourceLike): Promise<SafetensorsFile> {
    const source = await byteSource(from);
    try {
      return new SafetensorsFile(source, (await readHeader(source)).header);
    } catch (error) {
      await source.close?.();
      throw error;
    }
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.header.metadata;
  }

  names(): string[] {
    return [...this.header.tensors.keys()];
  }

  info(name: string): TensorInfo | undefined {
    return this.header.tensors.get(name);
  }

  async tensor(name: string): Promise<HostTensor> {
    const { dtype, shape, offset, length } = this.known(name);
    return { dtype, shape, bytes: await this.source.read(offset, length) };
  }

  async stateDict(names: Iterable<string> = this.header.tensors.keys()): Promise<StateDict> {
    const wanted = [...new Set(names)];
    const tensors = await readTensors(
      this.source,
      wanted.map((name) => [name, this.known(name)] as const),
    );
    // In the order asked for, whatever the order in the file.
    return Object.fromEntries(wanted.map((name) => [name, tensors.get(name)!]));
  }

  async close(): Promise<void> {
    await this.source.close?.();
  }

  private known(name: string): TensorInfo {
    const info = this.header.tensors.get(name);
    if (info) return info;
    const expected = `one of the ${this.header.tensors.size} tensors of ${this.source.name}`;
    throw new ArgumentError({ fn: 'SafetensorsFile.tensor', argument: 'name', expected, received: name });
  }
}

/** What a file holds: tensors and text. */
export interface SafetensorsContent {
  state: StateDict;
  metadata: Record<string, string>;
}

/**
 * Reads a whole file from memory. The tensors are views of `content`, not copies.
 * @param file name for error messages
 * @throws FileFormatError
 */
export function decodeSafetensors(content: Uint8Array, file = 'buffer'): SafetensorsContent {
  const bytes = bytesOf(content);
  const length = headerLength(bytes.subarray(0, 8), bytes.byteLength, file);
  const { tensors, metadata } = parseHeader(bytes.subarray(8, 8 + length), bytes.byteLength, file);
  const state: [string, HostTensor][] = [];
  for (const [name, { dtype, shape, offset, length }] of tensors) {
    state.push([name, { dtype, shape, bytes: bytes.subarray(offset, offset + length) }]);
  }
  return { state: Object.fromEntries(state), metadata: { ...metadata } };
}

/**
 * The parts of a file, in order: header, then each tensor's own bytes, not copied. Give them to a `Blob` or write them
 * one after the other.
 * @throws ArgumentError for tensors and names that cannot be written
 */
export function safetensorsParts(state: StateDict, metadata: Record<string, string> = {}): Uint8Array[] {
  const order = fileOrder(state);
  return [encodeHeader(state, order, metadata), ...order.map((name) => state[name]!.bytes)];
}

/** A file in memory. @throws ArgumentError for tensors and names that cannot be written */
export function encodeSafetensors(state: StateDict, metadata: Record<string, string> = {}): Uint8Array {
  return joinBytes(safetensorsParts(state, metadata));
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
