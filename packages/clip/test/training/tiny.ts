import { type Key, type Optimizer, randomKey, sgd } from '@poiesis/core';
import { hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { type ClipBatch, type ClipConfig, ClipModel } from '../../src';

/** The smallest model with everything in it. Token 11 ends a text. */
export const tiny: ClipConfig = {
  embedDim: 6,
  image: { imageSize: 8, patchSize: 4, dim: 8, layers: 1, heads: 2 },
  text: { vocabSize: 12, contextLength: 5, dim: 8, layers: 1, heads: 2 },
};

export function tinyModel({ patchDropout = 0, bias = false, seed = 1 } = {}): ClipModel {
  const { image, ...rest } = tiny;
  const config = { ...rest, image: { ...image, patchDropout }, ...(bias && { logitBiasInit: -4 }) };
  return new ClipModel(config, { seed });
}

/** Pictures and texts that come from the same numbers. With `captions` below n, some texts come twice. */
export function pairs(n: number, seed = 1, captions = n): ClipBatch {
  const rows = Array.from({ length: n }, (_, i) => {
    const text = i % captions;
    return [10, text % 7, Math.floor(text / 7) + (seed % 2), 11, 0];
  });
  return {
    pixels: hashed([n, 8, 8, 3], seed) as tf.Tensor4D,
    tokens: tf.tensor2d(rows, [n, 5], 'int32'),
  };
}

export function* batches(n: number): Generator<ClipBatch> {
  for (let i = 1; ; i++) yield pairs(n, i);
}

export const key: Key = randomKey(7);

/** An optimizer that changes nothing and tells the gradients that it got, on the host. */
export function recorder(): { optimizer: Optimizer; grads: Record<string, Float32Array> } {
  const inner = sgd({ lr: 0 });
  const grads: Record<string, Float32Array> = {};
  const optimizer: Optimizer = {
    get count() {
      return inner.count;
    },
    learningRate: () => 0,
    step(_, given) {
      for (const [name, grad] of Object.entries(given)) grads[name] = Float32Array.from(grad.dataSync());
    },
    stateDict: () => inner.stateDict(),
    loadStateDict: (state, options) => inner.loadStateDict(state, options),
    dispose: () => inner.dispose(),
  };
  return { optimizer, grads };
}
