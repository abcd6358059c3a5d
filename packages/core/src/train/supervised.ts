import * as tf from '@tensorflow/tfjs-core';
import type { Stateful } from '../checkpoint';
import { checkArgument } from '../errors';
import type { Module } from '../nn/module';
import { accumulate, type Optimizer, valueAndGrad } from '../optim';
import type { Key } from '../random';
import type { TrainStep } from './step';

/** The loss alone, or the loss with other scalars that are worth telling in the events. */
export type LossValue = tf.Scalar | ({ loss: tf.Scalar } & Record<string, tf.Scalar>);

export interface SupervisedOptions {
  /** Batches whose gradients are averaged for one update; each of them counts as a step. Default 1. */
  accumulate?: number;
  /** More to save and to restore with the model, for example an average of its weights. */
  state?: Record<string, Stateful>;
}

/**
 * The step for one model and one loss:
 * `supervised(model, (model, { x, y }) => crossEntropy(model.forward(x), y), adam({ lr: 1e-3 }))`.
 *
 * Frozen parameters are left alone. The events carry `loss`, and by name what else the function returns.
 * @param loss Pure but for running statistics; `key` is the randomness of this step (dropout).
 */
export function supervised<M extends Module, Batch>(
  model: M,
  loss: (model: M, batch: Batch, key: Key) => LossValue,
  optimizer: Optimizer,
  options: SupervisedOptions = {},
): TrainStep<Batch> {
  const { accumulate: every = 1, state = {} } = options;
  checkArgument(
    Number.isInteger(every) && every >= 1,
    'supervised',
    'options.accumulate',
    'an integer ≥ 1',
    every,
  );
  const updates = every === 1 ? optimizer : accumulate(optimizer, every);
  return {
    state: { model, optimizer: updates, ...state },
    run(batch, key) {
      const parameters = model.trainableParameters();
      const { value, grads } = valueAndGrad<LossValue>(() => loss(model, batch, key), parameters);
      updates.step(parameters, grads);
      return value instanceof tf.Tensor ? { loss: value } : { ...value };
    },
  };
}
