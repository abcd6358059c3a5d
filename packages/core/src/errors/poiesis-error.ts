const MARKER = Symbol.for('poiesis.error');

/** What every typed error of Poiesis carries, as data. */
export interface ErrorDetails {
  /** Stable, machine-readable kind: `'argument'`, `'state-dict'`, `'file-format'`, … */
  code: string;
  /** One line for people. */
  message: string;
  cause?: unknown;
}

/**
 * Base of all errors that Poiesis throws on purpose.
 *
 * Use `PoiesisError.isInstance(e)` rather than `instanceof`: it also recognizes errors of a second copy of the
 * package (ESM beside CJS, two versions in one tree).
 */
export class PoiesisError extends Error {
  readonly code: string;
  readonly [MARKER] = true;

  constructor({ code, message, cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target === PoiesisError ? 'PoiesisError' : nameOf(code);
    this.code = code;
  }

  static isInstance(error: unknown): error is PoiesisError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}

/** Of the code, `file-format`: `FileFormatError`; minified code has no names of classes. */
function nameOf(code: string): string {
  return `${code.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())}Error`;
}
