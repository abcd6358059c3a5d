// Token by token with a cache against the whole target at once.

import { randomKey } from '@poiesis/core';
import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  AlibiPositions,
  LearnedPositions,
  MultiHeadAttention,
  preNorm,
  RelativeBias,
  RotaryPositions,
  swiGLU,
  Transformer,
  type TransformerConfig,
} from '../../src';

const small = { sourceVocab: 9, targetVocab: 9, dim: 16, heads: 4, layers: 2, hidden: 24 } as const;
const source = [
  [3, 4, 5, 6, 7],
  [5, 3, 8],
];
const target = tf.tensor2d([1, 4, 8, 3, 5, 6, 1, 7, 3, 2, 0, 0], [2, 6], 'int32');

const models: Record<string, Partial<TransformerConfig>> = {
  'the default': {},
  'norms first, gated': { residual: preNorm, feedForward: swiGLU },
  'grouped heads, learned positions': {
    kvHeads: 2,
    positions: ({ dim, maxLength, key }) => new LearnedPositions(maxLength, dim, { key }),
  },
  'rotary positions': { positions: () => new RotaryPositions() },
  'rotary, interleaved, one key head': {
    kvHeads: 1,
    positions: () => new RotaryPositions({ layout: 'interleaved' }),
  },
  ALiBi: { positions: ({ heads }) => new AlibiPositions(heads) },
  'relative bias': {
    positions: ({ side, heads, key }) => new RelativeBias(heads, { key, bidirectional: side === 'source' }),
  },
};

describe.each(Object.entries(models))('%s', (_, more) => {
  it('gives the same logits with a cache, one token or several at a time', () => {
    const model = new Transformer({ ...small, maxLength: 32, ...more }, { seed: 1 }).eval();
    const whole = model.forward(source, target);
    for (const sizes of [
      [1, 1, 1, 1, 1, 1],
      [4, 2],
      [1, 3, 2],
    ]) {
      tf.tidy(() => {
        const state = model.start(source, { length: 8 }); // longer than the target
        const parts: tf.Tensor[] = [];
        let [cache, position] = [state.cache, 0];
        for (const size of sizes) {
          const tokens = tf.slice(target, [0, position], [2, size]);
          const stepped = model.step(tokens, { ...state, cache }, tf.scalar(position, 'int32'));
          parts.push(stepped.logits);
          cache = stepped.cache;
          position += size;
        }
        expect(tf.concat(parts, 1)).toBeAllClose(whole, 1e-5);
      });
    }
    model.dispose();
  });
});

it('serves several beams of a source from one memory', () => {
  const model = new Transformer({ ...small }, { seed: 1 }).eval();
  const beams = 3;
  const targets = tf.tensor2d(
    Array.from({ length: 2 * beams * 4 }, (_, i) => 3 + ((i * i) % 6)),
    [6, 4],
    'int32',
  );
  const repeated = source.flatMap((row) => Array.from({ length: beams }, () => row));
  const whole = model.forward(repeated, targets);
  const state = model.start(source, { length: 4, beams });
  expect(state.memory[0]!.keys.shape[0]).toBe(2);
  expect(state.cache[0]!.keys.shape[0]).toBe(6);
  const { logits } = model.step(targets, state, tf.scalar(0, 'int32'));
  expect(logits).toBeAllClose(whole, 1e-5);
});

it('attends to projected keys and values as to the memory itself', () => {
  const attention = new MultiHeadAttention(8, 2, { key: randomKey(1), keyDim: 6, valueDim: 6 });
  const [x, memory] = [hashed([2, 3, 8], 1), hashed([2, 4, 6], 2)];
  const once = attention.forward(x, { memory });
  expect(attention.attend(x, attention.keyValues(memory))).toBeAllClose(once, 1e-6);
});

it('leaves no tensor behind', async () => {
  const model = new Transformer({ ...small }, { seed: 1 }).eval();
  await expectNoLeak(() => {
    const state = model.start(source, { length: 4 });
    const position = tf.scalar(1, 'int32');
    const tokens = tf.slice(target, [0, 0], [2, 1]);
    tf.dispose([model.step(tokens, state, position), state, position, tokens] as tf.TensorContainer);
  });
});
