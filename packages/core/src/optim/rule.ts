import type * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';

/**
 * The arithmetic of one optimizer for one parameter: everything that makes Adam Adam. Names, groups, counting and
 * saving are the same for all and live in `RuleOptimizer`.
 */
export interface Rule<Hyper extends object> {
  /** For error messages: `'adam'`. */
  readonly name: string;
  readonly defaults: Hyper & { lr: number };
  /** Names of every state tensor that any options may call for. */
  readonly slots: readonly string[];
  /** Throws an `ArgumentError` for options out of range. */
  check(hyper: Hyper): void;
  /** Throws an `ArgumentError` for a parameter that the rule cannot update. Nothing has been changed then. */
  checkParameter?(name: string, shape: readonly number[], hyper: Hyper): void;
  /** The state tensors that these options call for, each of the parameter's shape, zero at first. */
  slotsFor(hyper: Hyper): readonly string[];
  /** Numbers that stay the same. They reach `update` as scalar tensors, made once for all parameters. */
  constants(hyper: Hyper): readonly number[];
  /**
   * Numbers that change from update to update, at least one; in double precision.
   * @param lr learning rate of this update.
   * @param t number of this update of the parameter, from 1.
   */
  varying(hyper: Hyper, lr: number, t: number): readonly number[];
  /** The parameter and its state after the update. Called inside a tidy. */
  update(now: RuleInputs<Hyper>): { value: tf.Tensor; slots: readonly tf.Tensor[] };
}

export interface RuleInputs<Hyper> {
  readonly hyper: Hyper;
  readonly value: tf.Tensor;
  readonly grad: tf.Tensor;
  /** In the order of `slotsFor`. */
  readonly slots: readonly tf.Tensor[];
  /** In the order of `constants`. */
  readonly constants: readonly tf.Scalar[];
  /** In the order of `varying`. */
  readonly varying: readonly tf.Scalar[];
}

export function checkNonNegative(fn: string, options: Record<string, number>): void {
  for (const [name, value] of Object.entries(options)) {
    checkArgument(Number.isFinite(value) && value >= 0, fn, `options.${name}`, 'a number ≥ 0', value);
  }
}

export function checkShare(fn: string, options: Record<string, number>): void {
  for (const [name, value] of Object.entries(options)) {
    checkArgument(value >= 0 && value < 1, fn, `options.${name}`, 'a number in [0, 1)', value);
  }
}
