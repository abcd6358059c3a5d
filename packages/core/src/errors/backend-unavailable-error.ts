import { PoiesisError } from './poiesis-error';

export interface BackendUnavailableErrorDetails {
  /** What was asked for: a backend's name, or `'auto'`. */
  backend: string;
  /** Why it cannot be had. */
  reason: string;
  /** What would help, as something to type or to call. */
  fix: string;
  cause?: unknown;
}

/** A backend was asked for that cannot run here: `backend "wasm" is unavailable: … Fix: npm install …`. */
export class BackendUnavailableError extends PoiesisError {
  readonly backend: string;
  readonly reason: string;
  readonly fix: string;

  constructor({ backend, reason, fix, cause }: BackendUnavailableErrorDetails) {
    super({
      code: 'backend-unavailable',
      message: `backend "${backend}" is unavailable: ${reason}. Fix: ${fix}`,
      cause,
    });
    this.backend = backend;
    this.reason = reason;
    this.fix = fix;
  }

  static override isInstance(error: unknown): error is BackendUnavailableError {
    return PoiesisError.isInstance(error) && error.code === 'backend-unavailable';
  }
}
