import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import type { CommonOptions, Optimizer } from './optimizer';
import { checkNonNegative, type Rule } from './rule';
import { RuleOptimizer } from './rule-optimizer';

/** The numbers of SGD; all 0 and false by default. */
export interface SgdHyper {
  momentum: number;
  /** Share of the gradient that does not enter the momentum buffer, from the second update on. */
  dampening: number;
  /** L2 penalty: weightDecay · parameter is added to the gradient. */
  weightDecay: number;
  /** Looks one step ahead. Needs momentum and no dampening. */
  nesterov: boolean;
}

export type SgdOptions = CommonOptions<SgdHyper> & Partial<SgdHyper>;

const rule: Rule<SgdHyper> = {
  name: 'sgd',
  defaults: { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
  slots: ['momentum_buffer'],

  check({ momentum, dampening, weightDecay, nesterov }) {
    checkNonNegative('sgd', { momentum, weightDecay });
    checkArgument(Number.isFinite(dampening), 'sgd', 'options.dampening', 'a number', dampening);
    checkArgument(
      !nesterov || (momentum > 0 && dampening === 0),
      'sgd',
      'options.nesterov',
      'momentum > 0 and dampening 0 with it',
      nesterov,
    );
  },
  slotsFor: ({ momentum }) => (momentum > 0 ? ['momentum_buffer'] : []),
  constants: ({ momentum, weightDecay }) => [momentum, weightDecay],
  // The first gradient enters the buffer whole. The buffer is zero then, so a number does what a branch would.
  varying: ({ dampening }, lr, t) => (dampening === 0 ? [lr] : [lr, t === 1 ? 1 : 1 - dampening]),

  update({ hyper, value, grad, slots: [buffer], constants, varying }) {
    const [momentum, decay] = constants as [tf.Scalar, tf.Scalar];
    const [lr, share] = varying as [tf.Scalar, tf.Scalar?];
    const g = hyper.weightDecay > 0 ? tf.add(grad, tf.mul(value, decay)) : grad;
    if (!buffer) return { value: tf.sub(value, tf.mul(g, lr)), slots: [] };
    const next = tf.add(tf.mul(buffer, momentum), share ? tf.mul(g, share) : g);
    const direction = hyper.nesterov ? tf.add(g, tf.mul(next, momentum)) : next;
    return { value: tf.sub(value, tf.mul(direction, lr)), slots: [next] };
  },
};

/**
 * Stochastic gradient descent, as `torch.optim.SGD`: g ← g + weightDecay · p; b ← momentum · b + (1 − dampening) · g;
 * p ← p − lr · b (Nesterov: p − lr · (g + momentum · b)). `lr` is 10⁻³ by default.
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  return new RuleOptimizer(rule, options);
}
