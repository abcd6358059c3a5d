import * as tf from '@tensorflow/tfjs-core';
import type { CommonOptions, Optimizer } from './optimizer';
import { checkNonNegative, checkShare, type Rule } from './rule';
import { RuleOptimizer } from './rule-optimizer';

/** The numbers of Lion. */
export interface LionHyper {
  /** Weight of the momentum against the gradient in the direction of the update, 0.9 by default. */
  beta1: number;
  /** Memory of the momentum, 0.99 by default. */
  beta2: number;
  /** Share lr · weightDecay of the weight that each update takes away, 0 by default. */
  weightDecay: number;
}

export type LionOptions = CommonOptions<LionHyper> & Partial<LionHyper>;

const rule: Rule<LionHyper> = {
  name: 'lion',
  defaults: { lr: 1e-4, beta1: 0.9, beta2: 0.99, weightDecay: 0 },
  slots: ['exp_avg'],

  check({ beta1, beta2, weightDecay }) {
    checkShare('lion', { beta1, beta2 });
    checkNonNegative('lion', { weightDecay });
  },
  slotsFor: () => ['exp_avg'],
  constants: ({ beta1, beta2 }) => [beta1, 1 - beta1, beta2, 1 - beta2],
  varying: ({ weightDecay }, lr) => [lr, 1 - lr * weightDecay],

  update({ hyper, value, grad, slots, constants, varying }) {
    const [m] = slots as [tf.Tensor];
    const [beta1, rest1, beta2, rest2] = constants as [tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar];
    const [lr, shrink] = varying as [tf.Scalar, tf.Scalar];
    const direction = tf.sign(tf.add(tf.mul(m, beta1), tf.mul(grad, rest1)));
    const kept = hyper.weightDecay > 0 ? tf.mul(value, shrink) : value;
    return {
      value: tf.sub(kept, tf.mul(direction, lr)),
      slots: [tf.add(tf.mul(m, beta2), tf.mul(grad, rest2))],
    };
  },
};

/**
 * Lion (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023, algorithm 2): every weight moves by ±lr.
 * `lr` is 10⁻⁴ by default; good values are three to ten times below Adam's, weight decay as much above.
 */
export function lion(options: LionOptions = {}): Optimizer {
  return new RuleOptimizer(rule, options);
}
