import { readFileSync } from 'node:fs';
import { StorageError } from '../../errors';

/**
 * The whole file.
 * @throws StorageError where it cannot be read.
 */
export function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** What a failed read becomes. */
export function unreadable(path: string, cause: unknown): StorageError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: 'no such file or folder',
    EISDIR: 'it is a folder',
    ENOTDIR: 'it is not a folder',
    EACCES: 'permission denied',
    ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB, which is more than fits one read',
  };
  const reason = reasons[code ?? ''] ?? message;
  return new StorageError({ path, operation: 'read', reason, systemCode: code, cause });
}
