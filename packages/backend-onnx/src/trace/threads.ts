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
 * Its operators take microseconds then, and as long to share among threads. Each session also has threads of its own,
 * which wait in a loop for more work after a run; on few processors they are probably in the way of the next session and
 * of the garbage collector. Decoding a word, eleven runs, took a median of 13.5 to 15.4 ms on two threads of two cores,
 * quarter to quarter 9 to 20, and 8.1 to 11.2 ms on one.
 */
export function threadsFor({ matmul, convolution }: Flops, nodes: readonly GraphNode[]): 1 | undefined {
  if (matmul + convolution > OPERATIONS) return undefined;
  let elements = 0;
  for (const { outputs } of nodes) for (const { shape } of outputs) elements += sizeOf(shape);
  return elements > ELEMENTS ? undefined : 1;
}
