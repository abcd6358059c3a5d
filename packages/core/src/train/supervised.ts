import * as tf from '@tensorflow/tfjs-core';
import type { Stateful } from '../checkpoint';
import { checkArgument } from '../errors';
import type { Module } from '../nn/module';
import { accumulate, type Ema, type EmaOptions, ema, type Optimizer, valueAndGrad } from '../optim';
import type { Key } from '../random';
import type { TrainStep } from './step';

/** The loss alone, or the loss with other scalars that are worth telling in the events. */
export type LossValue = tf.Scalar | ({ loss: tf.Scalar } & Record<string, tf.Scalar>);

export interface SupervisedOptions {
  /** Batches whose gradients are averaged for one update; each of them counts as a step. Default 1. */
  accumulate?: number;
  /** Keeps an average of the weights beside them: `true`, or its options. Default: none. */
  ema?: boolean | EmaOptions;
  /** More to save and to restore with the model. */
  state?: Record<string, Stateful>;
}

export interface SupervisedStep<Batch> extends TrainStep<Batch> {
  /** The average of the weights, where one is kept: `step.ema.apply(() => evaluate(model))`. */
  readonly ema: Ema | undefined;
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
): SupervisedStep<Batch> {
  const { accumulate: every = 1, ema: average = false, state = {} } = options;
  checkArgument(
    Number.isInteger(every) && every >= 1,
    'supervised',
    'options.accumulate',
    'an integer ≥ 1',
    every,
  );
  const averages = average ? ema(model, average === true ? {} : average) : undefined;
  const averaged = averages ? followedBy(optimizer, () => averages.update()) : optimizer;
  const updates = every === 1 ? averaged : accumulate(averaged, every);
  return {
    ema: averages,
    state: { model, optimizer: updates, ...(averages && { ema: averages }), ...state },
    run(batch, key) {
      const parameters = model.trainableParameters();
      const { value, grads } = valueAndGrad<LossValue>(() => loss(model, batch, key), parameters);
      updates.step(parameters, grads);
      return value instanceof tf.Tensor ? { loss: value } : { ...value };
    },
  };
}

/** An optimizer that does something after each of its updates: of `accumulate`'s calls, not after each. */
function followedBy(optimizer: Optimizer, then: () => void): Optimizer {
  return {
    step(parameters, grads) {
      optimizer.step(parameters, grads);
      then();
    },
    get count() {
      return optimizer.count;
    },
    learningRate: () => optimizer.learningRate(),
    stateDict: () => optimizer.stateDict(),
    loadStateDict: (state, options) => optimizer.loadStateDict(state, options),
    dispose: () => optimizer.dispose(),
  };
}
