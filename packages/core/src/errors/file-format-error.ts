import { PoiesisError } from './poiesis-error';

export interface FileFormatErrorDetails {
  /** Path, URL or a name for data in memory. */
  file: string;
  /** Byte at which the content stops making sense; absent where no single place is to blame. */
  offset?: number;
  /** What would have been right. */
  expected: string;
  /** What is there. */
  received: string;
  cause?: unknown;
}

/** A file is truncated, corrupt, or of another kind: `faces.idx at byte 4: expected 3136 bytes, got 12`. */
export class FileFormatError extends PoiesisError {
  readonly file: string;
  readonly offset: number | undefined;
  readonly expected: string;
  readonly received: string;

  constructor({ file, offset, expected, received, cause }: FileFormatErrorDetails) {
    const place = offset === undefined ? file : `${file} at byte ${offset}`;
    super({ code: 'file-format', message: `${place}: expected ${expected}, got ${received}`, cause });
    this.file = file;
    this.offset = offset;
    this.expected = expected;
    this.received = received;
  }

  static override isInstance(error: unknown): error is FileFormatError {
    return PoiesisError.isInstance(error) && error.code === 'file-format';
  }
}
