import { FileFormatError } from '@poiesis/core';
import { readFileBytes, writeAtomic } from '@poiesis/core/node';

/** @throws StorageError, FileFormatError where it is no JSON. */
export async function readJson(file: string): Promise<unknown> {
  const text = Buffer.from(await readFileBytes(file)).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    const received = text.trim() === '' ? 'an empty file' : JSON.stringify(text.slice(0, 20));
    throw new FileFormatError({ file, expected: 'JSON', received, cause });
  }
}

/** Writes atomically, and makes the folder. @throws StorageError */
export async function writeJson(file: string, json: unknown): Promise<void> {
  await writeAtomic(file, [new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`)]);
}
