import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';

/** Weights of one direction of one layer, gates stacked in PyTorch's order. */
export interface RecurrentWeights {
  /** `[gates · hidden, in]`. */
  weightIh: tf.Tensor;
  /** `[gates · hidden, hidden]`. */
  weightHh: tf.Tensor;
  /** `[gates · hidden]`. Default none. */
  biasIh?: tf.Tensor | null;
  /** `[gates · hidden]`. Default none. */
  biasHh?: tf.Tensor | null;
}

/** Checks input, weights and initial states; returns the sizes. */
export function recurrentSizes(
  fn: string,
  gates: number,
  x: tf.Tensor,
  { weightIh, weightHh, biasIh, biasHh }: RecurrentWeights,
  states: Readonly<Record<string, tf.Tensor | undefined>>,
): { batch: number; hidden: number } {
  const hidden = weightHh.shape[1] ?? 0;
  const rows = gates * hidden;
  const dim = weightIh.shape[1] ?? 0;
  checkArgument(
    hasShape(weightHh, [rows, hidden]),
    fn,
    'weightHh',
    `[${gates} · hidden, hidden]`,
    weightHh.shape,
  );
  checkArgument(hasShape(weightIh, [rows, dim]), fn, 'weightIh', `[${rows}, in]`, weightIh.shape);
  for (const [name, bias] of Object.entries({ biasIh, biasHh })) {
    checkArgument(!bias || hasShape(bias, [rows]), fn, name, `[${rows}]`, bias?.shape);
  }
  const fits = x.rank === 3 && x.shape[1]! >= 1 && x.shape[2] === dim;
  checkArgument(fits, fn, 'x', `[batch, seq ≥ 1, ${dim}]`, x.shape);
  const batch = x.shape[0]!;
  for (const [name, state] of Object.entries(states)) {
    const expected = `[${batch}, ${hidden}]`;
    checkArgument(!state || hasShape(state, [batch, hidden]), fn, `initial.${name}`, expected, state?.shape);
  }
  return { batch, hidden };
}

/**
 * Runs a cell along the sequence and stacks the first of its states.
 * @param projected `[batch, seq, gates · hidden]`: the input's share of all gates, made by one matmul for all steps.
 */
export function scan<S extends readonly [tf.Tensor, ...tf.Tensor[]]>(
  projected: tf.Tensor,
  initial: S,
  reverse: boolean,
  cell: (gates: tf.Tensor2D, states: S) => S,
): { output: tf.Tensor3D; states: S } {
  const steps = unstack(projected, 1) as tf.Tensor2D[];
  let states = initial;
  // A copy: tfjs's tape holds the array of unstacked tensors itself, and would not survive its reversal.
  const outputs = (reverse ? [...steps].reverse() : steps).map((gates) => {
    states = cell(gates, states);
    return states[0];
  });
  if (reverse) outputs.reverse();
  return { output: tf.stack(outputs, 1) as tf.Tensor3D, states };
}

/** The slices along an axis, without it. tfjs's own has no gradient where there is one slice only. */
export function unstack(x: tf.Tensor, axis: number): tf.Tensor[] {
  return x.shape[axis] === 1 ? [tf.squeeze(x, [axis])] : tf.unstack(x, axis);
}

function hasShape(x: tf.Tensor, shape: readonly number[]): boolean {
  return x.rank === shape.length && shape.every((size, i) => size === x.shape[i] && size > 0);
}
