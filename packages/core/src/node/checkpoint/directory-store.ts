import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { CheckpointStore, TrainingCheckpoint } from '../../checkpoint';
import { encodeCheckpoint, readCheckpoint } from '../../checkpoint';
import { checkArgument, FileFormatError, StorageError } from '../../errors';
import { isLeftover, writeAtomic } from './atomic-write';
import { fileSource } from './file-source';
import { storageError, systemCode } from './system-error';

/** A checkpoint that had to be passed over. */
export interface DamagedCheckpoint {
  name: string;
  path: string;
  /** Why: a `FileFormatError`, or a `StorageError` where the device fails. */
  error: FileFormatError | StorageError;
}

export interface DirectoryStoreOptions {
  /** How many of the newest checkpoints stay. Default 3. */
  keep?: number;
  /** Told of damaged checkpoints that `latest()` passed over. Default: one line by `console.warn`. */
  onDamaged?: (damaged: DamagedCheckpoint) => void;
}

/**
 * Checkpoints in a folder, one file each: `000012-step-600.safetensors`, where the first number counts the saves.
 * The newest is the one saved last, also where a run was started anew in a folder with later steps.
 *
 * A save writes, flushes and renames before it removes older files, so that a crash or a full disk costs at most the
 * checkpoint in the making. One process may save into a folder at a time; any number may read.
 */
export function directoryStore(
  dir: string,
  { keep = 3, onDamaged = warn }: DirectoryStoreOptions = {},
): CheckpointStore {
  checkArgument(dir !== '', 'directoryStore', 'dir', 'a path', dir);
  checkArgument(
    Number.isInteger(keep) && keep >= 1,
    'directoryStore',
    'keep',
    'a whole number of at least 1',
    keep,
  );
  let saving: Promise<unknown> = Promise.resolve();

  async function save(checkpoint: TrainingCheckpoint): Promise<string> {
    const parts = encodeCheckpoint(checkpoint, crc32);
    const files = await list(dir);
    for (const name of files.leftovers) await rm(join(dir, name), { force: true });
    const number = (files.checkpoints.at(-1)?.number ?? 0) + 1;
    const name = `${String(number).padStart(6, '0')}-step-${checkpoint.step}.safetensors`;
    await writeAtomic(join(dir, name), parts);
    for (const old of files.checkpoints.slice(0, Math.max(0, files.checkpoints.length + 1 - keep))) {
      // What resists, as an open file does on Windows, is tried again at the next save.
      await rm(join(dir, old.name), { force: true }).catch(() => {});
    }
    return name;
  }

  return {
    save(checkpoint) {
      // One after the other: two at once would choose the same number.
      const done = saving.then(async () => {
        try {
          return await save(checkpoint);
        } catch (error) {
          throw await storageError(dir, 'write', error);
        }
      });
      saving = done.catch(() => {});
      return done;
    },

    async latest() {
      const { checkpoints } = await list(dir);
      for (const { name } of checkpoints.reverse()) {
        const path = join(dir, name);
        try {
          return await read(path);
        } catch (error) {
          if (!isDamage(error)) {
            // Removed by the process that trains, since the folder was listed.
            if (StorageError.isInstance(error) && error.systemCode === 'ENOENT') continue;
            throw error;
          }
          onDamaged({ name, path, error });
        }
      }
      return null;
    },
  };
}

/** Reads the training checkpoint in a file. @throws FileFormatError, StorageError */
async function read(path: string): Promise<TrainingCheckpoint> {
  const source = await fileSource(path);
  try {
    return await readCheckpoint(source, crc32);
  } finally {
    await source.close?.();
  }
}

function isDamage(error: unknown): error is FileFormatError | StorageError {
  return FileFormatError.isInstance(error) || (StorageError.isInstance(error) && error.systemCode === 'EIO');
}

async function list(
  dir: string,
): Promise<{ checkpoints: { name: string; number: number }[]; leftovers: string[] }> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { checkpoints: [], leftovers: [] };
    throw await storageError(dir, 'read', error);
  }
  const checkpoints = names.flatMap((name) => {
    const match = /^(\d+)-step-\d+\.safetensors$/.exec(name);
    return match ? [{ name, number: Number(match[1]) }] : [];
  });
  checkpoints.sort((a, b) => a.number - b.number);
  return { checkpoints, leftovers: names.filter((name) => isLeftover(join(dir, name))) };
}

function warn({ path, error }: DamagedCheckpoint): void {
  console.warn(
    `passed over a damaged checkpoint: ${error.message.startsWith(path) ? '' : `${path}: `}${error.message}`,
  );
}
