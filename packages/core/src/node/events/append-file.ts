import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StorageError } from '../../errors';
import { storageError } from '../checkpoint/system-error';

export interface AppendOptions {
  /** Told once when writing begins to fail, with what was lost at the end if anything. Default: `console.warn`. */
  onError?: (error: StorageError) => void;
}

/** Records that wait for a full disk. More than that are lost, oldest first. */
const BACKLOG = 10_000;

/**
 * A file that records are appended to, each by a system call of its own: a process that is killed loses nothing that
 * was appended, and at worst the last record is torn.
 *
 * A log must not end the run that it tells of. When writing fails (a full disk), the file is cut back to whole
 * records, the failure is reported, and what could not be written is tried again with the next record.
 */
export class AppendFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #onError: (error: StorageError) => void;
  /** Where the next record goes: the end of the last whole one. */
  #end: number;
  #backlog: Uint8Array[] = [];
  #failing = false;

  private constructor(path: string, handle: FileHandle, end: number, { onError = warn }: AppendOptions) {
    this.#path = path;
    this.#handle = handle;
    this.#end = end;
    this.#onError = onError;
  }

  /**
   * Opens or makes the file, and the folders above it.
   * @param keep How many bytes of it stay: given the handle, because that usually takes reading it.
   * @throws StorageError where that fails.
   */
  static async open(
    path: string,
    keep: (handle: FileHandle) => Promise<number>,
    options: AppendOptions = {},
  ): Promise<AppendFile> {
    let handle: FileHandle | undefined;
    try {
      await mkdir(dirname(path), { recursive: true });
      // Not 'a': on Linux that would ignore positions, and a torn record could not be written over.
      handle = await open(path, 'r+').catch((error) => {
        if (error.code !== 'ENOENT') throw error;
        return open(path, 'wx+');
      });
      const end = await keep(handle);
      await handle.truncate(end);
      return new AppendFile(path, handle, end, options);
    } catch (error) {
      await handle?.close();
      throw await storageError(path, 'write', error);
    }
  }

  /** Appends one record. Never throws: see above. */
  async append(record: Uint8Array): Promise<void> {
    this.#backlog.push(record);
    if (this.#backlog.length > BACKLOG) this.#backlog.shift();
    try {
      while (this.#backlog.length > 0) {
        const next = this.#backlog[0]!;
        await this.#write(next);
        this.#end += next.length;
        this.#backlog.shift();
      }
      this.#failing = false;
    } catch (error) {
      await this.#handle.truncate(this.#end).catch(() => {});
      if (!this.#failing) await this.#report(error);
      this.#failing = true;
    }
  }

  /** Waits until the file is on the disk itself, which an append alone does not. */
  async sync(): Promise<void> {
    await this.#handle.datasync().catch(() => {});
  }

  async close(): Promise<void> {
    await this.sync();
    await this.#handle.close();
  }

  async #write(record: Uint8Array): Promise<void> {
    for (let done = 0; done < record.length; ) {
      const { bytesWritten } = await this.#handle.write(record, done, record.length - done, this.#end + done);
      done += bytesWritten;
    }
  }

  async #report(error: unknown): Promise<void> {
    this.#onError((await storageError(this.#path, 'write', error)) as StorageError);
  }
}

function warn(error: StorageError): void {
  console.warn(`${error.message}; the run goes on, what is missing is written when that works again`);
}
