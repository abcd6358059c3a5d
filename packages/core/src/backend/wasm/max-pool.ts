import * as tf from '@tensorflow/tfjs-core';
import type { Correction } from './correction';
import { heap, start } from './heap';

// tfjs's own search for maxima starts at 0, and finds none in a window where all is negative. MaxPool itself is
// XNNPACK's and right. Where several elements are equal, the first one counts.

/** MaxPoolGrad: each output's gradient goes to the maximum of its window. */
export const maxPoolGrad: Correction = {
  kernel: tf.MaxPoolGrad,
  correct: () => (args) => {
    const { backend, attrs } = args;
    const { dy, input } = args.inputs as { dy: tf.Tensor; input: tf.Tensor4D };
    const dx = backend.makeOutput(input.shape, 'float32');
    const memory = heap(backend);
    const to = start(backend, dx);
    memory.fill(0, to, to + input.size);
    let g = start(backend, dy);
    eachMaximum(memory, start(backend, input), poolInfo(input.shape, attrs), (at) => {
      if (at >= 0) memory[to + at]! += memory[g]!;
      g++;
    });
    return dx;
  },
};

/** MaxPoolWithArgmax: the maxima and where they are, as flat indices into one image or into the batch. */
export const maxPoolWithArgmax: Correction = {
  kernel: tf.MaxPoolWithArgmax,
  correct: (original) => (args) => {
    const { backend, attrs } = args;
    const { x } = args.inputs as { x: tf.Tensor4D };
    if (x.dtype !== 'float32') return original(args);
    const info = poolInfo(x.shape, attrs);
    const maxima = backend.makeOutput(info.outShape, 'float32');
    const places = backend.makeOutput(info.outShape, 'int32');
    const memory = heap(backend);
    const from = start(backend, x);
    let to = start(backend, maxima);
    const indices = backend.typedArrayFromHeap(places);
    const image = x.size / x.shape[0];
    let i = 0;
    eachMaximum(memory, from, info, (at) => {
      memory[to++] = memory[from + at]!;
      indices[i++] = attrs.includeBatchInIndex ? at : at % image;
    });
    return [maxima, places];
  },
};

interface PoolAttrs {
  filterSize: number | [number, number];
  strides: number | [number, number];
  pad: 'valid' | 'same' | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

function poolInfo(shape: [number, number, number, number], attrs: PoolAttrs): tf.backend_util.Conv2DInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  return tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
}

/** Calls `found` with the flat index of each window's maximum, −1 for an empty window, in the order of the outputs. */
function eachMaximum(
  memory: Float32Array,
  from: number,
  info: tf.backend_util.Conv2DInfo,
  found: (at: number) => void,
): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels: channels } = info;
  for (let b = 0; b < batchSize; b++) {
    for (let i = 0; i < outHeight; i++) {
      const top = i * info.strideHeight - info.padInfo.top;
      const y0 = Math.max(0, top);
      const y1 = Math.min(inHeight, top + info.filterHeight);
      for (let j = 0; j < outWidth; j++) {
        const left = j * info.strideWidth - info.padInfo.left;
        const x0 = Math.max(0, left);
        const x1 = Math.min(inWidth, left + info.filterWidth);
        for (let c = 0; c < channels; c++) {
          let best = -1;
          let max = Number.NEGATIVE_INFINITY;
          for (let y = y0; y < y1; y++) {
            for (let k = x0; k < x1; k++) {
              const at = ((b * inHeight + y) * inWidth + k) * channels + c;
              const value = memory[from + at]!;
              if (value > max || best < 0) {
                max = value;
                best = at;
              }
            }
          }
          found(best);
        }
      }
    }
  }
}
