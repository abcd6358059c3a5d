import {
  type Checksum,
  crc32,
  FileFormatError,
  type HostTensor,
  hostTensor,
  nativeArray,
  SafetensorsFile,
  type SourceLike,
  type StateDict,
  safetensorsParts,
  toFloat32,
} from '@poiesis/core';
import { EmbeddingIndex, type EmbeddingIndexOptions, type IndexContent } from './embedding-index';

/*
 * An index is one safetensors file that any reader of the format opens: `vectors` F32 [size, dim], `ids` as the UTF-8
 * bytes of a JSON array, `keys` F64 [size], and `graph` as its library's bytes where there is one. The checksum covers
 * the description in the metadata and all tensors.
 */
const CONTENT = 'poiesis.index';
const CHECKSUM = 'poiesis.crc32';
const VERSION = 1;
const TENSORS = ['ids', 'keys', 'vectors', 'graph'] as const;

interface Description {
  version: number;
  dim: number;
  size: number;
  meta: Record<string, string>;
  /** Signature of the graph. */
  graph?: string;
}

/**
 * The parts of an index's file, in order: give them to a `Blob`, or write them one after the other. In Node,
 * `saveIndex` of `@poiesis/clip/node` writes them safely.
 */
export async function encodeIndex(index: EmbeddingIndex): Promise<Uint8Array[]> {
  const { state, metadata } = await indexTensors(index);
  return safetensorsParts(state, metadata);
}

/** What the file of an index holds. */
export async function indexTensors(
  index: EmbeddingIndex,
  checksum: Checksum = crc32,
): Promise<{ state: StateDict; metadata: Record<string, string> }> {
  const { dim, ids, keys, vectors, meta, graph } = await index.content();
  const state: StateDict = {
    ids: bytesTensor(new TextEncoder().encode(JSON.stringify(ids))),
    keys: hostTensor(Float64Array.from(keys), [ids.length]),
    vectors: { dtype: 'F32', shape: [ids.length, dim], bytes: bytesOf(vectors) },
    ...(graph && { graph: bytesTensor(graph.bytes) }),
  };
  const description: Description = {
    version: VERSION,
    dim,
    size: ids.length,
    meta,
    ...(graph && { graph: graph.signature }),
  };
  const json = JSON.stringify(description);
  return { state, metadata: { [CONTENT]: json, [CHECKSUM]: digest(json, state, checksum) } };
}

/**
 * Reads an index from a buffer, a Blob, a URL, or a path once `@poiesis/core/node` is imported.
 * @throws FileFormatError where it is damaged or no index, StorageError where it cannot be read
 */
export async function decodeIndex(
  from: SourceLike,
  options: Omit<EmbeddingIndexOptions, 'meta'> = {},
  checksum: Checksum = crc32,
): Promise<EmbeddingIndex> {
  const file = typeof from === 'string' ? from : 'name' in from ? String(from.name) : 'buffer';
  const opened = await SafetensorsFile.open(from);
  let content: IndexContent;
  try {
    const json = opened.metadata[CONTENT];
    if (json === undefined) throw wrong(file, 'an embedding index', 'other safetensors');
    const state = await opened.stateDict();
    const received = digest(json, state, checksum);
    const expected = opened.metadata[CHECKSUM];
    if (received !== expected) throw wrong(file, `content with checksum ${expected}`, received);
    content = contentOf(file, json, state);
  } finally {
    await opened.close();
  }
  try {
    return await EmbeddingIndex.of(content, options);
  } catch (cause) {
    if (!content.graph || !options.approximate) throw cause;
    const { signature } = options.approximate;
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new FileFormatError({ file, expected: `a graph that ${signature} reads`, received, cause });
  }
}

/** Behind a matching checksum, what is wrong here was written so. */
function contentOf(file: string, json: string, state: StateDict): IndexContent {
  const description = parse<Description>(file, json);
  const { version, dim, size, meta, graph } = description;
  if (version !== VERSION) throw wrong(file, `an index of version ${VERSION}`, `version ${version}`);
  const [vectors, keys, ids] = (['vectors', 'keys', 'ids'] as const).map((name) => {
    const tensor = state[name];
    if (!tensor) throw wrong(file, `a tensor "${name}"`, 'none');
    return tensor;
  }) as [HostTensor, HostTensor, HostTensor];
  const list = parse<string[]>(file, new TextDecoder().decode(ids.bytes));
  const shapes = [list.length, ...keys.shape, ...vectors.shape].join();
  const expected = [size, size, size, dim].join();
  if (shapes !== expected) throw wrong(file, `${size} vectors of ${dim} values, with ids and keys`, shapes);
  return {
    dim,
    ids: list,
    keys: [...(nativeArray(keys) as Float64Array)],
    vectors: toFloat32(vectors),
    meta,
    ...(graph !== undefined && state.graph && { graph: { signature: graph, bytes: state.graph.bytes } }),
  };
}

function digest(json: string, state: StateDict, checksum: Checksum): string {
  let crc = checksum(new TextEncoder().encode(json));
  for (const name of TENSORS) {
    const tensor = state[name];
    if (tensor) crc = checksum(tensor.bytes, crc);
  }
  return crc.toString(16).padStart(8, '0');
}

function parse<T>(file: string, json: string): T {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new FileFormatError({ file, expected: 'JSON', received: 'other text', cause });
  }
}

function bytesTensor(bytes: Uint8Array): HostTensor {
  return { dtype: 'U8', shape: [bytes.length], bytes };
}

function bytesOf(array: Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function wrong(file: string, expected: string, received: string): FileFormatError {
  return new FileFormatError({ file, expected, received });
}
