import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import type { CommonOptions, Optimizer } from './optimizer';
import { checkNonNegative, checkShare, type Rule } from './rule';
import { RuleOptimizer } from './rule-optimizer';

/** The numbers of Muon. */
export interface MuonHyper {
  /** Memory of the mean gradient, 0.95 by default. */
  momentum: number;
  /** Look ahead by one step of the momentum; true by default. */
  nesterov: boolean;
  /** The share lr · weightDecay of the weight that each update takes away; 0.1 by default. */
  weightDecay: number;
  /** Steps of the Newton–Schulz iteration, 5 by default. */
  steps: number;
  /** Least norm that a mean gradient is divided by, 10⁻⁷ by default. */
  eps: number;
  /**
   * Size of an update of `[out, in]`: `'original'`, lr · √max(1, out / in) for every singular value, by default; or
   * `'match_rms_adamw'`, lr · 0.2 · √max(out, in), about as large as AdamW's, whose rate and decay then serve.
   */
  adjust: 'original' | 'match_rms_adamw';
  /**
   * Matrices of equally many rows that the weight is a stack of, each updated on its own: 3 for the `in_proj_weight` of
   * an attention, 3 · heads for its heads. 1 by default.
   */
  stacked: number;
}

export type MuonOptions = CommonOptions<MuonHyper> & Partial<MuonHyper>;

/** Of the quintic that drives singular values to about 1, steepest at 0 (Jordan, 2024). */
const [A, B, C] = [3.4445, -4.775, 2.0315];

const rule: Rule<MuonHyper> = {
  name: 'muon',
  defaults: {
    lr: 1e-3,
    momentum: 0.95,
    nesterov: true,
    weightDecay: 0.1,
    steps: 5,
    eps: 1e-7,
    adjust: 'original',
    stacked: 1,
  },
  slots: ['momentum_buffer'],

  check({ momentum, nesterov, weightDecay, steps, eps, adjust, stacked }) {
    checkShare('muon', { momentum });
    checkNonNegative('muon', { weightDecay, eps });
    checkArgument(typeof nesterov === 'boolean', 'muon', 'options.nesterov', 'a boolean', nesterov);
    for (const [name, value] of Object.entries({ steps, stacked })) {
      const valid = Number.isInteger(value) && value >= 1;
      checkArgument(valid, 'muon', `options.${name}`, 'an integer ≥ 1', value);
    }
    const known = adjust === 'original' || adjust === 'match_rms_adamw';
    checkArgument(known, 'muon', 'options.adjust', "'original' or 'match_rms_adamw'", adjust);
  },
  checkParameter(name, shape, { stacked }) {
    const expected = stacked === 1 ? 'a matrix [out, in]' : `a matrix [${stacked} · out, in]`;
    const fits = shape.length === 2 && shape[0]! % stacked === 0;
    checkArgument(fits, 'muon.step', name, `${expected}; others are for partition()`, shape);
  },
  slotsFor: () => ['momentum_buffer'],
  constants: ({ momentum }) => [momentum, 1 - momentum],
  varying: ({ weightDecay }, lr) => [lr, 1 - lr * weightDecay],

  update({ hyper, value, grad, slots, constants, varying }) {
    const [mean] = slots as [tf.Tensor];
    const [momentum, rest] = constants as [tf.Scalar, tf.Scalar];
    const [lr, shrink] = varying as [tf.Scalar, tf.Scalar];
    const { nesterov, weightDecay, steps, eps, adjust, stacked } = hyper;
    const [rows, columns] = [value.shape[0]! / stacked, value.shape[1]!];
    const m = tf.add(mean, tf.mul(tf.sub(grad, mean), rest));
    const ahead = nesterov ? tf.add(grad, tf.mul(tf.sub(m, grad), momentum)) : m;
    const matrices = tf.reshape<tf.Rank.R3>(ahead, [stacked, rows, columns]);
    const direction = tf.reshape(orthogonalized(matrices, steps, eps), value.shape);
    const size =
      adjust === 'original'
        ? Math.sqrt(Math.max(1, rows / columns))
        : 0.2 * Math.sqrt(Math.max(rows, columns));
    const kept = weightDecay > 0 ? tf.mul(value, shrink) : value;
    return { value: tf.sub(kept, tf.mul(direction, tf.mul(lr, size))), slots: [m] };
  },
};

/** The nearest matrices of orthogonal rows or columns, with singular values between 0.7 and 1.2 or so. */
function orthogonalized(g: tf.Tensor3D, steps: number, eps: number): tf.Tensor3D {
  const norm = tf.maximum(tf.norm(g, 'euclidean', [1, 2], true), eps);
  let x = tf.div<tf.Tensor3D>(g, norm);
  // The smaller of the two products of the matrix with itself.
  const wide = g.shape[1] <= g.shape[2];
  const identity = tf.eye(Math.min(g.shape[1], g.shape[2]));
  const [a, b] = [tf.mul(identity, A), tf.mul(identity, B)];
  for (let i = 0; i < steps; i++) {
    const gram = wide ? tf.matMul(x, x, false, true) : tf.matMul(x, x, true, false);
    // A + B · gram + C · gram², which is as symmetric as the gram matrix.
    const polynomial = tf.add(tf.matMul(gram, tf.add(tf.mul(gram, C), b)), a);
    x = wide ? tf.matMul(polynomial, x) : tf.matMul(x, polynomial);
  }
  return x;
}

/**
 * Muon (Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024): the mean gradient of a matrix, made
 * orthogonal, so that an update is equally large in all directions. As `torch.optim.Muon`, but for the iteration's
 * arithmetic, which is float32 here and bfloat16 there. For the hidden layers' matrices `[out, in]`; what else a model
 * has, such as biases and embeddings, goes to another optimizer, by `partition`. `lr` is 10⁻³ by default.
 *
 * @throws ArgumentError in `step`, for a parameter that is no matrix.
 */
export function muon(options: MuonOptions = {}): Optimizer {
  return new RuleOptimizer(rule, options);
}
