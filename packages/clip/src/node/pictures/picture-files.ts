import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '@poiesis/core';

/**
 * Paths of all picture files below a folder, by their names' endings, sorted so that every machine has them in the same
 * order. Names that start with a dot are passed over.
 * @throws StorageError where the folder cannot be read.
 */
export async function pictureFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'no such folder' : cause.message;
    throw new StorageError({ path: folder, operation: 'read', reason, systemCode: cause.code, cause });
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await pictureFiles(path)));
    else if (/\.(png|jpe?g|webp|gif)$/i.test(entry.name)) files.push(path);
  }
  return files;
}
