import { checkArgument, hostValues } from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';

export interface ContrastiveOptions {
  /**
   * int32 `[n]`: pairs of equal numbers are positives of each other, as pictures with the same caption are (see
   * `captionGroups`). Default: every pair is a group of its own.
   */
  groups?: tf.Tensor1D | null | undefined;
  /** Added to every logit, as SigLIP learns it. Softmax does not see it. Default: none. */
  logitBias?: tf.Tensor | null | undefined;
}

/**
 * What a contrastive model minimizes, as a function of the features of n pairs.
 *
 * Both features are `[n, d]` with rows of length 1 (`l2Normalize`): cosines are what the temperature is for. On
 * features as they leave a tower, training starts at a loss of dozens and learns to shrink them. Where the values can be
 * seen at no cost (cpu, wasm), a row of another length is an `ArgumentError`.
 */
export interface ContrastiveObjective {
  /**
   * @param image `[n, d]`, row i belongs to row i of `text`. @param text `[n, d]`.
   * @param logitScale the inverse of the temperature, a scalar: `exp` of the parameter.
   * @returns a scalar. The caller owns it.
   */
  (image: tf.Tensor2D, text: tf.Tensor2D, logitScale: tf.Tensor, options?: ContrastiveOptions): tf.Scalar;
  /** The loss of features that tell nothing of each other, the best that a model can do that ignores its input. */
  readonly chance?: (n: number, groups?: tf.Tensor1D | null) => tf.Scalar;
}

/** How far a squared length may be from 1: float32 and half-precision features pass, forgotten normalization does not. */
const LENGTH_TOLERANCE = 0.02;

/** Demands what all objectives demand. */
export function checkContrast(
  fn: string,
  image: tf.Tensor2D,
  text: tf.Tensor2D,
  logitScale: tf.Tensor,
  { groups, logitBias }: ContrastiveOptions,
): void {
  checkArgument(image.rank === 2 && image.shape[0] > 0, fn, 'image', '[n, d] with n > 0', image.shape);
  const [n, d] = image.shape;
  const sameShape = text.rank === 2 && text.shape[0] === n && text.shape[1] === d;
  checkArgument(
    sameShape,
    fn,
    'text',
    `[${n}, ${d}], one row for each of the ${n} rows of image`,
    text.shape,
  );
  checkNormalized(fn, 'image', image);
  checkNormalized(fn, 'text', text);
  checkScalar(fn, 'logitScale', logitScale);
  const scale = hostValues(logitScale)?.[0];
  const isFine = scale === undefined || (Number.isFinite(scale) && scale > 0);
  checkArgument(isFine, fn, 'logitScale', 'a finite number > 0', scale);
  if (logitBias) {
    checkScalar(fn, 'options.logitBias', logitBias);
    const bias = hostValues(logitBias)?.[0];
    checkArgument(
      bias === undefined || Number.isFinite(bias),
      fn,
      'options.logitBias',
      'a finite number',
      bias,
    );
  }
  if (groups) checkGroups(fn, 'options.groups', groups, n);
}

export function checkGroups(fn: string, argument: string, groups: tf.Tensor, n: number): void {
  const fits = groups.dtype === 'int32' && groups.rank === 1 && groups.shape[0] === n;
  checkArgument(
    fits,
    fn,
    argument,
    `int32 [${n}], one number for each pair`,
    `${groups.dtype} [${groups.shape.join(', ')}]`,
  );
}

function checkScalar(fn: string, argument: string, x: tf.Tensor): void {
  checkArgument(x.size === 1, fn, argument, 'a scalar', x.shape);
}

function checkNormalized(fn: string, argument: string, features: tf.Tensor2D): void {
  const values = hostValues(features);
  if (!values) return;
  const [n, d] = features.shape;
  for (let row = 0; row < n; row++) {
    let square = 0;
    for (let i = row * d; i < (row + 1) * d; i++) square += values[i]! ** 2;
    // NaN passes: it comes out as the loss, with the step and the batch that made it.
    if (Math.abs(square - 1) <= LENGTH_TOLERANCE || Number.isNaN(square)) continue;
    const expected = 'a row of length 1 (l2Normalize)';
    checkArgument(false, fn, `${argument}[${row}]`, expected, `length ${Math.sqrt(square).toPrecision(4)}`);
  }
}
