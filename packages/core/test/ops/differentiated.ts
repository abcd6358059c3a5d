import { hashed, hashedValues, tensorOf } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** An input that fixtures/differentiated.py describes instead of listing it. */
export interface Spec {
  shape: number[];
  seed: number;
  scale: number;
  offset: number;
}

export type FixtureTensor = Parameters<typeof tensorOf>[0];

/** What fixtures/differentiated.py records of a function. */
export interface Case<Options = object> {
  name: string;
  inputs: Record<string, Spec>;
  options: Options;
  y: FixtureTensor;
  grads: Record<string, FixtureTensor>;
  second?: Record<string, FixtureTensor>;
}

type Inputs = Record<string, tf.Tensor>;

export function given({ shape, seed, scale, offset }: Spec): tf.Tensor {
  const values = hashedValues(shape, seed).map((v) => offset + scale * v);
  return tf.tensor(values, shape);
}

export function givenAll(specs: Record<string, Spec>): Inputs {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, given(spec)]));
}

/** Value, gradients, and gradients of the squared gradients, each against PyTorch's. */
export function expectAsPyTorch(c: Case, f: (inputs: Inputs) => tf.Tensor): void {
  const inputs = givenAll(c.inputs);
  const names = Object.keys(inputs);
  const xs = Object.values(inputs);
  const named = (values: tf.Tensor[]): Inputs =>
    Object.fromEntries(names.map((name, i) => [name, values[i]!]));

  expect(f(inputs)).toBeAllClose(tensorOf(c.y), 1e-5);

  const loss = (...values: tf.Tensor[]): tf.Scalar => {
    const y = f(named(values));
    return tf.sum(tf.mul(y, hashed(y.shape, 99)));
  };
  const grads = tf.grads(loss)(xs);
  names.forEach((name, i) => {
    expect(grads[i]!, `gradient of ${name}`).toBeAllClose(tensorOf(c.grads[name]!), 1e-4);
  });

  const expected = Object.entries(c.second ?? {});
  if (expected.length === 0) return;
  const at = expected.map(([name]) => names.indexOf(name));
  const penalty = (...values: tf.Tensor[]): tf.Scalar => {
    const all = xs.map((x, i) => (at.includes(i) ? values[at.indexOf(i)]! : x));
    return tf.addN(
      tf
        .grads(loss)(all)
        .map((g) => tf.sum(tf.square(g))),
    ) as tf.Scalar;
  };
  const second = tf.grads(penalty)(at.map((i) => xs[i]!));
  expected.forEach(([name, tensor], i) => {
    expect(second[i]!, `second gradient of ${name}`).toBeAllClose(tensorOf(tensor), 1e-4);
  });
}
