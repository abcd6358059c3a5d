import { checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { checkGroups } from '../objectives';

/** Pairs of a picture and a text. */
export interface ClipBatch {
  /** `[n, height, width, 3]`, mean and deviation of the preprocessing taken off. */
  readonly pixels: tf.Tensor4D;
  /** int32 `[n, context]`; text i belongs to picture i. */
  readonly tokens: tf.Tensor2D;
  /** int32 `[n]`: pairs of equal numbers are positives of each other. Default: those with the same tokens. */
  readonly groups?: tf.Tensor1D;
}

/** Demands as many texts as pictures, and a group for each pair if there are any. */
export function checkBatch(fn: string, batch: ClipBatch): void {
  const isRecord = batch?.pixels instanceof tf.Tensor && batch.tokens instanceof tf.Tensor;
  checkArgument(isRecord, fn, 'batch', 'a record with tensors `pixels` and `tokens`', batch);
  const { pixels, tokens, groups } = batch;
  const isBatch = pixels.rank === 4 && pixels.shape[0] > 0;
  checkArgument(isBatch, fn, 'batch.pixels', '[n, height, width, 3] with n > 0', pixels.shape);
  const n = pixels.shape[0];
  const fits = tokens.rank === 2 && tokens.shape[0] === n;
  checkArgument(
    fits,
    fn,
    'batch.tokens',
    `[${n}, context], a text for each of the ${n} pictures`,
    tokens.shape,
  );
  if (groups) checkGroups(fn, 'batch.groups', groups, n);
}
