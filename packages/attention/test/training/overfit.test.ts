// Every model learns one batch by heart: what no gradient reaches, or what looks at the wrong token, does not.
import {
  adam,
  crossEntropy,
  Embedding,
  type ForwardContext,
  type Key,
  Linear,
  Module,
  RMSNorm,
  randomKey,
  type SeekableBatches,
  supervised,
  type TrainStep,
  train,
} from '@poiesis/core';
import { hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  AlibiPositions,
  greedy,
  LearnedPositions,
  type PositionsMaker,
  padTokens,
  preNorm,
  RelativeBias,
  RotaryPositions,
  SequenceBatches,
  SinusoidalPositions,
  sequenceLoss,
  swiGLU,
  Transformer,
  type TransformerConfig,
  type TransformerDecoder,
  TransformerEncoder,
  transformerDecoder,
  transformerEncoder,
} from '../../src';

const VOCAB = 9;
const small = { dim: 16, heads: 2, layers: 1, dropout: 0 } as const;

async function lossAfter<Batch>(
  steps: number,
  step: TrainStep<Batch>,
  batches: SeekableBatches<Batch> | AsyncIterable<Batch>,
): Promise<number> {
  let loss = Number.POSITIVE_INFINITY;
  for await (const event of train(step, batches, { steps, seed: 1 })) {
    if (event.type === 'step') loss = event.losses.loss!;
  }
  return loss;
}

describe('a Transformer', () => {
  const pairs = [
    { source: [3, 4, 5], target: [8, 3, 3, 7] },
    { source: [5, 5], target: [4] },
    { source: [6], target: [6, 5, 4] },
    { source: [7, 3, 6, 4], target: [] },
  ];
  const positions: Record<string, PositionsMaker> = {
    'learned positions': ({ dim, maxLength, key }) => new LearnedPositions(maxLength, dim, { key }),
    'rotary positions': () => new RotaryPositions(),
    'interleaved rotary positions': () => new RotaryPositions({ layout: 'interleaved' }),
    ALiBi: ({ heads }) => new AlibiPositions(heads),
    'relative bias': ({ side, heads, key }) =>
      new RelativeBias(heads, { key, bidirectional: side === 'source' }),
  };
  const configs: Record<string, Partial<TransformerConfig>> = {
    'as in the paper': {},
    'norms first': { residual: preNorm },
    'norms first, two layers': { residual: preNorm, layers: 2 },
    'more layers in the encoder': { layers: { encoder: 2, decoder: 1 } },
    'output tied': { tied: 'output' },
    'all tied': { tied: 'all', residual: preNorm },
    'one key head': { kvHeads: 1 },
    'gated, RMS norms, no biases': {
      residual: preNorm,
      feedForward: swiGLU,
      norm: (dim) => new RMSNorm(dim),
      bias: false,
    },
    ...Object.fromEntries(Object.entries(positions).map(([name, positions]) => [name, { positions }])),
  };

  it.each(Object.keys(configs))('%s', async (name) => {
    const sizes = { ...small, sourceVocab: VOCAB, targetVocab: VOCAB, maxLength: 16 };
    const model = new Transformer({ ...sizes, ...configs[name] }, { seed: 1 });
    const step = supervised(model, sequenceLoss(), adam({ lr: 1e-2, beta2: 0.98 }));
    const batches = new SequenceBatches(pairs, { ...model.config, rows: 4, seed: 1 });
    expect(await lossAfter(80, step, batches)).toBeLessThan(0.05);
    const sources = pairs.map(({ source }) => source);
    const found = await greedy(model, sources, { maxLength: 6 });
    expect(found.map(({ tokens }) => tokens)).toEqual(pairs.map(({ target }) => target));
    model.dispose();
  });
});

interface Batch {
  tokens: tf.Tensor;
  labels: tf.Tensor;
}

const rows = [
  [3, 4, 5, 8],
  [5, 3, 3, 6],
  [8, 7, 6, 4],
];

/** Tokens in, one label at each place out. */
class Labeller extends Module {
  readonly embedding = new Embedding(VOCAB, small.dim, { key: randomKey(2) });
  readonly positions = new SinusoidalPositions(small.dim);
  readonly output = new Linear(small.dim, VOCAB, { key: randomKey(3) });

  constructor(
    readonly stack: TransformerEncoder | TransformerDecoder,
    readonly causal: boolean,
  ) {
    super();
  }

  forward(tokens: tf.Tensor, context: ForwardContext = {}): tf.Tensor {
    return tf.tidy(() => {
      const x = this.positions.embed(this.embedding.forward(tokens));
      const { stack, causal } = this;
      const options = { ...context, causal };
      if (stack instanceof TransformerEncoder) return this.output.forward(stack.forward(x, options));
      return this.output.forward(stack.forward(x, hashed([rows.length, 3, small.dim], 1), options));
    });
  }
}

const label = (model: Labeller, { tokens, labels }: Batch, key?: Key) =>
  crossEntropy(model.forward(tokens, key && { key }), labels) as tf.Scalar;

const reversed = rows.map((row) => [...row].reverse());
const next = rows.map((row) => [...row.slice(1), 2]);

describe.each(['postNorm', 'preNorm'] as const)('alone, %s,', (order) => {
  const key = randomKey(1);
  const config = { ...small, ...(order === 'preNorm' && { residual: preNorm }) };
  const stacks: [string, () => Labeller, number[][]][] = [
    ['an encoder reverses', () => new Labeller(transformerEncoder(config, { key }), false), reversed],
    ['a causal encoder continues', () => new Labeller(transformerEncoder(config, { key }), true), next],
    ['a decoder continues', () => new Labeller(transformerDecoder(config, { key }), true), next],
  ];

  it.each(stacks)('%s one batch by heart', async (_, make, labels) => {
    const model = make();
    const step = supervised(model, label, adam({ lr: 1e-2 }));
    async function* batches() {
      for (;;) yield { tokens: padTokens(rows), labels: padTokens(labels) };
    }
    expect(await lossAfter(80, step, batches())).toBeLessThan(0.05);
    const said = tf.tidy(() => tf.argMax(model.forward(padTokens(rows)), -1).arraySync());
    expect(said).toEqual(labels);
    model.dispose();
  });
});
