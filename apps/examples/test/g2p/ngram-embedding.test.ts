import { type EmbeddingMaker, greedy, sequenceLoss, Transformer } from '@poiesis/attention';
import '@poiesis/backend-onnx';
import { ArgumentError, Embedding, randomKey, sgd, supervised, useBackend } from '@poiesis/core';
import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { NgramEmbedding } from '../../src/g2p/ngram-embedding';
import { Ngrams, ngramsAround } from '../../src/g2p/ngrams';

const vocab = 6;
const sequences = [
  [3, 4, 5, 3, 4, 5],
  [3, 4, 5, 5],
  [4, 3, 4, 5],
];
const known = Ngrams.of(sequences, { vocab, longest: 4, minCount: 2 });
const widths = { 2: 3, 4: 2 };
const make = (options = {}) => new NgramEmbedding(known, 4, { widths, key: randomKey(1), ...options });
const batch = [
  [3, 4, 5, 3],
  [5, 3, 0, 0],
];
const tensor = (tokens: number[][]) => tf.tensor2d(tokens, undefined, 'int32');

describe.each(['cpu', 'wasm', 'onnx'])('NgramEmbedding on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('adds what is known of the n-grams to the token', () => {
    const layer = make().eval();
    const y = layer.forward(tensor(batch));
    expect(y.shape).toEqual([2, 4, 4]);
    const tokens = tensor(batch);
    const rows = ngramsAround(tokens, layer.tables, known);
    const vectors = [tf.gather(layer.ngrams[0]!, rows[0]!), tf.gather(layer.ngrams[1]!, rows[2]!)];
    const more = layer.projection.forward(tf.concat(vectors, -1));
    expect(y).toBeAllClose(tf.add(tf.gather(layer.weight, tokens), more), 1e-6);
    // Of padding nothing is known.
    const padding = tf.slice(y, [1, 2, 0], [1, 2, 4]);
    expect(padding).toBeAllClose(tf.broadcastTo(tf.slice(layer.weight, [0, 0], [1, 4]), [1, 2, 4]), 0);
    layer.dispose();
  });

  it('has a state dict that tells what its rows mean', async () => {
    const layer = make();
    const state = await layer.stateDict();
    expect(Object.entries(state).map(([name, { shape }]) => [name, shape])).toEqual([
      ['weight', [6, 4]],
      ['ngrams.0', [known.counts[0]! + 1, 3]],
      ['ngrams.1', [known.counts[2]! + 1, 2]],
      ['tables.0', [vocab * vocab]],
      ['tables.1', [(known.counts[0]! + 1) * vocab]],
      ['tables.2', [(known.counts[1]! + 1) * vocab]],
      ['projection.weight', [4, 5]],
    ]);
    const other = make({ key: randomKey(2) });
    other.loadStateDict(state);
    layer.eval();
    other.eval();
    expect(other.forward(tensor(batch))).toBeAllClose(layer.forward(tensor(batch)), 0);
    layer.dispose();
    other.dispose();
  });

  it('has gradients that differences confirm, and none for unknown n-grams', () => {
    const layer = make({ dropout: 0 });
    const loss = () => tf.sum(tf.mul(layer.forward(tensor(batch)), hashed([2, 4, 4], 3))) as tf.Scalar;
    const { grads } = tf.variableGrads(loss);
    for (const table of layer.ngrams) {
      const [unknown] = tf.unstack(grads[table.name]!) as [tf.Tensor];
      expect(unknown.dataSync().every((x) => x === 0)).toBe(true);
    }
    // Linear in each of them: a large step is as good as a small one.
    for (const [i, leaf] of [layer.weight, ...layer.ngrams, layer.projection.weight].entries()) {
      const [rows, width] = leaf.shape;
      const all = hashed([rows, width], 10 + i);
      const direction = layer.ngrams.includes(leaf)
        ? tf.concat([tf.zeros([1, width]), tf.slice(all, [1, 0], [-1, -1])])
        : all;
      const value = tf.clone(leaf as tf.Tensor);
      const at = (step: number) => {
        leaf.assign(tf.add(value, tf.mul(direction, step)) as tf.Tensor2D);
        return loss();
      };
      const difference = tf.div(tf.sub(at(1), at(-1)), 2);
      leaf.assign(value as tf.Tensor2D);
      const slope = tf.sum(tf.mul(grads[leaf.name]!, direction));
      expect(slope).toBeAllClose(difference, 1e-4);
      expect(Math.abs(slope.dataSync()[0]!)).toBeGreaterThan(1e-3);
    }
    layer.dispose();
  });

  it('takes n-grams for unknown in training, and the longer ones with them', () => {
    const layer = make({ dropout: 0.4 });
    const rows = Array.from({ length: 40 }, () => [3, 4, 5, 3, 4, 5]);
    const tokens = tf.tensor2d(rows, undefined, 'int32');
    // Each n-gram's vector says of which size it is.
    layer.weight.assign(tf.zerosLike(layer.weight));
    for (const [i, table] of layer.ngrams.entries()) {
      const [count, width] = table.shape;
      const one = tf.concat([tf.zeros([1, width]), tf.ones([count - 1, width])]);
      table.assign(tf.mul(one, 10 ** i) as tf.Tensor2D);
    }
    layer.projection.weight.assign(
      tf.tensor2d([1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [4, 5]),
    );
    const said = (key: number) => {
      const y = layer.forward(tokens, { key: randomKey(key) });
      return Array.from(tf.slice(y, [0, 0, 0], [40, 6, 1]).dataSync());
    };
    const [once, again, other] = [said(1), said(1), said(2)];
    expect(once).toEqual(again);
    expect(once).not.toEqual(other);
    // Both, the shorter one alone, or none; and of places where no longer one is known, no more than one.
    expect(new Set(once)).toEqual(new Set([11, 1, 0]));
    // Five of six are known.
    const shorter = once.filter((x) => x > 0).length / 240;
    expect(shorter).toBeGreaterThan(0.4);
    expect(shorter).toBeLessThan(0.6);
    layer.dispose();
  });

  it('names what is wrong', () => {
    const layer = make();
    expect(() => layer.forward(tensor(batch))).toThrow(
      'NgramEmbedding.forward(context.key): expected a key, for a dropout of 0.1 in training, got undefined',
    );
    layer.eval();
    expect(() => layer.forward([[3]])).toThrow(
      'NgramEmbedding.forward(tokens): expected a tensor int32 [batch, seq], got',
    );
    expect(() => layer.forward(tensor([[6]]))).toThrow(ArgumentError);
    layer.dispose();
    expect(() => make({ widths: { 5: 2 } })).toThrow(
      'NgramEmbedding(options.widths): expected sizes from 2 to 4, got 5',
    );
    expect(() => make({ widths: { 2: 0 } })).toThrow(
      'NgramEmbedding(options.widths[2]): expected an integer ≥ 1, got 0',
    );
    expect(() => make({ widths: {} })).toThrow(ArgumentError);
    expect(() => make({ dropout: 1 })).toThrow('NgramEmbedding(options.dropout)');
  });

  it('holds no tensors', async () => {
    const layer = make();
    await expectNoLeak(() => tf.tidy(() => void layer.forward(tensor(batch), { key: randomKey(3) })));
    layer.dispose();
    await expectNoLeak(() => make().dispose());
  });
});

describe.each(['cpu', 'wasm', 'onnx'])('a Transformer with n-grams on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  const embeddings: EmbeddingMaker = ({ side, vocab, dim, key }) =>
    side === 'source' ? new NgramEmbedding(known, dim, { widths, key }) : new Embedding(vocab, dim, { key });
  const sizes = { sourceVocab: vocab, targetVocab: vocab, dim: 8, heads: 2, layers: 1, dropout: 0.1 };

  it('reads with them, learns, and decodes as it was trained', async () => {
    const model = new Transformer({ ...sizes, embeddings }, { seed: 1 });
    expect(model.source_embedding).toBeInstanceOf(NgramEmbedding);
    expect(model.target_embedding).not.toBeInstanceOf(NgramEmbedding);
    const { ngrams, tables } = model.source_embedding as NgramEmbedding;
    const before = ngrams.map((table) => Array.from(table.dataSync()));
    const known = tables.map((table) => Array.from(table.dataSync()));
    const step = supervised(model, sequenceLoss(), sgd({ lr: 0.1 }), { ema: true });
    const tokens = tf.tensor2d(batch, undefined, 'int32');
    const pairs = {
      source: tokens,
      target: tf.tensor2d(
        [
          [1, 3, 2],
          [1, 4, 2],
        ],
        undefined,
        'int32',
      ),
    };
    for (const i of [1, 2]) tf.dispose(step.run(pairs, randomKey(i)));
    expect(ngrams.map((table) => Array.from(table.dataSync()))).not.toEqual(before);
    expect(tables.map((table) => Array.from(table.dataSync()))).toEqual(known);
    const averages = await step.ema!.averages();
    expect(averages['source_embedding.tables.0']!.shape).toEqual([vocab * vocab]);
    model.eval();
    const [best] = await greedy(model, batch, { maxLength: 4 });
    const prefix = [1, ...best!.tokens];
    const next = tf.slice(model.forward([batch[0]!], [prefix.slice(0, 1)]), [0, 0, 0], [1, 1, vocab]);
    expect(tf.argMax(tf.reshape(next, [-1])).dataSync()[0]).toBe(best!.tokens[0] ?? 2);
    model.dispose();
  });
});
