import { sameShape, Value } from './graph';
import { Hash } from './hash';
import type { Trace } from './program';

/** Programs of one sequence of operations that are compiled whole, whatever their shapes. */
const WHOLE = 8;
/** How often a program of one more shape has to come before it is compiled whole too. */
const TIMES = 4;
/** Programs that are remembered at most. */
const MEMORY = 10_000;

/**
 * Tells programs whose shapes are new at nearly every run, as those of a sequence that grows, from those that settle on
 * some shapes. The former are not worth compiling whole.
 */
export class ShapeChurn {
  private readonly kinds = new Map<string, { programs: number; last: Trace['leaves'] }>();
  private readonly seen = new Map<string, number>();
  private warned = false;

  /** Whether a program that is not known should be run piece by piece instead of being compiled. */
  isChurning(trace: Trace): boolean {
    if (this.seen.size >= MEMORY) {
      this.seen.clear();
      this.kinds.clear();
    }
    const times = (this.seen.get(trace.key) ?? 0) + 1;
    this.seen.set(trace.key, times);
    const key = kindOf(trace);
    const kind = this.kinds.get(key) ?? { programs: 0, last: [] as Trace['leaves'] };
    if (times === 1) kind.programs++;
    const churning = kind.programs > WHOLE && times < TIMES;
    if (churning && !this.warned) {
      this.warned = true;
      this.warn(trace, kind.last);
    }
    kind.last = trace.leaves.map(({ shape, dtype }) => new Value(shape, dtype));
    this.kinds.set(key, kind);
    return churning;
  }

  private warn({ ops, leaves }: Trace, last: Trace['leaves']): void {
    const at = leaves.findIndex(({ shape }, i) => last[i] && !sameShape(shape, last[i].shape));
    const reader = ops.find(({ inputs }) => inputs.includes(leaves[at]!));
    const culprit = reader
      ? `an input of ${reader.origin} is of shape [${leaves[at]!.shape}] now and was [${last[at]!.shape}] before`
      : 'what differs is a constant of an operation';
    console.warn(
      `onnx: a program of ${ops.length} operations is another at nearly every run: ${culprit}. It runs operation by ` +
        'operation; with shapes that stay (padding, a cache of fixed size) it would run as a whole.',
    );
  }
}

/** Equal for traces of the same operations on tensors of any shapes. */
function kindOf({ ops, leaves, outputs }: Trace): string {
  const hash = new Hash().reset();
  for (const { type, inputs } of ops) {
    hash.string(type);
    hash.int(inputs.length);
  }
  return `${ops.length}.${leaves.length}.${outputs.length}.${hash.key}`;
}
