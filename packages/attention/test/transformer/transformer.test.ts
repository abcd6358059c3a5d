import {
  ArgumentError,
  crossEntropy,
  hostTensor,
  RMSNorm,
  randomKey,
  StateDictError,
  stopGradient,
} from '@poiesis/core';
import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  AlibiPositions,
  encoderLayer,
  LearnedPositions,
  MultiHeadAttention,
  type PositionsMaker,
  padTokens,
  preNorm,
  RelativeBias,
  RotaryPositions,
  swiGLU,
  Transformer,
  TransformerEncoder,
  transformerEncoder,
} from '../../src';
import { make, small, source, target } from './small';

describe('Transformer', () => {
  it('makes logits of tokens', () => {
    const model = make();
    const logits = model.forward(source, target);
    expect(logits.shape).toEqual([2, 3, 9]);
    const tensors = model.forward(padTokens(source), padTokens(target));
    expect(tensors).toBeAllClose(logits, 0);
    model.dispose();
  });

  it('has the names of nn.Transformer, and its own beside them', async () => {
    const names = Object.keys(await make().stateDict());
    const attention = (name: string) => [
      `${name}.in_proj_weight`,
      `${name}.in_proj_bias`,
      `${name}.out_proj.weight`,
      `${name}.out_proj.bias`,
    ];
    const layer = (name: string) => [`${name}.weight`, `${name}.bias`];
    const encoder = 'encoder.layers.0';
    const decoder = 'decoder.layers.0';
    expect(names.sort()).toEqual(
      [
        'source_embedding.weight',
        'target_embedding.weight',
        ...attention(`${encoder}.self_attn`),
        ...['linear1', 'linear2', 'norm1', 'norm2'].flatMap((name) => layer(`${encoder}.${name}`)),
        ...layer('encoder.norm'),
        ...attention(`${decoder}.self_attn`),
        ...attention(`${decoder}.multihead_attn`),
        ...['linear1', 'linear2', 'norm1', 'norm2', 'norm3'].flatMap((name) => layer(`${decoder}.${name}`)),
        ...layer('decoder.norm'),
        ...layer('output'),
      ].sort(),
    );
  });

  it('is the same after a state dict went out and in', async () => {
    const [one, other] = [make({}, 1), make({}, 2)];
    const logits = one.forward(source, target);
    expect(other.forward(source, target)).not.toBeAllClose(logits, 1e-2);
    other.loadStateDict(await one.stateDict());
    expect(other.forward(source, target)).toBeAllClose(logits, 0);
  });

  it('does not look ahead', () => {
    const model = make();
    const changed = model.forward(source, [[1, 4, 3], target[1]!]);
    const logits = model.forward(source, target);
    const firsts = (x: tf.Tensor) => tf.slice(x, [0, 0, 0], [1, 2, 9]);
    expect(firsts(changed)).toBeAllClose(firsts(logits), 0);
    expect(changed).not.toBeAllClose(logits, 1e-3);
  });

  it('does not see padding, however much there is', () => {
    const model = make();
    const alone = model.forward([source[1]!], [target[1]!]);
    const together = model.forward(padTokens(source, { length: 9 }), target);
    expect(tf.slice(together, [1, 0, 0], [1, 2, 9])).toBeAllClose(alone);
  });

  it('gives finite numbers for a source of padding alone', () => {
    const model = make();
    const empty = tf.zeros([1, 3], 'int32');
    const { value, grads } = tf.variableGrads(
      () => tf.sum(tf.square(model.forward(empty, [[1, 2]]))) as tf.Scalar,
    );
    for (const x of [value, ...Object.values(grads)]) {
      expect(tf.all(tf.isFinite(x)).dataSync()[0]).toBe(1);
    }
  });

  it('drops by its key in training, and nothing in evaluation', () => {
    const model = make({ dropout: 0.5 });
    const forward = (seed: number) => model.forward(source, target, { key: randomKey(seed) });
    expect(forward(1)).toBeAllClose(forward(1), 0);
    expect(forward(2)).not.toBeAllClose(forward(1), 1e-2);
    expect(() => model.forward(source, target)).toThrow('context.key): expected a key');
    model.eval();
    expect(model.forward(source, target)).toBeAllClose(forward(2), 0);
  });

  it('ties embeddings on request', async () => {
    const count = (tied: 'none' | 'output' | 'all', targetVocab = 9) =>
      make({ tied, targetVocab }).parameterCount();
    expect(count('none') - count('output')).toBe(8 * 9);
    expect(count('none', 7) - count('all', 7)).toBe(2 * 8 * 7);
    const model = make({ tied: 'all', targetVocab: 7 });
    expect(Object.keys(await model.stateDict())).not.toContain('output.weight');
    // The alias is taken too, as PyTorch writes it.
    const weight = hostTensor(new Float32Array(56).fill(0.5), [7, 8]);
    const { 'source_embedding.weight': _, ...rest } = await model.stateDict();
    model.loadStateDict({ ...rest, 'output.weight': weight });
    expect(model.source_embedding.weight!.dataSync()[0]).toBe(0.5);
  });

  it('takes the weights of an nn.Transformer alone', async () => {
    const [from, to] = [make({}, 3), make({}, 4)];
    const stack = Object.fromEntries(
      Object.entries(await from.stateDict()).filter(([name]) => /^(en|de)coder\./.test(name)),
    );
    expect(() => to.loadStateDict(stack)).toThrow(StateDictError);
    const { missing } = to.loadStateDict(stack, { strict: false });
    expect(missing).toEqual([
      'source_embedding.weight',
      'target_embedding.weight',
      'output.weight',
      'output.bias',
    ]);
    expect(to.encoder.norm).not.toBeNull();
  });

  const schemes: Record<string, PositionsMaker> = {
    learned: ({ dim, maxLength, key }) => new LearnedPositions(maxLength, dim, { key }),
    rotary: () => new RotaryPositions(),
    alibi: ({ heads }) => new AlibiPositions(heads),
    relative: ({ side, heads, key }) => new RelativeBias(heads, { key, bidirectional: side === 'source' }),
  };

  it.each(Object.keys(schemes))('knows order by %s positions', (name) => {
    const model = make({ positions: schemes[name]!, maxLength: 6 });
    const straight = model.forward([[3, 4, 5]], [[1]]);
    expect(model.forward([[4, 3, 5]], [[1]])).not.toBeAllClose(straight, 1e-4);
  });

  it('cannot tell a row from its reverse by ALiBi in its encoder', () => {
    const model = make({ positions: schemes.alibi! });
    const straight = model.forward([[3, 4, 5]], [[1, 4]]);
    expect(model.forward([[5, 4, 3]], [[1, 4]])).toBeAllClose(straight, 1e-5);
  });

  it('is made of other parts where they are given', () => {
    const model = make({
      feedForward: swiGLU,
      norm: (dim) => new RMSNorm(dim),
      residual: preNorm,
      kvHeads: 1,
      bias: false,
    });
    const names = Object.keys(model.namedParameters());
    expect(names).toContain('encoder.layers.0.linear3.weight');
    expect(names.filter((name) => name.startsWith('encoder') && name.endsWith('bias'))).toEqual([]);
    expect(model.forward(source, target).shape).toEqual([2, 3, 9]);
  });

  it.each(['post', 'pre'] as const)('has a gradient in every parameter (%s-norm)', (order) => {
    const model = make({ layers: 2, ...(order === 'pre' && { residual: preNorm }) });
    const expected = tf.tensor2d([4, 8, 2, 7, 2, 0], [2, 3], 'int32');
    const loss = () => crossEntropy(model.forward(source, target), expected, { ignoreIndex: 0 }) as tf.Scalar;
    const { grads } = tf.variableGrads(loss, Object.values(model.namedParameters()));
    for (const [name, p] of Object.entries(model.namedParameters())) {
      expect(tf.max(tf.abs(grads[p.name]!)).dataSync()[0], name).toBeGreaterThan(0);
    }
  });

  it('leaves no tensor behind', async () => {
    const model = make({ dropout: 0.1 });
    await expectNoLeak(() => model.forward(source, target, { key: randomKey(1) }).dispose());
    await expectNoLeak(() => make().dispose());
    await expectNoLeak(() => {
      const state = model.eval().start(source, { length: 4 });
      tf.dispose(state as tf.TensorContainer);
    });
  });
});

describe('stacks of one’s own', () => {
  it('are made of layers', () => {
    const key = randomKey(1);
    const layers = [encoderLayer({ ...small }, { key }), encoderLayer({ ...small, heads: 4 }, { key })];
    const encoder = new TransformerEncoder(layers);
    const x = hashed([1, 3, 8], 1);
    expect(encoder.forward(x, { causal: true }).shape).toEqual([1, 3, 8]);
    expect(Object.keys(encoder.namedParameters())).toContain('layers.1.self_attn.in_proj_weight');
    expect(() => new TransformerEncoder([])).toThrow(
      'TransformerEncoder(layers): expected at least one layer',
    );
  });

  it('may be causal, as the text tower of CLIP is', () => {
    const encoder = transformerEncoder({ ...small, layers: 2 }, { key: randomKey(1) }).eval();
    const x = hashed([1, 3, 8], 1);
    const [whole, start] = [x, tf.slice(x, [0, 0, 0], [1, 2, 8])].map((x) =>
      encoder.forward(x, { causal: true }),
    );
    expect(tf.slice(whole!, [0, 0, 0], [1, 2, 8])).toBeAllClose(start!);
  });

  it('show the weights of a head', () => {
    const attention = new MultiHeadAttention(8, 2, { key: randomKey(1) });
    const { weights } = attention.forward(hashed([1, 3, 8], 1), { causal: true, returnWeights: true });
    expect(weights.shape).toEqual([1, 2, 3, 3]);
    expect(tf.sum(weights, -1)).toBeAllClose(stopGradient(tf.ones([1, 2, 3])));
  });
});

describe('wrong input is named', () => {
  const model = make({ maxLength: 4 });
  it.each<[string, () => unknown, string]>([
    [
      'a token out of vocabulary',
      () => model.forward([[7]], target),
      'source[0][0]): expected a token in [0, 7), got 7',
    ],
    ['a negative token', () => model.forward([[3]], [[-1]]), 'expected a token in [0, 9), got -1'],
    ['an empty sequence', () => model.forward([[3], []], target), 'source[1]): expected at least one token'],
    [
      'no sequence',
      () => model.forward([], target),
      'Transformer.forward(source): expected int32 [batch, seq]',
    ],
    ['an empty tensor', () => model.forward(tf.zeros([2, 0], 'int32'), target), 'got "int32 [2, 0]"'],
    [
      'one sequence without a batch',
      () => model.forward([3, 4], target),
      'or an array of sequences, got [3, 4]',
    ],
    ['tokens as floats', () => model.forward(tf.ones([2, 2]), target), 'got "float32 [2, 2]"'],
    ['a sequence past the positions', () => model.forward([[3, 4, 5, 6, 3]], [[1]]), 'at most 4 tokens'],
    [
      'another batch',
      () => model.forward([[3]], target),
      'memory): expected [2, memoryLength, memoryDim] with at least one token, got [1',
    ],
    [
      'heads that do not divide',
      () => make({ heads: 3 }),
      'config.heads): expected a number that divides the width 8',
    ],
    ['no width', () => make({ dim: 0 }), 'config.dim): expected an integer ≥ 1, got 0'],
    [
      'no config',
      () => new Transformer(null as never, { seed: 1 }),
      'Transformer(config): expected a record',
    ],
    [
      'all tied, two vocabularies',
      () => make({ tied: 'all' }),
      'config.targetVocab): expected 7, as all embeddings',
    ],
    [
      'a special token out of vocabulary',
      () => make({ end: 9 }),
      'config.end): expected a token in [0, 9), got 9',
    ],
    [
      'one token for two meanings',
      () => make({ pad: 2 }),
      'config.pad): expected neither start nor end, got 2',
    ],
    [
      'heads of attention',
      () => new MultiHeadAttention(8, 3, { key: randomKey(1) }),
      'MultiHeadAttention(heads): expected a number that divides the width 8, got 3',
    ],
    [
      'a key mask of another length',
      () => model.encoder.forward(hashed([2, 3, 8], 1), { keyMask: tf.ones([2, 4], 'bool') }),
      'options.keyMask): expected bool [2, 3], got "bool [2, 4]"',
    ],
    [
      'a key mask of integers',
      () => model.encoder.forward(hashed([2, 3, 8], 1), { keyMask: tf.ones([2, 3], 'int32') }),
      'options.keyMask): expected bool [2, 3], got "int32 [2, 3]"',
    ],
    [
      'another width',
      () => model.encoder.forward(hashed([2, 3, 7], 1)),
      'TransformerEncoder.forward(x): expected [batch, seq, 8], got [2, 3, 7]',
    ],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(message);
  });
});
