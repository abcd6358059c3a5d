import { PoiesisError } from '@poiesis/core';

/** A compiled step that did something else when it was traced again: something varies that it closes over. */
export class CompileError extends PoiesisError {
  readonly step: string;
  /** The operation that was recorded first, and the one that came instead. */
  readonly recorded: string;
  readonly traced: string;

  constructor(step: string, recordedKey: string, tracedKey: string) {
    const recorded = recordedKey.split('\n');
    const traced = tracedKey.split('\n');
    // The first line describes the leaves; a different operation says more than the constants that it brought.
    let i = 1;
    while (i < recorded.length && recorded[i] === traced[i]) i++;
    if (i >= recorded.length && i >= traced.length) i = 0;
    const [a, b] = [recorded[i] ?? 'the end', traced[i] ?? 'the end'];
    super({
      code: 'compile',
      message: `compile(${step}): a new trace differs from the recording at operation ${i}: recorded ${short(a)}, now ${short(b)}; what varies from call to call must come as an argument, a variable or fromHost`,
    });
    this.step = step;
    this.recorded = a;
    this.traced = b;
  }

  static override isInstance(error: unknown): error is CompileError {
    return PoiesisError.isInstance(error) && error.code === 'compile';
  }
}

function short(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
