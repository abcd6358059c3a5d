import '@poiesis/backend-onnx';
import { useBackend } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { Alphabet } from '../../src/g2p/alphabet';
import { Direction } from '../../src/g2p/direction';
import { parseLexicon } from '../../src/g2p/lexicon';
import { Speaker } from '../../src/g2p/speaker';
import { Speakers } from '../../src/g2p/speakers';

const alphabet = Alphabet.of(parseLexicon('cat\tK AE T\nact\tAE K T\n', 'f'));
const sizes = { dim: 8, heads: 2, layers: 1, dropout: 0, positions: 'rotary' } as const;
const speaker = (seed: number, backwards = false) => {
  const speaker = new Speaker(alphabet, { ...sizes, backwards }, { seed });
  // An end is probable, else what nobody has trained goes on until it is cut.
  speaker.model.output.bias.assign(tf.tensor1d([0, 0, 3, 0, 0, 0]));
  return speaker;
};
const word = alphabet.spell('cat');

describe.each(['wasm', 'onnx'])('on %s', (backend) => {
  beforeEach(async () => {
    await useBackend(backend);
  });

  describe('Direction', () => {
    it.each([false, true])('judges as it decodes, backwards: %s', async (backwards) => {
      const direction = new Direction([speaker(1).model, speaker(2).model], { backwards });
      const [proposed] = await direction.propose([word], { beams: 3 });
      expect(proposed).toHaveLength(3);
      const judged = await direction.judge(proposed!.map(({ tokens }) => ({ word, tokens })));
      for (const [i, { logProb }] of proposed!.entries()) expect(judged[i]).toBeCloseTo(logProb, 4);
    });

    it('turns what is said from the end', async () => {
      const { model } = speaker(1);
      const [forwards] = await new Direction([model], { backwards: false }).propose([word], { beams: 2 });
      const [backwards] = await new Direction([model], { backwards: true }).propose([word], { beams: 2 });
      expect(backwards!.map(({ tokens }) => [...tokens].reverse())).toEqual(
        forwards!.map(({ tokens }) => tokens),
      );
    });
  });

  it('say what is most probable from both ends', async () => {
    const speakers = [speaker(1), speaker(2), speaker(3, true)];
    const said = await new Speakers(speakers).say(['cat', 'act', 'tac'], { beams: 3 });
    expect([...said.keys()].sort()).toEqual(['act', 'cat', 'tac']);
    const [one, two, back] = speakers.map(({ model }) => model);
    const directions = [
      new Direction([one!, two!], { backwards: false }),
      new Direction([back!], { backwards: true }),
    ];
    for (const [word, found] of said) {
      expect(found).toHaveLength(3);
      expect(found.map(({ logProb }) => logProb).sort((a, b) => b - a)).toEqual(
        found.map(({ logProb }) => logProb),
      );
      const pairs = found.map(({ phones }) => ({
        word: alphabet.spell(word),
        tokens: alphabet.sound(phones),
      }));
      const [forwards, backwards] = [await directions[0]!.judge(pairs), await directions[1]!.judge(pairs)];
      for (const [i, { logProb }] of found.entries())
        expect(logProb).toBeCloseTo((forwards[i]! + backwards[i]!) / 2, 4);
    }
  });

  it('who are one and the same say what one says', async () => {
    const [a, b] = [await say(speaker(1)), await say(speaker(1), speaker(1))];
    expect(b.map(({ phones }) => phones)).toEqual(a.map(({ phones }) => phones));
    for (const [i, { logProb }] of a.entries()) expect(b[i]!.logProb).toBeCloseTo(logProb, 4);
  });

  it('refuse speakers of other phones', () => {
    const other = Alphabet.of(parseLexicon('cat\tK AA T\nact\tAE K T\n', 'f'));
    const speakers = [speaker(1), new Speaker(other, sizes, { seed: 1 })];
    expect(() => new Speakers(speakers)).toThrow('have to know the same letters and phones');
  });
});

async function say(...speakers: Speaker[]) {
  return (await new Speakers(speakers).say(['cat'], { beams: 3 })).get('cat')!;
}
