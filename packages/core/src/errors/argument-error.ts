import { PoiesisError } from './poiesis-error';

/** Where wrong input came in, and how it was wrong. */
export interface ArgumentErrorDetails {
  /** Function or method, as the user calls it: `'MultiHeadAttention.forward'`. */
  fn: string;
  /** Argument or option: `'x'`, `'options.stride'`. */
  argument: string;
  /** What would have been right: `'[batch, seq, 64]'`. */
  expected: string;
  /** What came. Arrays print as `[2, 5, 32]`, strings in quotes. */
  received: unknown;
}

/** Wrong input to a public function: `Linear.forward(x): expected [..., 64], got [2, 32]`. */
export class ArgumentError extends PoiesisError {
  readonly fn: string;
  readonly argument: string;
  readonly expected: string;
  readonly received: unknown;

  constructor({ fn, argument, expected, received }: ArgumentErrorDetails) {
    super({ code: 'argument', message: `${fn}(${argument}): expected ${expected}, got ${show(received)}` });
    this.fn = fn;
    this.argument = argument;
    this.expected = expected;
    this.received = received;
  }

  static override isInstance(error: unknown): error is ArgumentError {
    return PoiesisError.isInstance(error) && error.code === 'argument';
  }
}

/** Throws an `ArgumentError` unless `condition` holds. */
export function checkArgument(
  condition: unknown,
  fn: string,
  argument: string,
  expected: string,
  received: unknown,
): asserts condition {
  if (!condition) throw new ArgumentError({ fn, argument, expected, received });
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value);
  if (Array.isArray(value)) {
    const shown = value.slice(0, 12).map(show).join(', ');
    return `[${shown}${value.length > 12 ? ', …' : ''}]`;
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `a function${value.name ? ` ${value.name}` : ''}`;
  if (typeof value === 'object' && value !== null) {
    if ('shape' in value && Array.isArray(value.shape))
      return `a tensor of shape [${value.shape.join(', ')}]`;
    const name = value.constructor?.name;
    return name && name !== 'Object' ? `a ${name}` : 'an object';
  }
  return String(value);
}
