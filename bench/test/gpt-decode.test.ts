import '@poiesis/backend-onnx';
import { hostIntegers, randomKey, useBackend } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { GPT, gpt2 } from '../src/models/gpt';
import { Decoder } from '../src/models/gpt-decode';

describe('a decoder', () => {
  beforeAll(() => useBackend('onnx'));
  const config = { ...gpt2, vocabSize: 50, blockSize: 256, layers: 2, heads: 2, dim: 32 };
  const tokens = hostIntegers(randomKey(1), 80, { max: config.vocabSize });

  /** Scores for the token after all of `ids`, without a cache. */
  function uncached(model: GPT, ids: Int32Array): ArrayLike<number> {
    return tf.tidy(() => {
      const logits = model.forward(tf.tensor2d(ids, [1, ids.length], 'int32')); // (1, T, V)
      return tf.slice(logits, [0, ids.length - 1, 0]).dataSync<'float32'>();
    });
  }

  const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));

  it('gives the scores that the whole sequence gives', async () => {
    const model = new GPT(config, { key: randomKey(2) });
    const decoder = new Decoder(model, { length: 128 });
    for (const [from, to] of [
      [0, 70],
      ...Array.from({ length: 10 }, (_, i) => [70 + i, 71 + i] as const),
    ] as const) {
      const scores = await decoder.append(tokens.subarray(from, to));
      expect(largest(scores, uncached(model, tokens.subarray(0, to)))).toBeLessThan(1e-5);
    }
    // Back to an earlier token: what was written after it does not matter.
    decoder.position = 75;
    const again = await decoder.append(tokens.subarray(75, 76));
    expect(largest(again, uncached(model, tokens.subarray(0, 76)))).toBeLessThan(1e-5);
    expect(decoder.position).toBe(76);
    await expect(decoder.append(new Int32Array(60))).rejects.toThrow(RangeError);
    decoder.dispose();
    model.dispose();
  });

  it('compiles nothing more however many tokens there are', async () => {
    const model = new GPT(config, { key: randomKey(2) });
    const decoder = new Decoder(model, { length: 128 });
    await decoder.append(tokens.subarray(0, 3));
    for (let i = 3; i < 6; i++) await decoder.append(tokens.subarray(i, i + 1));
    const { statistics } = (tf.backend() as import('@poiesis/backend-onnx').OnnxBackend).programs;
    const before = statistics.compiled;
    for (let i = 6; i < 80; i++) await decoder.append(tokens.subarray(i, i + 1));
    expect(statistics.compiled).toBe(before);
    decoder.dispose();
    model.dispose();
  });
});
