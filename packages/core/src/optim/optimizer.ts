import type * as tf from '@tensorflow/tfjs-core';
import type { Stateful } from '../checkpoint';
import { checkArgument } from '../errors';
import type { Parameter } from '../nn/leaf';
import type { ClipOptions } from './clip';
import type { NameMatch } from './match';
import type { Schedule } from './schedules';

/** Turns gradients into updates. Its state is kept by parameter name, so one optimizer serves one model. */
export interface Optimizer extends Stateful {
  /**
   * One update, in place. Parameters that are frozen or have no gradient stay as they are, and so does their state.
   * @param parameters by name.
   * @param grads by the same names; not disposed.
   * @throws ArgumentError for no gradients at all, a gradient of an unknown name or of another shape; nothing has been
   *   changed then. StateDictError where a loaded state does not fit the parameters.
   */
  step(parameters: Record<string, Parameter>, grads: Record<string, tf.Tensor>): void;
  /** Updates done. */
  readonly count: number;
  /** The learning rate that the next update will use, outside of groups that have their own. */
  learningRate(): number;
  /** Frees the state. The next `step` would begin with a fresh one. */
  dispose(): void;
}

/** Parameters with options of their own. The first group that matches a parameter's name decides. */
export type ParameterGroup<Hyper> = Partial<Hyper> & {
  match: NameMatch;
  lr?: number | Schedule;
};

/** What all optimizers take beside their own numbers. */
export interface CommonOptions<Hyper> {
  /** Learning rate, or a function from the number of updates done to it. */
  lr?: number | Schedule;
  groups?: readonly ParameterGroup<Hyper>[];
  /** Limits the gradients of each update. */
  clip?: ClipOptions;
}

/** Demands a gradient of a known parameter's shape for every name. */
export function checkGradients(
  fn: string,
  parameters: Record<string, Parameter>,
  grads: Record<string, tf.Tensor>,
): void {
  const names = Object.keys(grads);
  checkArgument(names.length > 0, fn, 'grads', 'at least one gradient', names);
  for (const name of names) {
    checkArgument(Object.hasOwn(parameters, name), fn, 'grads', 'names of parameters', name);
    const expected = parameters[name]!.shape;
    const { shape, dtype } = grads[name]!;
    const fits = shape.length === expected.length && shape.every((size, i) => size === expected[i]);
    checkArgument(fits, fn, `grads[${JSON.stringify(name)}]`, `[${expected.join(', ')}]`, shape);
    checkArgument(dtype === 'float32', fn, `grads[${JSON.stringify(name)}]`, 'float32', dtype);
  }
}
