import '@poiesis/backend-onnx';
import { useBackend } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { Alphabet } from '../../src/g2p/alphabet';
import { parseLexicon } from '../../src/g2p/lexicon';
import { Speaker } from '../../src/g2p/speaker';
import { Speakers } from '../../src/g2p/speakers';

const alphabet = Alphabet.of(parseLexicon('cat\tK AE T\nact\tAE K T\n', 'f'));
const sizes = { dim: 8, heads: 2, layers: 1, dropout: 0, positions: 'rotary' } as const;
const speaker = (seed: number, backwards = false) => {
  const speaker = new Speaker(alphabet, { ...sizes, backwards }, { seed });
  // An end is probable, else what nobody has trained goes on until it is cut.
  speaker.model.eval();
  speaker.model.output.bias.assign(tf.tensor1d([0, 0, 3, 0, 0, 0]));
  return speaker;
};

describe.each(['wasm', 'onnx'])('on %s', (backend) => {
  beforeEach(async () => {
    await useBackend(backend);
  });

  it.each([false, true])('judge as they decode, backwards: %s', async (backwards) => {
    const one = speaker(1, backwards);
    const [proposed] = await one.propose(['cat'], { beams: 3 });
    expect(proposed).toHaveLength(3);
    const judged = await one.judge(proposed!.map(({ phones }) => ({ word: 'cat', phones })));
    for (const [i, { logProb }] of proposed!.entries()) expect(judged[i]).toBeCloseTo(logProb, 4);
  });

  it('turn what they say from the end', async () => {
    const phones = async (backwards: boolean) => {
      const [proposed] = await speaker(1, backwards).propose(['cat'], { beams: 2 });
      return proposed!.map(({ phones }) => phones);
    };
    const [forwards, backwards] = [await phones(false), await phones(true)];
    expect(backwards.map((one) => one.reverse())).toEqual(forwards);
  });

  it('say what is most probable to all of them, from both ends', async () => {
    const speakers = [speaker(1), speaker(2), speaker(3, true)];
    const said = await new Speakers(speakers).say(['cat', 'act', 'tac'], { beams: 3 });
    expect([...said.keys()].sort()).toEqual(['act', 'cat', 'tac']);
    for (const [word, found] of said) {
      const logProbs = found.map(({ logProb }) => logProb);
      expect(logProbs).toHaveLength(3);
      expect([...logProbs].sort((a, b) => b - a)).toEqual(logProbs);
      const proposed = (await Promise.all(speakers.map((one) => one.propose([word], { beams: 3 })))).flat(2);
      const pairs = [...proposed, ...found].map(({ phones }) => ({ word, phones }));
      const verdicts = await Promise.all(speakers.map((one) => one.judge(pairs)));
      const means = pairs.map((_, i) => verdicts.reduce((sum, verdict) => sum + verdict[i]!, 0) / 3);
      for (const [i, logProb] of logProbs.entries())
        expect(logProb).toBeCloseTo(means[proposed.length + i]!, 4);
      // The best of all that were proposed.
      expect(logProbs[0]).toBeCloseTo(Math.max(...means), 4);
    }
  });

  it('judge what does not end, of the longest words too', async () => {
    const endless = [speaker(1), speaker(2, true)];
    for (const { model } of endless) model.output.bias.assign(tf.tensor1d([0, 0, -50, 0, 0, 0]));
    const word = 'cat'.repeat(20);
    const [best] = (await new Speakers(endless).say([word], { beams: 2 })).get(word)!;
    expect(best!.logProb).toBeLessThan(-50);
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
