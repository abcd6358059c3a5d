// Issue by issue, what a user may get wrong: each a typed error that names function, argument, expected and got.
import { ArgumentError, compile, PoiesisError, randomKey } from '@poiesis/core';
import { hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  addPositions,
  allOf,
  beamSearch,
  causalMask,
  greedy,
  LearnedPositions,
  MultiHeadAttention,
  paddingMask,
  padTokens,
  RotaryPositions,
  relativeBucket,
  SequenceBatches,
  SinusoidalPositions,
  sample,
  scaledDotProductAttention,
  Transformer,
  transformerDecoder,
  transformerEncoder,
} from '../src';

const small = { dim: 8, heads: 2, layers: 1, hidden: 12, dropout: 0 } as const;
const config = { sourceVocab: 7, targetVocab: 9, maxLength: 6, ...small };
const model = new Transformer(config, { seed: 1 }).eval();
const key = randomKey(1);
const attention = new MultiHeadAttention(8, 2, { key });
const encoder = transformerEncoder(small, { key });
const decoder = transformerDecoder(small, { key });
const [x, memory] = [hashed([2, 3, 8], 1), hashed([2, 5, 8], 2)];
const ids = (...rows: number[][]) => tf.tensor2d(rows, undefined, 'int32');
const at = (place: number) => tf.scalar(place, 'int32');
const bool = (...shape: number[]) => tf.ones(shape, 'bool');
const state = model.start([[3, 4]], { length: 4 });
const special = { pad: 0, start: 1, end: 2 };

type Case = readonly [what: string, run: () => unknown, message: string];

const masks: Case[] = [
  ['of no length', () => causalMask(0), 'causalMask(queries): expected an integer ≥ 1, got 0'],
  ['from half a place', () => causalMask(2, 3, 0.5), 'causalMask(from): expected an integer, got 0.5'],
  [
    'from a float',
    () => causalMask(2, 3, tf.scalar(1)),
    'causalMask(from): expected an int32 scalar, got "float32 []"',
  ],
  [
    'of floats',
    () => paddingMask(tf.ones([2, 3])),
    'paddingMask(tokens): expected int32 [batch, seq], got "float32 [2, 3]"',
  ],
  ['for no token', () => paddingMask(ids([1]), 0.5), 'paddingMask(pad): expected a token, got 0.5'],
  [
    'of integers, joined',
    () => allOf(bool(2, 2), ids([1, 0])),
    'allOf(masks[1]): expected type bool, got "type int32"',
  ],
  [
    'of other lengths, joined',
    () => allOf(bool(2, 2), bool(2, 3)),
    'allOf(masks[1]): expected a shape that broadcasts against [2, 2], got [2, 3]',
  ],
  [
    'of 0 and 1 as floats, however large',
    () => {
      const q = hashed([1, 1, 200, 2], 1);
      return scaledDotProductAttention(q, q, q, { mask: tf.ones([200, 200]) });
    },
    'scaledDotProductAttention(options.mask): expected bool (true: may attend), or float32 to be added to the scores (0, −∞), got "float32 of only 0 and 1"',
  ],
  [
    'of 0 and 1 as floats, in a module',
    () => attention.forward(x, { mask: tf.ones([3, 3]) }),
    'float32 of only 0 and 1',
  ],
  [
    'of 0 and 1 as integers, in a stack',
    () => encoder.forward(x, { mask: tf.ones([3, 3], 'int32') }),
    'options.mask): expected bool',
  ],
  [
    'of other lengths, in a stack',
    () => decoder.forward(x, memory, { memoryMask: bool(5, 3) }),
    'options.mask): expected [3 or 1, 5 or 1]',
  ],
  [
    'of keys as floats',
    () => attention.forward(x, { keyMask: tf.ones([2, 3]) }),
    'MultiHeadAttention.forward(options.keyMask): expected bool [2, 3], got "float32 [2, 3]"',
  ],
  [
    'of keys that the memory has not',
    () => attention.forward(x, { memory, keyMask: bool(2, 3) }),
    'options.keyMask): expected bool [2, 5], got "bool [2, 3]"',
  ],
  [
    'of keys, turned',
    () => encoder.forward(x, { keyMask: bool(3, 2) }),
    'TransformerEncoder.forward(options.keyMask): expected bool [2, 3], got "bool [3, 2]"',
  ],
  [
    'of the memory, on the target',
    () => decoder.forward(x, memory, { keyMask: bool(2, 5) }),
    'TransformerDecoder.forward(options.keyMask): expected bool [2, 3], got "bool [2, 5]"',
  ],
  [
    'of the target, on the memory',
    () => decoder.forward(x, memory, { memoryKeyMask: bool(2, 3) }),
    'TransformerDecoder.forward(options.memoryKeyMask): expected bool [2, 5], got "bool [2, 3]"',
  ],
  [
    'of integers, on the memory',
    () => decoder.start(memory, { length: 3, memoryKeyMask: tf.ones([2, 5], 'int32') }),
    'TransformerDecoder.start(options.memoryKeyMask): expected bool [2, 5], got "int32 [2, 5]"',
  ],
  [
    'of another batch, in a model',
    () => model.decode([[1, 3]], hashed([1, 2, 8], 1), { memoryKeyMask: bool(2, 2) }),
    'options.memoryKeyMask): expected bool [1, 2], got "bool [2, 2]"',
  ],
];

const sizes: Case[] = [
  [
    'heads that do not divide the width',
    () => new MultiHeadAttention(8, 3, { key }),
    'MultiHeadAttention(heads): expected a number that divides the width 8, got 3',
  ],
  [
    'heads of keys that do not divide',
    () => new MultiHeadAttention(8, 4, { key, kvHeads: 3 }),
    'MultiHeadAttention(kvHeads): expected a number that divides the 4 heads, got 3',
  ],
  [
    'heads of a stack',
    () => transformerEncoder({ ...small, heads: 5 }, { key }),
    'heads): expected a number that divides the width 8, got 5',
  ],
  [
    'heads of a model',
    () => new Transformer({ ...config, heads: 3 }, { seed: 1 }),
    'Transformer(config.heads): expected a number that divides the width 8, got 3',
  ],
  [
    'half a layer',
    () => transformerEncoder({ ...small, layers: 1.5 }, { key }),
    'transformerEncoder(config.layers): expected an integer ≥ 1, got 1.5',
  ],
  [
    'no layer',
    () => transformerDecoder({ ...small, layers: 0 }, { key }),
    'transformerDecoder(config.layers): expected an integer ≥ 1, got 0',
  ],
  [
    'another width',
    () => attention.forward(hashed([2, 3, 7], 1)),
    'MultiHeadAttention.forward(x): expected [batch, seq, 8], got [2, 3, 7]',
  ],
  [
    'a memory of another batch',
    () => attention.forward(x, { memory: hashed([1, 5, 8], 1) }),
    'MultiHeadAttention.forward(memory): expected [2, memoryLength, memoryDim] with at least one token, got [1, 5, 8]',
  ],
  [
    'more values than keys',
    () => attention.forward(x, { memory, values: hashed([2, 4, 8], 1) }),
    'values): expected [2, 5, 8], as many as keys, got [2, 4, 8]',
  ],
  [
    'values without keys',
    () => attention.forward(x, { values: memory }),
    'options.values): expected none without memory',
  ],
  [
    'keys of other heads',
    () => attention.attend(x, attention.emptyCache(1, 3)),
    'MultiHeadAttention.attend(memory.keys): expected [2, 2, length, 4], got [1, 2, 3, 4]',
  ],
  [
    'a cache without places',
    () => attention.emptyCache(1, 0),
    'MultiHeadAttention.emptyCache(length): expected an integer ≥ 1, got 0',
  ],
  [
    'no beams',
    () => decoder.start(memory, { length: 2, beams: 0 }),
    'TransformerDecoder.start(options.beams): expected an integer ≥ 1, got 0',
  ],
  [
    'buckets that do not halve',
    () => relativeBucket(3, { buckets: 6 }),
    'relativeBucket(options.buckets): expected a positive multiple of 4, got 6',
  ],
];

const tokens: Case[] = [
  [
    'beyond a vocabulary',
    () => model.forward([[3, 7]], [[1]]),
    'Transformer.forward(source[0][1]): expected a token in [0, 7), got 7',
  ],
  [
    'below it',
    () => model.forward([[3]], [[1], [-1]].slice(1)),
    'Transformer.decode(target[0][0]): expected a token in [0, 9), got -1',
  ],
  [
    'in a tensor',
    () => model.forward(ids([3, 4], [3, 7]), ids([1], [1])),
    'Transformer.forward(source[1, 1]): expected a token in [0, 7), got 7',
  ],
  [
    'below it, in a tensor',
    () => model.forward(ids([3]), ids([1, -1])),
    'Transformer.decode(target[0, 1]): expected a token in [0, 9), got -1',
  ],
  [
    'of the target, to be encoded',
    () => model.encode(ids([8])),
    'Transformer.encode(source[0, 0]): expected a token in [0, 7), got 8',
  ],
  [
    'of no vocabulary, in a step',
    () => model.step(ids([9]), state, at(0)),
    'Transformer.step(tokens[0, 0]): expected a token in [0, 9), got 9',
  ],
  [
    'that are no integers',
    () => model.forward([[3.5]], [[1]]),
    'source[0][0]): expected a token in [0, 7), got 3.5',
  ],
  [
    'that are floats',
    () => model.forward(tf.ones([1, 2]), [[1]]),
    'Transformer.forward(source): expected int32 [batch, seq] with at least one token, got "float32 [1, 2]"',
  ],
  ['to be padded', () => padTokens([[3, 0.5]]), 'padTokens(sequences[0][1]): expected a token ≥ 0, got 0.5'],
  [
    'to pad with',
    () => padTokens([[3]], { pad: Number.NaN }),
    'padTokens(options.pad): expected a token, got NaN',
  ],
  [
    'of a pair',
    () => new SequenceBatches([{ source: [3], target: [9] }], { ...special, rows: 1, targetVocab: 9 }),
    'SequenceBatches(pairs[0].target[0]): expected a token in [0, 9), got 9',
  ],
  [
    'below 0, of a pair',
    () => new SequenceBatches([{ source: [-3], target: [4] }], { ...special, rows: 1 }),
    'SequenceBatches(pairs[0].source[0]): expected a token ≥ 0, got -3',
  ],
  [
    'to begin with',
    () =>
      new SequenceBatches([{ source: [3], target: [4] }], { ...special, start: 9, rows: 1, targetVocab: 9 }),
    'SequenceBatches(options.start): expected a token in [0, 9), got 9',
  ],
  [
    'to end with',
    () => new SequenceBatches([{ source: [3], target: [4] }], { pad: 0, start: 1, rows: 1 } as never),
    'SequenceBatches(options.end): expected a token ≥ 0, got undefined',
  ],
];

const lengths: Case[] = [
  [
    'no sequence',
    () => model.forward([], [[1]]),
    'Transformer.forward(source): expected int32 [batch, seq] with at least one token, or an array of sequences',
  ],
  [
    'an empty sequence',
    () => model.forward([[3], []], [[1], [1]]),
    'Transformer.forward(source[1]): expected at least one token, got 0',
  ],
  [
    'an empty target',
    () => model.forward([[3]], [[]]),
    'Transformer.decode(target[0]): expected at least one token, got 0',
  ],
  [
    'an empty tensor',
    () => model.encode(tf.zeros([1, 0], 'int32')),
    'Transformer.encode(source): expected int32 [batch, seq] with at least one token, got "int32 [1, 0]"',
  ],
  [
    'an empty memory',
    () => decoder.forward(x, tf.zeros([2, 0, 8])),
    'TransformerDecoder.forward(memory): expected [2, memoryLength, memoryDim] with at least one token, got [2, 0, 8]',
  ],
  [
    'empty features',
    () => encoder.forward(tf.zeros([2, 0, 8])),
    'TransformerEncoder.forward(x): expected [batch, seq, 8] with at least one token, got [2, 0, 8]',
  ],
  [
    'an empty source of a pair',
    () => new SequenceBatches([{ source: [], target: [3] }], { ...special, rows: 1 }),
    'SequenceBatches(pairs[0].source): expected at least one token',
  ],
  [
    'a source past the positions',
    () => model.forward([[3, 3, 3, 3, 3, 3, 3]], [[1]]),
    'Transformer.forward(source[0]): expected at most 6 tokens (config.maxLength), got 7',
  ],
  [
    'a target past them',
    () => model.forward([[3]], ids([1, 1, 1, 1, 1, 1, 1])),
    'Transformer.decode(target): expected at most 6 tokens (config.maxLength), got 7',
  ],
  [
    'features past them',
    () => new SinusoidalPositions(8, { maxLength: 2 }).embed(x),
    'SinusoidalPositions.embed(x): expected at most 2 positions, got "a sequence of 3"',
  ],
  [
    'learned positions past them',
    () => new LearnedPositions(2, 8, { key }).embed(x),
    'addPositions(x): expected at most 2 positions, got "a sequence of 3"',
  ],
  [
    'heads past rotary ones',
    () => new RotaryPositions({ maxLength: 2 }).rotate(hashed([1, 2, 3, 4], 1)),
    'RotaryPositions.rotate(x): expected at most 2 positions',
  ],
  [
    'a place past them',
    () => addPositions(hashed([1, 2, 8], 1), hashed([4, 8], 2), { at: tf.tensor1d([0, 4], 'int32') }),
    'addPositions(place.at): expected positions in [0, 4), got 4',
  ],
  [
    'a place before them',
    () => addPositions(hashed([1, 1, 8], 1), hashed([4, 8], 2), { at: tf.tensor1d([-1], 'int32') }),
    'addPositions(place.at): expected positions in [0, 4), got -1',
  ],
  [
    'places as floats',
    () => addPositions(hashed([1, 1, 8], 1), hashed([4, 8], 2), { at: tf.tensor1d([0]) }),
    'addPositions(place.at): expected int32 [1], got "float32 [1]"',
  ],
  [
    'more places than learned',
    () =>
      new LearnedPositions(4, 8, { key }).embed(hashed([1, 1, 8], 1), {
        at: tf.tensor1d([0], 'int32'),
        length: 5,
      }),
    'LearnedPositions.embed(place.length): expected at most 4, got 5',
  ],
  [
    'a cache past them',
    () => model.start([[3]], { length: 7 }),
    'Transformer.start(options.length): expected an integer from 1 to 6, got 7',
  ],
  [
    'a step past the cache',
    () => model.step(ids([1]), state, at(4)),
    'Transformer.step(position): expected from 0 to 3, as the cache has 4 places, got 4',
  ],
  [
    'a step before it',
    () => model.step(ids([1]), state, at(-1)),
    'Transformer.step(position): expected from 0 to 3, as the cache has 4 places, got -1',
  ],
  [
    'more at once than it has',
    () => model.step(ids([1, 1, 1, 1, 1]), state, at(0)),
    'Transformer.step(x): expected at most 4 tokens, as the cache has places',
  ],
  [
    'a place that is no integer',
    () => model.step(ids([1]), state, tf.scalar(0)),
    'Transformer.step(position): expected an int32 scalar, got "float32 []"',
  ],
  [
    'a step of a module past its cache',
    () => attention.step(hashed([1, 1, 8], 1), attention.emptyCache(1, 2), at(2)),
    'MultiHeadAttention.step(position): expected from 0 to 1, as the cache has 2 places, got 2',
  ],
  [
    'a cache of another batch',
    () => attention.step(hashed([2, 1, 8], 1), attention.emptyCache(1, 2), at(0)),
    'MultiHeadAttention.step(cache.keys): expected [2, 2, length, 4], got [1, 2, 2, 4]',
  ],
  [
    'a state of other layers',
    () => decoder.step(hashed([1, 1, 8], 1), { memory: [], cache: [] }, at(0)),
    'TransformerDecoder.step(state.memory): expected one of each of the 1 layers, got 0',
  ],
];

describe.each([
  ['a mask', masks],
  ['sizes and shapes', sizes],
  ['tokens', tokens],
  ['lengths', lengths],
] as const)('%s', (_, cases) => {
  it.each(cases)('%s', (_, run, message) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(message);
  });
});

describe.each([
  ['greedy', greedy],
  ['beamSearch', beamSearch],
  ['sample', (m: Transformer, s: Parameters<typeof greedy>[1]) => sample(m, s, { seed: 1 })],
] as const)('%s', (name, decode) => {
  const rejected = async (source: unknown, message: string) => {
    const error = await (async () => decode(model, source as never))().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toContain(message);
  };

  it('names what it cannot decode', async () => {
    await rejected([3, 7], `${name}(source[1]): expected a token in [0, 7), got 7`);
    await rejected([[3], [-1]], `${name}(source[1][0]): expected a token in [0, 7), got -1`);
    await rejected(ids([3, 7]), `${name}(source[0, 1]): expected a token in [0, 7), got 7`);
    await rejected(tf.tensor1d([7], 'int32'), `${name}(source[0]): expected a token in [0, 7), got 7`);
    await rejected([], `${name}(source): expected tokens, or arrays of tokens, none of them empty`);
    await rejected([[3], []], `${name}(source): expected tokens, or arrays of tokens, none of them empty`);
    await rejected(tf.zeros([0], 'int32'), `${name}(source): expected int32 [seq] or [batch, seq]`);
    await rejected(
      [3, 3, 3, 3, 3, 3, 3],
      `${name}(source): expected at most 6 tokens, the model's maxLength, got 7`,
    );
  });
});

// A replayed step runs no check: the lookup itself has to notice. Where values are computed late, reading throws.
describe('tokens that a step is replayed with', () => {
  it.each([7, 9, -1, -8])('%i', async (token) => {
    const step = compile((source: tf.Tensor2D, target: tf.Tensor2D) => model.forward(source, target));
    for (let i = 0; i < 3; i++) {
      const logits = step(ids([3, 4]), ids([1, 3]));
      expect((await logits.data())[0]).toBeTypeOf('number');
    }
    for (let i = 0; i < 2; i++) {
      const error = await (async () => step(ids([3, token]), ids([1, 3])).data())().catch(
        (error: unknown) => error,
      );
      expect(PoiesisError.isInstance(error)).toBe(true);
      expect((error as Error).message).toMatch(/expected a token in \[0, 7\)|out of data bounds/);
    }
    expect((await step(ids([3, 4]), ids([1, 3])).data())[0]).toBeTypeOf('number');
  });

  it('computed from others', async () => {
    const run = async () => model.forward(tf.sub(ids([3, 4]), at(5)) as tf.Tensor2D, ids([1, 3])).data();
    const error = await run().catch((error: unknown) => error);
    expect(PoiesisError.isInstance(error)).toBe(true);
  });
});
