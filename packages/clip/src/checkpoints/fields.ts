import { FileFormatError } from '@poiesis/core';

/** Reads a record of a JSON file; what is missing or of another kind is an error that names file and field. */
export class Fields {
  readonly #record: Readonly<Record<string, unknown>>;
  readonly #file: string;
  readonly #path: string;

  constructor(value: unknown, file: string, path = '') {
    this.#file = file;
    this.#path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.error('', 'a record', value);
    }
    this.#record = value as Record<string, unknown>;
  }

  /** Whether the field is there, and not null. */
  has(name: string): boolean {
    return this.#record[name] !== undefined && this.#record[name] !== null;
  }

  /** The value as it is. */
  raw(name: string): unknown {
    return this.#record[name];
  }

  count(name: string, fallback?: number): number {
    return this.#get(
      name,
      fallback,
      'an integer ≥ 1',
      (value) => Number.isInteger(value) && Number(value) >= 1,
    );
  }

  number(name: string, fallback?: number): number {
    return this.#get(name, fallback, 'a number', (value) => typeof value === 'number');
  }

  string(name: string, fallback?: string): string {
    return this.#get(name, fallback, 'a string', (value) => typeof value === 'string');
  }

  boolean(name: string, fallback?: boolean): boolean {
    return this.#get(name, fallback, 'true or false', (value) => typeof value === 'boolean');
  }

  /** A record; an empty one where it is missing. */
  record(name: string): Fields {
    return new Fields(this.has(name) ? this.#record[name] : {}, this.#file, this.#at(name));
  }

  error(name: string, expected: string, received: unknown = this.#record[name]): FileFormatError {
    const shown = received === undefined ? 'nothing' : (JSON.stringify(received) ?? String(received));
    const short = shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
    const where = this.#at(name);
    return new FileFormatError({
      file: this.#file,
      expected: where ? `${where} to be ${expected}` : expected,
      received: short,
    });
  }

  #get<T>(name: string, fallback: T | undefined, expected: string, ok: (value: unknown) => boolean): T {
    const value = this.has(name) ? this.#record[name] : fallback;
    if (value === undefined || !ok(value)) throw this.error(name, expected);
    return value as T;
  }

  #at(name: string): string {
    return [this.#path, name].filter(Boolean).join('.');
  }
}
