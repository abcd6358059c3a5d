import * as tf from '@tensorflow/tfjs-core';
import { type KernelCase, makeInput } from './cases';

/** What running a case showed. */
export type Outcome = 'right' | 'wrong' | 'missing' | 'not applicable';

export interface CaseResult {
  forward: Outcome;
  gradient: Outcome;
  /** Gradient of the gradient. */
  second: Outcome;
  /** First thing that went wrong, for people. */
  note?: string;
}

type Values = { shape: number[]; values: Float32Array }[];

/** The case's results on the current backend, on the host. */
export function forwardValues(c: KernelCase): Values {
  return tf.tidy(() => {
    const result = c.run(...c.inputs.map(makeInput));
    return (Array.isArray(result) ? result : [result]).map((t) => ({
      shape: t.shape,
      values: Float32Array.from(t.dataSync()),
    }));
  });
}

/**
 * Runs a case on the current backend: its values against `reference` (the same from tfjs cpu), its gradients against
 * finite differences of the values, its second gradients against finite differences of the first.
 */
export function checkCase(c: KernelCase, reference: Values): CaseResult {
  const result: CaseResult = { forward: 'right', gradient: 'not applicable', second: 'not applicable' };
  const attempt = (part: 'forward' | 'gradient' | 'second', body: () => string | null): boolean => {
    try {
      const problem = tf.tidy(body as () => never) as string | null;
      result[part] = problem === null ? 'right' : 'wrong';
      if (problem !== null) result.note ??= `${part}: ${problem}`;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      result[part] = /gradient function not found|not found for backend|not registered/.test(message)
        ? 'missing'
        : 'wrong';
      result.note ??= `${part}: ${message.split('\n')[0]}`;
      // tfjs leaves its tape open where a gradient throws.
      while (tf.engine().state.gradientDepth > 0) tf.engine().endScope();
    }
    return result[part] === 'right';
  };

  attempt('forward', () => compare(forwardValues(c), reference, 1e-4));
  if (c.differentiable === false || c.inputs.length === 0) return result;
  const inputs = c.inputs.map(makeInput);
  try {
    const loss = (...xs: tf.Tensor[]) => weighted(c.run(...xs), 0.3);
    if (!attempt('gradient', () => compareGradients(loss, inputs))) return result;
    const slope = (...xs: tf.Tensor[]) => weighted(gradientsOf(loss, xs), 1.1);
    attempt('second', () => compareGradients(slope, inputs));
  } finally {
    tf.dispose(inputs);
  }
  return result;
}

/** A scalar in which every element counts differently. */
function weighted(result: tf.Tensor | tf.Tensor[], phase: number): tf.Scalar {
  const parts = (Array.isArray(result) ? result : [result]).map((y, k) => {
    const weights = Float32Array.from({ length: y.size }, (_, i) => Math.sin(1.7 * i + phase + k));
    return tf.sum(tf.mul(tf.cast(y, 'float32'), tf.tensor(weights, y.shape)));
  });
  return tf.addN(parts) as tf.Scalar;
}

function compareGradients(loss: (...xs: tf.Tensor[]) => tf.Scalar, inputs: tf.Tensor[]): string | null {
  const gradients = gradientsOf(loss, inputs);
  const step = 5e-3;
  for (const [k, x] of inputs.entries()) {
    const values = Float32Array.from(x.dataSync());
    const numeric = values.map((_, i) => {
      const at = (delta: number) =>
        tf.tidy(() => {
          const moved = values.slice();
          moved[i] = moved[i]! + delta;
          return loss(...inputs.map((y, j) => (j === k ? tf.tensor(moved, x.shape) : y))).dataSync()[0]!;
        });
      return (at(step) - at(-step)) / (2 * step);
    });
    const actual = [{ shape: gradients[k]!.shape, values: Float32Array.from(gradients[k]!.dataSync()) }];
    const problem = compare(actual, [{ shape: x.shape, values: numeric }], 2e-2);
    if (problem) return `input ${k}: ${problem}`;
  }
  return null;
}

/** As tf.grads; where the loss does not depend on an input, or is constant, the gradient is 0 and no error. */
function gradientsOf(loss: (...xs: tf.Tensor[]) => tf.Scalar, inputs: tf.Tensor[]): tf.Tensor[] {
  const { grads } = tf.engine().gradients(() => loss(...inputs), inputs, undefined, true);
  return inputs.map((x, i) => (grads as (tf.Tensor | undefined)[])[i] ?? tf.zerosLike(x));
}

function compare(actual: Values, expected: Values, tolerance: number): string | null {
  if (actual.length !== expected.length) return `${actual.length} results, expected ${expected.length}`;
  for (const [k, { shape, values }] of expected.entries()) {
    const got = actual[k]!;
    if (got.shape.join() !== shape.join()) return `shape [${got.shape}], expected [${shape}]`;
    let scale = 0.1;
    for (const v of values) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
    for (let i = 0; i < values.length; i++) {
      const [a, e] = [got.values[i]!, values[i]!];
      const equal = a === e || (Number.isNaN(a) && Number.isNaN(e)) || Math.abs(a - e) <= tolerance * scale;
      if (!equal) return `element ${i} is ${a}, expected ${e}`;
    }
  }
  return null;
}
