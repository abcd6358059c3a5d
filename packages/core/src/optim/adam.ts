import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import type { CommonOptions, Optimizer } from './optimizer';
import { checkNonNegative, checkShare, type Rule } from './rule';
import { RuleOptimizer } from './rule-optimizer';

/** The numbers of Adam and AdamW. */
export interface AdamHyper {
  /** Memory of the mean gradient, 0.9 by default. */
  beta1: number;
  /** Memory of the mean squared gradient, 0.999 by default. */
  beta2: number;
  /** Added to the root of the mean square, 10⁻⁸ by default. */
  eps: number;
  /** `adam`: L2 penalty, added to the gradient; 0 by default. `adamW`: the share lr · weightDecay of the weight that
   *  each update takes away; 0.01 by default. */
  weightDecay: number;
  /** Divide by the largest mean square so far (Reddi et al., 2018); false by default. */
  amsgrad: boolean;
}

export type AdamOptions = CommonOptions<AdamHyper> & Partial<AdamHyper>;

const defaults = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, amsgrad: false };

function adamRule(name: string, decoupled: boolean, weightDecay: number): Rule<AdamHyper> {
  return {
    name,
    defaults: { ...defaults, weightDecay },
    slots: ['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'],

    check({ beta1, beta2, eps, weightDecay, amsgrad }) {
      checkShare(name, { beta1, beta2 });
      checkNonNegative(name, { eps, weightDecay });
      checkArgument(typeof amsgrad === 'boolean', name, 'options.amsgrad', 'a boolean', amsgrad);
    },
    slotsFor: ({ amsgrad }) =>
      amsgrad ? ['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'] : ['exp_avg', 'exp_avg_sq'],
    constants: ({ beta1, beta2, weightDecay }) => [1 - beta1, beta2, 1 - beta2, weightDecay],

    // lr · (m / c₁) / (√(v / c₂) + ε) = (lr · √c₂ / c₁) · m / (√v + ε · √c₂): both corrections become numbers of the
    // host, which saves two passes over every parameter.
    varying({ beta1, beta2, eps, weightDecay }, lr, t) {
      const root = Math.sqrt(1 - beta2 ** t);
      return [(lr * root) / (1 - beta1 ** t), eps * root, 1 - lr * weightDecay];
    },

    update({ hyper, value, grad, slots, constants, varying }) {
      const [mean, square, largest] = slots as [tf.Tensor, tf.Tensor, tf.Tensor?];
      const [rest1, beta2, rest2, decay] = constants as [tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar];
      const [rate, eps, shrink] = varying as [tf.Scalar, tf.Scalar, tf.Scalar];
      const decays = hyper.weightDecay > 0;
      const g = decays && !decoupled ? tf.add(grad, tf.mul(value, decay)) : grad;
      const m = tf.add(mean, tf.mul(tf.sub(g, mean), rest1));
      const v = tf.add(tf.mul(square, beta2), tf.mul(tf.square(g), rest2));
      const bound = largest ? tf.maximum(largest, v) : v;
      const change = tf.mul(tf.div(m, tf.add(tf.sqrt(bound), eps)), rate);
      const kept = decays && decoupled ? tf.mul(value, shrink) : value;
      return { value: tf.sub(kept, change), slots: largest ? [m, v, bound] : [m, v] };
    },
  };
}

const plainRule = adamRule('adam', false, 0);
const decoupledRule = adamRule('adamW', true, 1e-2);

/**
 * Adam (Kingma and Ba, 2015, algorithm 1), as `torch.optim.Adam`: `lr` 10⁻³, betas 0.9 and 0.999, ε 10⁻⁸ by default;
 * `weightDecay` is an L2 penalty on the gradient.
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return new RuleOptimizer(plainRule, options);
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as `torch.optim.AdamW`: as `adam`, but each update
 * also shrinks the weight by lr · weightDecay, 0.01 by default.
 */
export function adamW(options: AdamOptions = {}): Optimizer {
  return new RuleOptimizer(decoupledRule, options);
}
