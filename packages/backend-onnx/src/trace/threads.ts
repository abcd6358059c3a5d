import type { Flops } from '../explain/flops';
import type { GraphNode } from '../passes/ir';
import { sizeOf } from './graph';

/** Operations of products and convolutions: half a millisecond of one thread. */
const OPERATIONS = 50e6;
/** Elements of all results together. */
const ELEMENTS = 1e6;

/**
 * How many threads a program is worth: one where it is small, else all.
 *
 * Its operators take microseconds then, and as long to share among threads. Worse, each session has threads of its own,
 * which wait in a loop for more work after a run, and take the processors from the next session, or from the garbage
 * collector: a step of decoding took 0.5 ms on two threads, and every third one several milliseconds.
 */
export function threadsFor({ matmul, convolution }: Flops, nodes: readonly GraphNode[]): 1 | undefined {
  if (matmul + convolution > OPERATIONS) return undefined;
  let elements = 0;
  for (const { outputs } of nodes) for (const { shape } of outputs) elements += sizeOf(shape);
  return elements > ELEMENTS ? undefined : 1;
}
