import { beamSearch, padTokens, Transformer } from '@poiesis/attention';
import '@poiesis/backend-onnx';
import { logSoftmax, useBackend } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Ensemble } from '../../src/g2p/ensemble';

const sizes = { sourceVocab: 7, targetVocab: 6, dim: 8, heads: 2, maxLength: 12 };
const models = [
  new Transformer({ ...sizes, layers: 1 }, { seed: 1 }),
  new Transformer({ ...sizes, layers: 2, dim: 12 }, { seed: 2 }),
  new Transformer({ ...sizes, layers: 1 }, { seed: 3 }),
];
for (const model of models) model.eval();
const sources = [
  [3, 4, 5, 6],
  [5, 3],
];
const targets = [
  [1, 3, 4, 5],
  [1, 5, 5, 3],
];

describe.each(['cpu', 'wasm', 'onnx'])('Ensemble on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('has the mean of the probabilities', () => {
    const logProbs = new Ensemble(models).forward(sources, targets);
    const mean = tf.mean(tf.stack(models.map((model) => tf.softmax(model.forward(sources, targets)))), 0);
    expect(tf.exp(logProbs)).toBeAllClose(mean, 1e-6);
  });

  it('of one model is the model, and of a model twice too', () => {
    const alone = logSoftmax(models[0]!.forward(sources, targets));
    expect(new Ensemble([models[0]!]).forward(sources, targets)).toBeAllClose(alone, 1e-6);
    expect(new Ensemble([models[0]!, models[0]!]).forward(sources, targets)).toBeAllClose(alone, 1e-6);
  });

  it('decodes step by step what it says of whole targets', async () => {
    const ensemble = new Ensemble(models);
    const found = await beamSearch(ensemble, sources, { beams: 3, lengthPenalty: 0, maxLength: 6 });
    const finished = found.flatMap((hypotheses, i) =>
      hypotheses.filter((one) => one.finished).map((one) => ({ ...one, i })),
    );
    expect(finished.length).toBeGreaterThan(0);
    for (const { tokens, logProb, i } of finished) {
      const logProbs = ensemble.forward([sources[i]!], [[1, ...tokens]]).arraySync()[0]!;
      const sum = [...tokens, 2].reduce((sum, token, place) => sum + logProbs[place]![token]!, 0);
      expect(logProb).toBeCloseTo(sum, 4);
    }
  });

  it('keeps nothing', async () => {
    const ensemble = new Ensemble(models);
    const tokens = padTokens(sources);
    await expectNoLeak(() => {
      ensemble.forward(tokens, targets).dispose();
    });
    tokens.dispose();
  });
});
