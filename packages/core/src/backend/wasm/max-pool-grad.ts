import * as tf from '@tensorflow/tfjs-core';
import type { Correction } from './correction';
import { heap, start } from './heap';

/**
 * MaxPoolGrad: each output's gradient goes to the first maximum of its window.
 *
 * tfjs's own starts its search at 0 and so finds no maximum where the whole window is negative.
 */
export const maxPoolGrad: Correction = {
  kernel: tf.MaxPoolGrad,
  correct: () => (args) => {
    const { backend, attrs } = args;
    const { dy, input } = args.inputs as { dy: tf.Tensor; input: tf.Tensor4D };
    const info = tf.backend_util.computePool2DInfo(
      input.shape,
      attrs.filterSize,
      attrs.strides,
      1,
      attrs.pad,
      attrs.dimRoundingMode,
    );
    const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels: channels } = info;
    const dx = backend.makeOutput(input.shape, input.dtype);
    const memory = heap(backend);
    const [x, to] = [start(backend, input), start(backend, dx)];
    let g = start(backend, dy);
    memory.fill(0, to, to + input.size);
    for (let b = 0; b < batchSize; b++) {
      for (let i = 0; i < outHeight; i++) {
        const top = i * info.strideHeight - info.padInfo.top;
        const y0 = Math.max(0, top);
        const y1 = Math.min(inHeight, top + info.filterHeight);
        for (let j = 0; j < outWidth; j++) {
          const left = j * info.strideWidth - info.padInfo.left;
          const x0 = Math.max(0, left);
          const x1 = Math.min(inWidth, left + info.filterWidth);
          for (let c = 0; c < channels; c++, g++) {
            let best = -1;
            let max = Number.NEGATIVE_INFINITY;
            for (let y = y0; y < y1; y++) {
              for (let k = x0; k < x1; k++) {
                const at = ((b * inHeight + y) * inWidth + k) * channels + c;
                const value = memory[x + at]!;
                if (value > max || best < 0) {
                  max = value;
                  best = at;
                }
              }
            }
            if (best >= 0) memory[to + best]! += memory[g]!;
          }
        }
      }
    }
    return dx;
  },
};
