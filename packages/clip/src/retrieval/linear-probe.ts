import { checkArgument } from '@poiesis/core';
import { type HostVectors, hostVectors, type Vectors } from '../embedding-index';
import { lbfgs } from './lbfgs';

export interface LinearProbeOptions {
  /** Number of classes. Default: one more than the largest label. */
  classes?: number;
  /**
   * Strength of the penalty `l2 / 2 · ‖weight‖²` beside the sum of the cross-entropies: 1 / C of scikit-learn's
   * `LogisticRegression`. Default 1. The bias is not penalized.
   */
  l2?: number;
  /** Default 1000, as in the CLIP paper. */
  maxIterations?: number;
  /** Stops where the largest entry of the gradient, over the number of rows, is below. Default 1e-7. */
  tolerance?: number;
  /** A probe to start from. */
  from?: LinearProbe;
}

/** Multinomial logistic regression on fixed features. */
export class LinearProbe {
  constructor(
    /** `[classes, dim]` */
    readonly weight: Float64Array,
    /** `[classes]` */
    readonly bias: Float64Array,
    readonly l2: number,
    /** Sum of the cross-entropies plus penalty, where the fit ended. */
    readonly loss: number,
    readonly iterations: number,
    readonly converged: boolean,
  ) {}

  get classes(): number {
    return this.bias.length;
  }

  get dim(): number {
    return this.weight.length / this.classes;
  }

  /** `[n, classes]`, one row after the other. */
  async logits(features: Vectors): Promise<Float64Array> {
    const read = await hostVectors('LinearProbe.logits', 'features', features, this.dim);
    const out = new Float64Array(read.count * this.classes);
    for (let i = 0; i < read.count; i++) rowLogits(read, i, this.weight, this.bias, out, i * this.classes);
    return out;
  }

  /** The best class of each row; of equal ones the first. */
  async predict(features: Vectors): Promise<Int32Array> {
    const logits = await this.logits(features);
    const { classes } = this;
    return Int32Array.from({ length: logits.length / classes }, (_, i) => {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      return row.indexOf(Math.max(...row));
    });
  }

  /** Share of rows whose best class is their label. */
  async accuracy(features: Vectors, labels: ArrayLike<number>): Promise<number> {
    const predicted = await this.predict(features);
    const { length } = predicted;
    const fits = labels.length === length && length > 0;
    checkArgument(fits, 'LinearProbe.accuracy', 'labels', `${length} labels, one per row`, labels.length);
    return predicted.reduce((hits, label, i) => hits + Number(label === labels[i]), 0) / length;
  }
}

/**
 * Fits a linear probe by L-BFGS, in doubles on the host: the same bits everywhere. Features are taken as they are.
 * @param features `[n, dim]`; tensors stay the caller's
 * @param labels a whole number from 0 for each row
 */
export async function fitLinearProbe(
  features: Vectors,
  labels: ArrayLike<number>,
  { classes, l2 = 1, maxIterations = 1000, tolerance = 1e-7, from }: LinearProbeOptions = {},
): Promise<LinearProbe> {
  const fn = 'fitLinearProbe';
  const read = await hostVectors(fn, 'features', features);
  const { count, dim } = read;
  const number = classes ?? classesOf(labels);
  checkArgument(
    count > 0 && labels.length === count,
    fn,
    'labels',
    `${count} labels, one per row`,
    labels.length,
  );
  for (let i = 0; i < count; i++) {
    const label = labels[i]!;
    const fine = Number.isInteger(label) && label >= 0 && label < number;
    checkArgument(fine, fn, `labels[${i}]`, `a whole number below ${number}`, label);
  }
  checkArgument(number >= 2, fn, 'options.classes', 'at least 2', number);
  checkArgument(l2 > 0 && Number.isFinite(l2), fn, 'options.l2', 'a positive number', l2);
  const size = number * dim;
  const point = new Float64Array(size + number);
  if (from) {
    checkArgument(
      from.weight.length === size,
      fn,
      'options.from',
      `${number} × ${dim} weights`,
      from.weight.length,
    );
    point.set(from.weight);
    point.set(from.bias, size);
  }
  const { value, iterations, converged } = await lbfgs(
    (at, gradient) => crossEntropies(read, labels, at, gradient, number, l2),
    point,
    {
      maxIterations,
      tolerance: tolerance * count,
      pause: () => new Promise((resolve) => setTimeout(resolve)),
    },
  );
  return new LinearProbe(point.slice(0, size), point.slice(size), l2, value, iterations, converged);
}

/** One more than the largest label. */
export function classesOf(labels: ArrayLike<number>): number {
  return 1 + Array.from(labels).reduce((most, label) => Math.max(most, label), 0);
}

/** Sum over the rows of −log softmax(W x + b)[label], plus l2 / 2 · ‖W‖². */
function crossEntropies(
  read: HostVectors,
  labels: ArrayLike<number>,
  point: Float64Array,
  gradient: Float64Array,
  classes: number,
  l2: number,
): number {
  const { data, count, dim } = read;
  const size = classes * dim;
  const [weight, bias] = [point.subarray(0, size), point.subarray(size)];
  const logits = new Float64Array(classes);
  let loss = 0;
  gradient.fill(0);
  for (let i = 0; i < count; i++) {
    rowLogits(read, i, weight, bias, logits, 0);
    const most = logits.reduce((a, b) => Math.max(a, b));
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(logits[c]! - most);
    loss += most + Math.log(sum) - logits[labels[i]!]!;
    for (let c = 0; c < classes; c++) {
      const error = Math.exp(logits[c]! - most) / sum - Number(c === labels[i]);
      gradient[size + c] = gradient[size + c]! + error;
      for (let j = 0, w = c * dim, x = i * dim; j < dim; j++, w++, x++) {
        gradient[w] = gradient[w]! + error * data[x]!;
      }
    }
  }
  for (let w = 0; w < size; w++) {
    loss += 0.5 * l2 * weight[w]! * weight[w]!;
    gradient[w] = gradient[w]! + l2 * weight[w]!;
  }
  return loss;
}

function rowLogits(
  { data, dim }: HostVectors,
  row: number,
  weight: Float64Array,
  bias: Float64Array,
  out: Float64Array,
  at: number,
): void {
  for (let c = 0; c < bias.length; c++) {
    let sum = bias[c]!;
    for (let j = 0, w = c * dim, x = row * dim; j < dim; j++, w++, x++) sum += weight[w]! * data[x]!;
    out[at + c] = sum;
  }
}
