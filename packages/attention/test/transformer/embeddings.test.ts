import { Embedding, type Ids, type Key, Module } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type EmbeddingMaker, padTokens } from '../../src';
import { make, source, target } from './small';

describe('embeddings of a Transformer', () => {
  it('takes other embeddings, and draws nothing else differently for them', () => {
    const plain: EmbeddingMaker = ({ vocab, dim, key }) => new Embedding(vocab, dim, { key });
    const model = make({ embeddings: plain });
    const scaled = make();
    const [a, b] = [model.source_embedding.weight!, scaled.source_embedding.weight!];
    expect(tf.mul(a, 8 ** -0.5)).toBeAllClose(b, 1e-6);
    expect(model.encoder.namedParameters()['layers.0.linear1.weight']!).toBeAllClose(
      scaled.encoder.namedParameters()['layers.0.linear1.weight']!,
      0,
    );
    model.dispose();
    scaled.dispose();
  });

  it('refuses an embedding of another shape', () => {
    const narrow: EmbeddingMaker = ({ vocab, key }) => new Embedding(vocab, 4, { key });
    expect(() => make({ embeddings: narrow })).toThrow(
      'Transformer(config.embeddings(source)): expected a weight [7, 8], got [7, 4]',
    );
  });

  it('needs a weight of an embedding only where it is tied', () => {
    class Halves extends Module {
      readonly halves: Embedding[];
      constructor(vocab: number, dim: number, key: Key) {
        super();
        this.halves = [0, 1].map((i) => new Embedding(vocab, dim / 2, { key: key.fold(i) }));
      }
      forward(tokens: Ids): tf.Tensor {
        return tf.tidy(() =>
          tf.concat(
            this.halves.map((half) => half.forward(tokens)),
            -1,
          ),
        ); // (B, S, dim)
      }
    }
    const halves: EmbeddingMaker = ({ vocab, dim, key }) => new Halves(vocab, dim, key);
    const model = make({ embeddings: halves }).eval();
    expect(model.forward(padTokens(source), padTokens(target)).shape).toEqual([2, 3, 9]);
    model.dispose();
    expect(() => make({ embeddings: halves, tied: 'output' })).toThrow(
      'Transformer(config.embeddings(target)): expected a weight [9, 8], got undefined',
    );
  });
});
