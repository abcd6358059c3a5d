import { rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  planShards,
  SafetensorsFile,
  ShardedSafetensors,
  type ShardOptions,
  type StateDict,
  type Stateful,
  safetensorsParts,
  type TensorReader,
} from '../../checkpoint';
import { checkArgument } from '../../errors';
import { commit, discard, type Staged, stage, writeAtomic } from './atomic-write';
import { fileSource } from './file-source';
import { storageError } from './system-error';

/** Name of the index of a sharded model, as Hugging Face's. */
const INDEX = 'model.safetensors.index.json';

/**
 * Opens a `.safetensors` file, the index of a sharded model (`….index.json`), or a folder that holds either under
 * Hugging Face's names. Only headers are read; close it when done.
 * @throws FileFormatError, StorageError
 */
export async function openSafetensors(path: string): Promise<TensorReader> {
  const file = await modelFile(path);
  if (!file.endsWith('.json')) return SafetensorsFile.open(await fileSource(file));
  return ShardedSafetensors.open(await fileSource(file), (shard) => fileSource(join(dirname(file), shard)));
}

async function modelFile(path: string): Promise<string> {
  const kind = async (file: string) => {
    try {
      return (await stat(file)).isDirectory() ? 'folder' : 'file';
    } catch {
      return undefined; // opening it will say why
    }
  };
  if ((await kind(path)) !== 'folder') return path;
  const single = join(path, 'model.safetensors');
  const index = join(path, INDEX);
  return !(await kind(single)) && (await kind(index)) ? index : single;
}

/** Reads all tensors of what `openSafetensors` opens. */
export async function readSafetensors(path: string): Promise<StateDict> {
  const reader = await openSafetensors(path);
  try {
    return await reader.stateDict();
  } finally {
    await reader.close();
  }
}

/**
 * Writes tensors to a `.safetensors` file, atomically: a reader finds the old file or the new.
 * @throws StorageError, ArgumentError
 */
export async function writeSafetensors(
  file: string,
  state: StateDict,
  metadata: Record<string, string> = {},
): Promise<void> {
  await writeAtomic(file, safetensorsParts(state, metadata));
}

/**
 * Writes tensors as several files and the index of them. All files are complete on the device before the first takes
 * its name, so that a full disk changes nothing. A crash in the moment of the renames leaves no index rather than one
 * that mixes old and new.
 * @param index path of the index: `models/gpt/model.safetensors.index.json`
 */
export async function writeShardedSafetensors(
  index: string,
  state: StateDict,
  { metadata = {}, ...options }: ShardOptions & { metadata?: Record<string, string> } = {},
): Promise<void> {
  checkArgument(
    index.endsWith('.index.json'),
    'writeShardedSafetensors',
    'index',
    'a path ending in .index.json',
    index,
  );
  const prefix = basename(index).replace(/(\.safetensors)?\.index\.json$/, '');
  const plan = planShards(state, { prefix, ...options });
  const folder = dirname(index);
  const staged: Staged[] = [];
  try {
    for (const [name, shard] of plan.shards) {
      staged.push(await stage(join(folder, name), safetensorsParts(shard, metadata)));
    }
    staged.push(await stage(index, [new TextEncoder().encode(plan.index)]));
    await rm(index, { force: true });
  } catch (error) {
    for (const file of staged) await discard(file);
    throw await storageError(index, 'write', error);
  }
  for (const file of staged) await commit(file);
}

/**
 * Saves the parameters and buffers of a module (or anything stateful) in PyTorch's names and layouts:
 * `load_state_dict(safetensors.torch.load_file(file))` reads it. Atomic.
 */
export async function saveModel(
  file: string,
  module: Stateful,
  metadata: Record<string, string> = {},
): Promise<void> {
  // `format: pt` is what Hugging Face's loaders ask for.
  await writeSafetensors(file, await module.stateDict(), { format: 'pt', ...metadata });
}

export interface LoadModelOptions {
  /** Whether extra and missing keys are errors. Default true. */
  strict?: boolean;
  /** Reads only tensors whose names begin so, and drops it: `'generator/'` takes one model out of a checkpoint. */
  prefix?: string;
}

/**
 * Loads parameters and buffers from what `openSafetensors` opens. All or nothing.
 * @returns what the module's `loadStateDict` returns: the keys passed over, where `strict` is false
 * @throws FileFormatError where the file is damaged or of another kind (of PyTorch's own, it says how to convert),
 * StorageError, StateDictError
 */
export async function loadModel<T>(
  file: string,
  module: { loadStateDict(state: StateDict, options?: { strict?: boolean }): T },
  { strict = true, prefix = '' }: LoadModelOptions = {},
): Promise<T> {
  const reader = await openSafetensors(file);
  let state: StateDict;
  try {
    state = await reader.stateDict(reader.names().filter((name) => name.startsWith(prefix)));
  } finally {
    await reader.close();
  }
  if (prefix)
    state = Object.fromEntries(Object.entries(state).map(([key, t]) => [key.slice(prefix.length), t]));
  return module.loadStateDict(state, { strict });
}
