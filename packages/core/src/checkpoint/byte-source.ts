import { FileFormatError, StorageError } from '../errors';
import { bytesOf } from './convert';

/** Random access to bytes: a file, a Blob, a buffer, a URL that serves ranges. */
export interface ByteSource {
  /** Path, URL or a name for people. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`, which lie within `size`. May be a view of memory that the source keeps. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Lets go of what the source holds open. */
  close?(): Promise<void>;
}

/** What a source can be made of. Strings are URLs, or paths once `@poiesis/core/node` is imported. */
export type SourceLike = ByteSource | ArrayBuffer | Uint8Array | Blob | string;

// On globalThis, because the CommonJS builds of the main entry and of /node hold a copy of this module each.
const OPENER = Symbol.for('poiesis.checkpoint.fileOpener');
const registry = globalThis as { [OPENER]?: (path: string) => Promise<ByteSource> };

/** Says how paths are opened. Importing `@poiesis/core/node` registers files. */
export function registerFileOpener(open: (path: string) => Promise<ByteSource>): void {
  registry[OPENER] = open;
}

/** The source that `source` stands for. */
export async function byteSource(source: SourceLike): Promise<ByteSource> {
  if (typeof source === 'string') {
    const open = registry[OPENER];
    return open && !/^(https?|blob|data):/.test(source) ? open(source) : urlSource(source);
  }
  if (source instanceof Uint8Array) return bufferSource(source);
  if (source instanceof ArrayBuffer) return bufferSource(new Uint8Array(source));
  return 'read' in source ? source : blobSource(source);
}

/** Bytes in memory. Reads are views, not copies. */
export function bufferSource(bytes: Uint8Array, name = 'buffer'): ByteSource {
  const plain = bytesOf(bytes);
  return {
    name,
    size: plain.byteLength,
    read: async (offset, length) => exactly(name, plain.subarray(offset, offset + length), offset, length),
  };
}

/** A Blob, for example the File of an `<input type="file">`. */
export function blobSource(blob: Blob): ByteSource {
  const name = 'name' in blob && typeof blob.name === 'string' ? blob.name : 'blob';
  return {
    name,
    size: blob.size,
    async read(offset, length) {
      const bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      return exactly(name, bytes, offset, length);
    },
  };
}

/**
 * A URL, read by HTTP ranges: only the header and the tensors asked for are transferred. From servers that do not
 * serve ranges everything is fetched once.
 * @throws StorageError where the server or the network refuses
 */
export async function urlSource(url: string): Promise<ByteSource> {
  const first = await request(url, 'bytes=0-7');
  const size = Number(/^bytes \d+-\d+\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1]);
  if (first.status !== 206 || !Number.isSafeInteger(size)) {
    // The whole file came, or the size is hidden from scripts (CORS): take it all.
    const whole = first.status === 200 ? first : await request(url);
    return bufferSource(new Uint8Array(await body(url, whole)), url);
  }
  await first.body?.cancel();
  return {
    name: url,
    size,
    async read(offset, length) {
      if (length === 0) return new Uint8Array(0);
      const response = await request(url, `bytes=${offset}-${offset + length - 1}`);
      if (response.status !== 206) {
        await response.body?.cancel();
        throw failed(url, `HTTP ${response.status} for a range`);
      }
      return exactly(url, new Uint8Array(await body(url, response)), offset, length);
    },
  };
}

async function request(url: string, range?: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, range ? { headers: { range } } : {});
  } catch (cause) {
    throw failed(url, cause instanceof Error ? cause.message : 'no response', cause);
  }
  // 416: an empty file has no byte 0, which is the same as a truncated one.
  if (response.status === 416 && range === 'bytes=0-7') return new Response(new Uint8Array(0));
  if (!response.ok) {
    await response.body?.cancel();
    throw failed(url, `HTTP ${response.status}`);
  }
  return response;
}

async function body(url: string, response: Response): Promise<ArrayBuffer> {
  try {
    return await response.arrayBuffer();
  } catch (cause) {
    throw failed(url, 'the transfer broke off', cause);
  }
}

function failed(path: string, reason: string, cause?: unknown): StorageError {
  return new StorageError({ path, operation: 'read', reason, cause });
}

/** Passes `bytes` on if they are as many as asked for. */
export function exactly(file: string, bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (bytes.byteLength === length) return bytes;
  throw new FileFormatError({
    file,
    offset,
    expected: `${length} bytes`,
    received: String(bytes.byteLength),
  });
}
