import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { storageError, systemCode } from './system-error';

const beingWritten = new Set<string>();

/** Whether a file's name is that of a temporary file of `writeAtomic`, left by a process that was killed. */
export function isLeftover(path: string): boolean {
  return /^\..+\.[0-9a-f-]{36}\.tmp$/.test(basename(path)) && !beingWritten.has(resolve(path));
}

/**
 * Writes a file so that at every moment, whatever crashes, its path holds the old content or the new, complete: into
 * a temporary file in the same folder, flushed to the device, renamed, the folder flushed. Makes the folder.
 * @throws StorageError that says how many bytes are needed; the old content is as it was
 */
export async function writeAtomic(path: string, parts: readonly Uint8Array[]): Promise<void> {
  await commit(await stage(path, parts));
}

/** A complete, flushed temporary file that waits for its name. */
export interface Staged {
  readonly path: string;
  readonly temporary: string;
}

/** First half of `writeAtomic`: everything that can run out of space. */
export async function stage(path: string, parts: readonly Uint8Array[]): Promise<Staged> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`);
  let handle: FileHandle | undefined;
  beingWritten.add(resolve(temporary));
  try {
    await makeFolder(folder);
    handle = await open(temporary, 'wx');
    for (const part of parts) await writeAll(handle, part);
    await handle.sync();
    await handle.close();
    return { path, temporary };
  } catch (cause) {
    const needed = parts.reduce((sum, part) => sum + part.byteLength, 0);
    // Asked before the temporary file is gone: how much was free when it failed.
    const error = await storageError(path, 'write', cause, needed);
    await handle?.close().catch(() => {});
    await discard({ path, temporary });
    throw error;
  }
}

/** Second half: the rename, made durable. */
export async function commit(staged: Staged): Promise<void> {
  const { path, temporary } = staged;
  try {
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await discard(staged);
    throw await storageError(path, 'write', error);
  } finally {
    beingWritten.delete(resolve(temporary));
  }
}

/** Takes a staged file back. */
export async function discard({ temporary }: Staged): Promise<void> {
  await rm(temporary, { force: true }).catch(() => {});
  beingWritten.delete(resolve(temporary));
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const length = Math.min(bytes.byteLength - done, 1 << 30);
    done += (await handle.write(bytes, done, length)).bytesWritten;
  }
}

/** A new folder's own name must last too: every folder that was made is flushed into the one above. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let at = dirname(resolve(folder)); ; at = dirname(at)) {
    await syncFolder(at);
    if (at === top || at === dirname(at)) return;
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders; its file systems log renames by themselves.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network and FUSE file systems have no such thing; the file itself is flushed all the same.
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR'].includes(systemCode(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}
