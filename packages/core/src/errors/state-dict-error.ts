import { PoiesisError } from './poiesis-error';

/** A key whose tensor has another shape than the one that it is loaded into. */
export interface ShapeMismatch {
  readonly key: string;
  readonly expected: readonly number[];
  readonly received: readonly number[];
}

/** A key whose values the leaf's type cannot hold. */
export interface ValueMismatch {
  readonly key: string;
  /** `'I64 value 4294967296 at index 3 does not fit int32'` */
  readonly problem: string;
}

export interface StateDictErrorDetails {
  /** Who was loading: `'loadStateDict'`. */
  fn: string;
  missing?: readonly string[];
  extra?: readonly string[];
  shapes?: readonly ShapeMismatch[];
  values?: readonly ValueMismatch[];
}

/**
 * A state dict does not fit what it is loaded into. One error names everything that is wrong; the lists are complete,
 * the message shortens long ones.
 *
 * `loadStateDict: 2 missing keys (a.weight, a.bias); 1 wrong shape (b.weight: expected [2, 3], got [3, 2])`
 */
export class StateDictError extends PoiesisError {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly shapes: readonly ShapeMismatch[];
  readonly values: readonly ValueMismatch[];

  constructor({ fn, missing = [], extra = [], shapes = [], values = [] }: StateDictErrorDetails) {
    const parts = [
      list(missing, 'missing key', (key) => key),
      list(extra, 'extra key', (key) => key),
      list(
        shapes,
        'wrong shape',
        (s) => `${s.key}: expected [${s.expected.join(', ')}], got [${s.received.join(', ')}]`,
      ),
      list(values, 'unusable tensor', (v) => `${v.key}: ${v.problem}`),
      prefixHint(missing, extra),
    ];
    super({ code: 'state-dict', message: `${fn}: ${parts.filter(Boolean).join('; ')}` });
    this.missing = missing;
    this.extra = extra;
    this.shapes = shapes;
    this.values = values;
  }

  static override isInstance(error: unknown): error is StateDictError {
    return PoiesisError.isInstance(error) && error.code === 'state-dict';
  }
}

const SHOWN = 10;

function list<T>(items: readonly T[], what: string, show: (item: T) => string): string {
  if (items.length === 0) return '';
  const shown = items.slice(0, SHOWN).map(show);
  if (items.length > SHOWN) shown.push(`… and ${items.length - SHOWN} more`);
  return `${items.length} ${what}${items.length === 1 ? '' : 's'} (${shown.join(', ')})`;
}

/** Wrapped models (`module.`, `_orig_mod.`) and training checkpoints (`generator/`) are why no key at all may fit. */
function prefixHint(missing: readonly string[], extra: readonly string[]): string {
  const key = missing[0];
  if (key === undefined || extra.length === 0) return '';
  const wrapped = extra.find((other) => other.endsWith(`.${key}`) || other.endsWith(`/${key}`));
  if (wrapped === undefined) return '';
  const prefix = wrapped.slice(0, wrapped.length - key.length);
  return missing.every((k) => extra.includes(prefix + k))
    ? `the keys fit without the prefix "${prefix}"`
    : '';
}
