import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PoiesisError, StorageError } from '../../errors';

const reasons: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file system does not take files of this size',
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  EIO: 'the device reports an error',
  EMFILE: 'too many open files',
};

export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** What a failed system call means, typed. Errors that are typed already pass through. */
export async function storageError(
  path: string,
  operation: 'read' | 'write',
  cause: unknown,
  needed?: number,
): Promise<PoiesisError> {
  if (PoiesisError.isInstance(cause)) return cause;
  const code = systemCode(cause);
  const reason = reasons[code ?? ''] ?? (cause instanceof Error ? cause.message : String(cause));
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const free = full ? await freeBytes(dirname(path)) : undefined;
  return new StorageError({ path, operation, reason, systemCode: code, needed, free, cause });
}

async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
