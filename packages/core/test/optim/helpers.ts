import { type HostValues, type Optimizer, type StateDict, setHostInputRecorder } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { type Parameter, parameter } from '../../src/nn/leaf';

export type Values = Record<string, number[]>;

/** Parameters by name from plain numbers. */
export function parametersOf(shapes: Record<string, number[]>, values: Values): Record<string, Parameter> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, parameter(tf.tensor(values[name]!, shape))]),
  );
}

/** One update with gradients from plain numbers. */
export function stepWith(optimizer: Optimizer, parameters: Record<string, Parameter>, grads: Values): void {
  tf.tidy(() => {
    const tensors = Object.entries(grads).map(([name, values]) => [
      name,
      tf.tensor(values, parameters[name]!.shape),
    ]);
    optimizer.step(parameters, Object.fromEntries(tensors));
  });
}

export function valuesOf(parameters: Record<string, tf.Tensor>): Values {
  return Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, [...p.dataSync()]]));
}

/** Fixed gradients, different for every step, parameter and entry. */
export function gradientsAt(step: number, shapes: Record<string, number[]>): Values {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], k) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, Array.from({ length: size }, (_, i) => Math.sin(1.3 * step + 0.7 * i + 2.1 * k + 0.4))];
    }),
  );
}

/** The host inputs of `body` in order: how to make each again, and the values that it had. */
export function recordInputs(body: () => void): { make: () => HostValues; values: number[] }[] {
  const inputs: { make: () => HostValues; values: number[] }[] = [];
  const before = setHostInputRecorder((make, shape, dtype) => {
    const values = make();
    inputs.push({ make, values: [...values] });
    return tf.tensor(values, [...shape], dtype);
  });
  try {
    body();
  } finally {
    setHostInputRecorder(before);
  }
  return inputs;
}

/** A state dict as comparable data. */
export function plain(state: StateDict): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(state)
      .map(([key, { dtype, shape, bytes }]) => [key, `${dtype} [${shape}] ${[...bytes]}`] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
