// Weights on request: the same results, and who looks at whom.
import { randomKey } from '@poiesis/core';
import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  AlibiPositions,
  type AttentionWeights,
  preNorm,
  RotaryPositions,
  Transformer,
  type TransformerConfig,
  transformerDecoder,
  transformerEncoder,
} from '../../src';

const small = { dim: 8, heads: 2, layers: 2, hidden: 12, dropout: 0 } as const;
const [x, memory] = [hashed([2, 3, 8], 1), hashed([2, 5, 8], 2)];
const keyMask = tf.tensor2d([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], [2, 5], 'bool');

describe('stacks', () => {
  it('of an encoder give the weights of each layer, and the same output', () => {
    const encoder = transformerEncoder(small, { key: randomKey(1) });
    const { output, weights } = encoder.forward(memory, { keyMask, returnWeights: true });
    expect(output).toBeAllClose(encoder.forward(memory, { keyMask }), 0);
    expect(weights.map(({ shape }) => shape)).toEqual([
      [2, 2, 5, 5],
      [2, 2, 5, 5],
    ]);
    const first = encoder.layers[0]!.self_attn.forward(memory, { keyMask, returnWeights: true });
    expect(weights[0]).toBeAllClose(first.weights, 0);
  });

  it('of a decoder give those of both attentions', () => {
    const decoder = transformerDecoder(small, { key: randomKey(1) });
    const options = { memoryKeyMask: keyMask };
    const { output, weights } = decoder.forward(x, memory, { ...options, returnWeights: true });
    expect(output).toBeAllClose(decoder.forward(x, memory, options), 0);
    for (const { self, cross } of weights) {
      expect([self.shape, cross.shape]).toEqual([
        [2, 2, 3, 3],
        [2, 2, 3, 5],
      ]);
    }
    expect(weights).toHaveLength(2);
  });
});

const configs: Record<string, Partial<TransformerConfig>> = {
  'the default': {},
  'norms first': { residual: preNorm },
  'one key head': { kvHeads: 1 },
  rotary: { positions: () => new RotaryPositions() },
  ALiBi: { positions: ({ heads }) => new AlibiPositions(heads) },
};
const make = (more: Partial<TransformerConfig>) =>
  new Transformer({ sourceVocab: 7, targetVocab: 9, ...small, dropout: 0.1, ...more }, { seed: 1 });
const source = [
  [3, 4, 5, 6],
  [5, 3],
];
const target = [
  [1, 4, 8],
  [1, 7, 3],
];

describe.each(Object.entries(configs))('attention of a Transformer, %s', (_, more) => {
  const model = make(more).eval();
  const found = model.attention(source, target);

  it('is of every layer and head', () => {
    const shapes = ({ encoder, decoder, cross }: AttentionWeights) =>
      [encoder, decoder, cross].map((weights) => weights.map(({ shape }) => shape.join()));
    expect(shapes(found)).toEqual([
      ['2,2,4,4', '2,2,4,4'],
      ['2,2,3,3', '2,2,3,3'],
      ['2,2,3,4', '2,2,3,4'],
    ]);
  });

  it('is a distribution that leaves out padding, and in the decoder what comes later', () => {
    for (const weights of Object.values(found).flat()) {
      expect(tf.sum(weights, -1)).toBeAllClose(tf.ones(weights.shape.slice(0, -1)), 1e-5);
    }
    for (const weights of [...found.encoder, ...found.cross]) {
      const padding = tf.slice(weights, [1, 0, 0, 2], [1, 2, weights.shape[2]!, 2]);
      expect(tf.max(padding).dataSync()[0]).toBe(0);
    }
    for (const weights of found.decoder) {
      const later = tf.linalg.bandPart(weights, 0, -1);
      expect(tf.sum(later).dataSync()[0]).toBeCloseTo(
        tf.sum(tf.linalg.bandPart(weights, 0, 0)).dataSync()[0]!,
        5,
      );
    }
  });
});

it('leaves no tensor behind', async () => {
  const model = make({}).eval();
  await expectNoLeak(() => tf.dispose(model.attention(source, target) as tf.TensorContainer));
  await expectNoLeak(() => model.forward(source, target).dispose());
});

it('names what cannot be looked at', () => {
  const model = make({}).eval();
  expect(() => model.attention([[3]], [])).toThrow(
    'Transformer.attention(target): expected int32 [batch, seq]',
  );
  expect(() => model.attention([3, 4], [[1]])).toThrow(
    'Transformer.attention(source): expected int32 [batch, seq]',
  );
});
