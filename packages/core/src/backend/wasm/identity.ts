import * as tf from '@tensorflow/tfjs-core';
import type { Correction } from './correction';

/**
 * Identity without a copy. Every value that a gradient needs is cloned on its way to the tape, and tfjs's own copies
 * the data each time. Tensors are immutable, so that two of them may share it, as they do after a reshape.
 */
export const identity: Correction = {
  kernel: tf.Identity,
  correct: () => (args) => {
    const { x } = args.inputs as { x: tf.Tensor };
    args.backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  },
};
