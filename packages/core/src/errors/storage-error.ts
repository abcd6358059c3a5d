import { PoiesisError } from './poiesis-error';

export interface StorageErrorDetails {
  /** Path or URL. */
  path: string;
  operation: 'read' | 'write';
  /** `'the disk is full'`, `'no such file'`, `'HTTP 404'` */
  reason: string;
  /** The system's own code where there is one: `'ENOSPC'`. */
  systemCode?: string;
  /** Bytes that a write needs in all. */
  needed?: number;
  /** Bytes that were free when it failed, where the system says. */
  free?: number;
  cause?: unknown;
}

/** Storage did not do its part: `runs/a: cannot write 31457280 bytes: the disk is full (1048576 bytes free)`. */
export class StorageError extends PoiesisError {
  readonly path: string;
  readonly operation: 'read' | 'write';
  readonly reason: string;
  readonly systemCode: string | undefined;
  readonly needed: number | undefined;
  readonly free: number | undefined;

  constructor({ path, operation, reason, systemCode, needed, free, cause }: StorageErrorDetails) {
    const size = needed === undefined ? '' : ` ${needed} bytes`;
    const left = free === undefined ? '' : ` (${free} bytes free)`;
    super({ code: 'storage', message: `${path}: cannot ${operation}${size}: ${reason}${left}`, cause });
    this.path = path;
    this.operation = operation;
    this.reason = reason;
    this.systemCode = systemCode;
    this.needed = needed;
    this.free = free;
  }

  static override isInstance(error: unknown): error is StorageError {
    return PoiesisError.isInstance(error) && error.code === 'storage';
  }
}
