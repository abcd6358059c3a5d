import '@poiesis/backend-onnx';
import { type SequenceBatch, SequenceBatches, sequenceLoss } from '@poiesis/attention';
import { adam, crossEntropy, randomKey, supervised, useBackend } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Alignment } from '../../src/g2p/alignment';
import { Alphabet } from '../../src/g2p/alphabet';
import { parseLexicon } from '../../src/g2p/lexicon';
import { modelOf, Pupil, soundLabels } from '../../src/g2p/pupil';
import { Speaker } from '../../src/g2p/speaker';

const lines = [
  'cat\tK AE T',
  'tax\tT AE K S',
  'tack\tT AE K',
  'sack\tS AE K',
  'axes\tAE K S IH Z',
  'a\tAE IH Z K',
];
const lexicon = parseLexicon(lines.join('\n'), 'f');
const alphabet = Alphabet.of(lexicon);
const alignment = Alignment.of(lexicon, alphabet);
const sizes = { dim: 8, heads: 2, layers: 1, dropout: 0, positions: 'rotary' } as const;
const speaker = Speaker.of(lexicon, sizes, { seed: 1, alignment });
const { pad, end, targetVocab } = speaker.model.config;
const labelsOf = (word: string) => {
  const spoken = { letters: alphabet.spell(word), phones: alphabet.sound(lexicon.get(word)![0]!) };
  return soundLabels(spoken, alignment, speaker.model.config);
};
const pairs = [...lexicon].map(([word, [phones]]) => ({
  source: speaker.spell(word),
  target: speaker.sound(phones!),
  labels: labelsOf(word),
}));
const batches = new SequenceBatches(pairs, {
  ...speaker.model.config,
  rows: 6,
  lengths: [6],
  shuffle: false,
});

describe('soundLabels', () => {
  const sounds = (word: string) =>
    labelsOf(word).map((label) =>
      [label % targetVocab, Math.floor(label / targetVocab)]
        .filter((token) => token !== end)
        .map((token) => (token === pad ? '?' : alphabet.read([token])[0]))
        .join(' '),
    );

  it('are the first and the second phone of each letter', () => {
    expect(sounds('cat')).toEqual(['K', 'AE', 'T']);
    expect(sounds('tax')).toEqual(['T', 'AE', 'K S']);
    expect(sounds('tack').filter((sound) => sound === '')).toHaveLength(1);
  });

  it('are padding where there are more phones than letters can have', () => {
    expect(labelsOf('a')).toEqual([pad]);
  });
});

describe.each(['cpu', 'wasm', 'onnx'])('Pupil on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  const key = randomKey(3);
  const first = async (): Promise<SequenceBatch> => {
    for await (const batch of batches) return batch;
    throw new Error('no batch');
  };

  it('adds to the loss of the model that of the sounds of letters, padding left out', async () => {
    const pupil = new Pupil(speaker.model, { key });
    const batch = await first();
    for (const labelSmoothing of [0, 0.1]) {
      const { loss, phones, letters } = pupil.loss(batch, { labelSmoothing, key });
      expect(phones).toBeAllClose(sequenceLoss({ labelSmoothing })(speaker.model, batch, key), 1e-5);
      expect(loss).toBeAllClose(tf.add(phones, letters), 1e-5);
      // Letter by letter, phone by phone.
      const logits = pupil.sounds.forward(speaker.model.encode(batch.source as tf.Tensor2D));
      const rows = tf.reshape(logits, [-1, 2 * targetVocab]).arraySync() as number[][];
      const labels = Array.from(batch.labels!.dataSync());
      const each = labels.flatMap((label, i) => {
        if (label === pad) return [];
        const [one, two] = [label % targetVocab, Math.floor(label / targetVocab)];
        const at = (row: number[], token: number) =>
          crossEntropy(tf.tensor2d([row]), tf.tensor1d([token], 'int32'), { labelSmoothing }).dataSync()[0]!;
        return [at(rows[i]!.slice(0, targetVocab), one), at(rows[i]!.slice(targetVocab), two)];
      });
      expect(each).toHaveLength(2 * (3 + 3 + 4 + 4 + 4));
      expect(letters.dataSync()[0]).toBeCloseTo(each.reduce((sum, x) => sum + x, 0) / each.length, 4);
    }
    await expectNoLeak(() => tf.dispose(pupil.loss(batch, { labelSmoothing: 0.1, key })));
    tf.dispose([batch.source, batch.target, batch.labels!]);
  });
});

it('learns both, and leaves a model by its own names', async () => {
  await useBackend('wasm');
  const { model } = Speaker.of(lexicon, sizes, { seed: 2, alignment });
  const pupil = new Pupil(model, { key: randomKey(4) });
  const step = supervised(
    pupil,
    (pupil, batch: SequenceBatch, key) => pupil.loss(batch, { labelSmoothing: 0, key }),
    adam({ lr: 0.02 }),
  );
  const losses: Record<string, number>[] = [];
  for (let i = 0; i < 60; i++) {
    for await (const { source, target, labels } of batches) {
      const found = step.run({ source, target, labels: labels! }, randomKey(i));
      losses.push(Object.fromEntries(Object.entries(found).map(([name, x]) => [name, x.dataSync()[0]!])));
      tf.dispose([source, target, labels!, ...Object.values(found)]);
    }
  }
  expect(losses.at(-1)!.phones).toBeLessThan(losses[0]!.phones! / 4);
  expect(losses.at(-1)!.letters).toBeLessThan(losses[0]!.letters! / 4);
  const state = modelOf(await pupil.stateDict());
  expect(Object.keys(state)).toEqual(Object.keys(await model.stateDict()));
});
