import { ArgumentError, checkArgument, FileFormatError } from '../errors';
import { byteSource, type SourceLike } from './byte-source';
import { fileOrder, type TensorInfo } from './header';
import type { HostTensor, StateDict } from './host-tensor';
import { JsonReader } from './json-reader';
import { SafetensorsFile, type TensorReader } from './safetensors';

/** Which shard holds which tensor: the content of `model.safetensors.index.json`. */
export interface ShardIndex {
  /** Tensor name to file name; the files lie beside the index. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** Bytes of all tensors together, where the index says. */
  readonly totalSize: number | undefined;
}

/**
 * Reads an index. Shards must be plain file names, so that no index reaches out of its own folder.
 * @throws FileFormatError
 */
export function parseShardIndex(bytes: Uint8Array, file = 'index'): ShardIndex {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FileFormatError({ file, offset: 0, expected: 'JSON in UTF-8', received: 'other bytes', cause });
  }
  const reader: JsonReader = new JsonReader(text, file);
  const found: { weightMap?: Map<string, string>; totalSize?: number } = {};
  reader.object(
    (key) => {
      if (key === 'weight_map') {
        found.weightMap = reader.strings(Number.POSITIVE_INFINITY, (shard) => {
          if (!isPlainName(shard))
            reader.fail('the plain name of a .safetensors file', JSON.stringify(shard.slice(0, 80)));
        });
      } else if (key === 'metadata') {
        reader.object(
          (name) => {
            if (name === 'total_size') found.totalSize = reader.integer();
            else reader.skip();
          },
          (name) => name === 'total_size' && found.totalSize !== undefined,
        );
      } else reader.skip();
    },
    (key) => key === 'weight_map' && found.weightMap !== undefined,
  );
  reader.end();
  if (!found.weightMap) reader.fail('a "weight_map"', 'none');
  return { weightMap: found.weightMap, totalSize: found.totalSize };
}

function isPlainName(name: string): boolean {
  const plain = [...name].every((char) => char >= ' ' && !'/\\:'.includes(char));
  return plain && !name.startsWith('.') && name.length < 256 && name.endsWith('.safetensors');
}

/**
 * A model in several files, opened by its index and the header of each shard; tensors are read when asked for.
 *
 * ```ts
 * const model = await ShardedSafetensors.open(index, (shard) => `models/llama/${shard}`);
 * ```
 */
export class ShardedSafetensors implements TensorReader {
  /** Shards carry their own metadata; the index has none that is text. */
  readonly metadata = {};
  private readonly shards = new Map<string, Promise<SafetensorsFile>>();

  private constructor(
    readonly index: ShardIndex,
    private readonly name: string,
    private readonly shard: (name: string) => SourceLike | Promise<SourceLike>,
    private readonly infos: Map<string, TensorInfo>,
  ) {}

  /**
   * Reads the index and the header of every shard.
   * @throws FileFormatError where the index is damaged, or names a tensor that its shard does not hold
   */
  static async open(
    index: SourceLike,
    shard: (name: string) => SourceLike | Promise<SourceLike>,
  ): Promise<ShardedSafetensors> {
    const source = await byteSource(index);
    let parsed: ShardIndex;
    try {
      parsed = parseShardIndex(await source.read(0, source.size), source.name);
    } finally {
      await source.close?.();
    }
    const sharded = new ShardedSafetensors(parsed, source.name, shard, new Map());
    try {
      for (const [tensor, file] of parsed.weightMap) {
        const info = (await sharded.open(file)).info(tensor);
        if (!info) {
          const expected = `shard ${file} to hold ${JSON.stringify(tensor.slice(0, 80))}`;
          throw new FileFormatError({ file: source.name, expected, received: 'no such tensor' });
        }
        sharded.infos.set(tensor, info);
      }
    } catch (error) {
      await sharded.close();
      throw error;
    }
    return sharded;
  }

  names(): string[] {
    return [...this.infos.keys()];
  }

  info(name: string): TensorInfo | undefined {
    return this.infos.get(name);
  }

  async tensor(name: string): Promise<HostTensor> {
    return (await this.open(this.fileOf(name))).tensor(name);
  }

  async stateDict(names: Iterable<string> = this.infos.keys()): Promise<StateDict> {
    const wanted = [...new Set(names)];
    const byFile = new Map<string, string[]>();
    for (const name of wanted) {
      const file = this.fileOf(name);
      const list = byFile.get(file);
      if (list) list.push(name);
      else byFile.set(file, [name]);
    }
    const read = new Map<string, HostTensor>();
    for (const [file, tensors] of byFile) {
      const part = await (await this.open(file)).stateDict(tensors);
      for (const [name, tensor] of Object.entries(part)) read.set(name, tensor);
    }
    return Object.fromEntries(wanted.map((name) => [name, read.get(name)!]));
  }

  async close(): Promise<void> {
    const open = [...this.shards.values()];
    this.shards.clear();
    // A shard that failed to open has told so already.
    await Promise.allSettled(open.map(async (shard) => (await shard).close()));
  }

  private open(file: string): Promise<SafetensorsFile> {
    let shard = this.shards.get(file);
    if (!shard) {
      shard = Promise.resolve(this.shard(file)).then((source) => SafetensorsFile.open(source));
      this.shards.set(file, shard);
    }
    return shard;
  }

  private fileOf(name: string): string {
    const file = this.index.weightMap.get(name);
    if (file !== undefined) return file;
    const expected = `one of the ${this.infos.size} tensors of ${this.name}`;
    throw new ArgumentError({ fn: 'ShardedSafetensors.tensor', argument: 'name', expected, received: name });
  }
}

export interface ShardOptions {
  /** Most bytes of tensors in one file; a larger tensor has a file to itself. Default 5 GB, as Hugging Face's. */
  maxShardBytes?: number;
  /** Start of the file names. Default `model`: `model-00001-of-00002.safetensors`. */
  prefix?: string;
}

/** Deals a state out to files, and writes the index of them. */
export function planShards(
  state: StateDict,
  { maxShardBytes = 5_000_000_000, prefix = 'model' }: ShardOptions = {},
): { shards: Map<string, StateDict>; index: string } {
  checkArgument(maxShardBytes > 0, 'planShards', 'maxShardBytes', 'a positive number', maxShardBytes);
  const groups: string[][] = [];
  let used = Number.POSITIVE_INFINITY;
  let total = 0;
  for (const name of fileOrder(state)) {
    const size = state[name]!.bytes.byteLength;
    total += size;
    if (used + size > maxShardBytes) {
      groups.push([]);
      used = 0;
    }
    groups.at(-1)!.push(name);
    used += size;
  }
  const digits = (n: number) => String(n).padStart(5, '0');
  const shards = new Map<string, StateDict>();
  const weights: [string, string][] = [];
  groups.forEach((names, i) => {
    const file = `${prefix}-${digits(i + 1)}-of-${digits(groups.length)}.safetensors`;
    checkArgument(isPlainName(file), 'planShards', 'prefix', 'the start of a file name', prefix);
    shards.set(file, Object.fromEntries(names.map((name) => [name, state[name]!])));
    for (const name of names) weights.push([name, file]);
  });
  weights.sort(([a], [b]) => (a < b ? -1 : 1));
  const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(weights) };
  return { shards, index: `${JSON.stringify(index, null, 2)}\n` };
}
