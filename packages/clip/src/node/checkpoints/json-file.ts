import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileFormatError, StorageError } from '@poiesis/core';

/** @throws StorageError, FileFormatError where it is no JSON. */
export async function readJson(file: string): Promise<unknown> {
  const text = await stored(file, 'read', () => readFile(file, 'utf8'));
  try {
    return JSON.parse(text);
  } catch (cause) {
    const received = text.trim() === '' ? 'an empty file' : JSON.stringify(text.slice(0, 20));
    throw new FileFormatError({ file, expected: 'JSON', received, cause });
  }
}

/** Writes beside the place, then renames: a reader finds the old file or the new. @throws StorageError */
export async function writeJson(file: string, json: unknown): Promise<void> {
  await stored(file, 'write', async () => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.part`, `${JSON.stringify(json, null, 2)}\n`);
    await rename(`${file}.part`, file);
  });
}

/** What the file system refuses, typed. */
export async function stored<T>(
  path: string,
  operation: 'read' | 'write',
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    const text = cause instanceof Error ? cause.message : String(cause);
    const reason = code === 'ENOENT' ? 'no such file or folder' : text;
    throw new StorageError({ path, operation, reason, ...(code && { systemCode: code }), cause });
  }
}
