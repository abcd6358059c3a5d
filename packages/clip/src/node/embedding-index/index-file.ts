import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { checkArgument } from '@poiesis/core';
import { fileSource, isLeftover, writeSafetensors } from '@poiesis/core/node';
import {
  decodeIndex,
  type EmbeddingIndex,
  type EmbeddingIndexOptions,
  indexTensors,
} from '../../embedding-index';

const saving = new Map<string, Promise<unknown>>();

/**
 * Writes an index to a file, its graph included, atomically: whatever crashes, the path holds the old index or the new.
 * Saves of one process to one path come one after the other; two processes should not save to the same path.
 * @throws StorageError
 */
export async function saveIndex(file: string, index: EmbeddingIndex): Promise<void> {
  checkArgument(typeof file === 'string' && file !== '', 'saveIndex', 'file', 'a path', file);
  const path = resolve(file);
  const before = saving.get(path) ?? Promise.resolve();
  const done = before
    .catch(() => {})
    .then(async () => {
      await removeLeftovers(path);
      const { state, metadata } = await indexTensors(index, crc32);
      await writeSafetensors(path, state, metadata);
    });
  saving.set(path, done);
  try {
    await done;
  } finally {
    if (saving.get(path) === done) saving.delete(path);
  }
}

/**
 * Reads an index from a file.
 * @param options `approximate` as for a new index. The graph in the file is taken where it was made in the same way,
 * else one is built from the vectors; without the option the graph is left in the file, and search is exact
 * @throws FileFormatError where the file is damaged or no index, StorageError where it cannot be read
 */
export async function loadIndex(
  file: string,
  options: Omit<EmbeddingIndexOptions, 'meta'> = {},
): Promise<EmbeddingIndex> {
  return decodeIndex(await fileSource(file), options, crc32);
}

/** Temporary files of saves that were killed: they would stay for ever, as large as the index. */
async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const prefix = `.${basename(path)}.`;
  for (const name of names) {
    const left = join(folder, name);
    if (name.startsWith(prefix) && isLeftover(left)) await rm(left, { force: true }).catch(() => {});
  }
}
