import { type FileHandle, open } from 'node:fs/promises';
import type { ByteSource } from '../../checkpoint';
import { FileFormatError } from '../../errors';
import { storageError } from './system-error';

/** Most bytes that one read call may ask for on every system. */
const MAX_READ = 1 << 30;

/**
 * A file, read where asked. Every read has memory of its own. Close it when done.
 * @throws StorageError where it cannot be opened
 */
export async function fileSource(path: string): Promise<ByteSource> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stats = await handle.stat();
    if (!stats.isFile())
      throw Object.assign(new Error('it is no file'), stats.isDirectory() && { code: 'EISDIR' });
    const { size } = stats;
    const opened = handle;
    return {
      name: path,
      size,
      read: (offset, length) => readAt(opened, path, offset, length),
      close: () => opened.close(),
    };
  } catch (error) {
    await handle?.close();
    throw await storageError(path, 'read', error);
  }
}

async function readAt(handle: FileHandle, file: string, offset: number, length: number): Promise<Uint8Array> {
  try {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, MAX_READ), offset + done);
      // The file became shorter after it was opened.
      if (bytesRead === 0) {
        throw new FileFormatError({ file, offset, expected: `${length} bytes`, received: String(done) });
      }
      done += bytesRead;
    }
    return bytes;
  } catch (error) {
    throw await storageError(file, 'read', error, length);
  }
}
