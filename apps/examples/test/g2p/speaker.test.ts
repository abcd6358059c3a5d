import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBackend } from '@poiesis/core';
import { writeSafetensors } from '@poiesis/core/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Alphabet } from '../../src/g2p/alphabet';
import { parseLexicon } from '../../src/g2p/lexicon';
import { Speaker, typedWord } from '../../src/g2p/speaker';
import { Speakers } from '../../src/g2p/speakers';

const alphabet = Alphabet.of(parseLexicon('cat\tK AE T\nact\tAE K T\n', 'f'));
const sizes = { dim: 8, heads: 2, layers: 1, dropout: 0.1, positions: 'rotary' } as const;

// Where one 3-gram is frequent.
const lexicon = parseLexicon(
  'cat\tK AE T\ncats\tK AE T S\nscat\tS K AE T\ncatty\tK AE T T\nact\tAE K T\n',
  'f',
);

describe('Alphabet', () => {
  it('gives letters and phones tokens after padding, start and end', () => {
    expect(alphabet.spell('cat')).toEqual([4, 3, 5]);
    expect(alphabet.sound(['K', 'AE'])).toEqual([4, 3]);
    expect(alphabet.read([4, 3])).toEqual(['K', 'AE']);
    expect([alphabet.sourceVocab, alphabet.targetVocab]).toEqual([6, 6]);
  });

  it('names a letter that it does not know', () => {
    expect(() => alphabet.spell('cäs')).toThrow('"cäs": unknown letter "ä"; known are act');
  });
});

describe('typedWord', () => {
  it('is as words are learned', () => expect(typedWord(' Cat ')).toBe('cat'));
  it.each(['', '  ', 'a'.repeat(63)])('refuses "%s"', (text) => {
    expect(() => typedWord(text)).toThrow('--word: expected 1 to 62 letters');
  });
});

describe('Speaker', () => {
  let folder: string;
  beforeEach(async () => {
    await useBackend('cpu');
    folder = await mkdtemp(join(tmpdir(), 'poiesis speaker '));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each([0, 3, 7] as const)(
    'says the same after it was saved and loaded, with n-grams up to %i',
    async (ngrams) => {
      const speaker = Speaker.of(lexicon, { ...sizes, ngrams }, { seed: 1 });
      const names = Object.keys(speaker.model.namedParameters());
      expect(names.filter((name) => name.startsWith('source_embedding.ngrams.'))).toHaveLength(
        { 0: 0, 3: 1, 7: 3 }[ngrams],
      );
      const file = join(folder, 'model.safetensors');
      await writeSafetensors(file, await speaker.model.stateDict(), speaker.metadata());
      const said = await new Speakers([speaker]).say(['cat'], { beams: 2 });
      expect(said.get('cat')).toHaveLength(2);
      expect(said.get('cat')![0]!.logProb).toBeLessThan(0);
      for (const path of [file, folder]) {
        const loaded = await Speaker.load(path);
        expect(await new Speakers([loaded]).say(['cat'], { beams: 2 })).toEqual(said);
        loaded.model.dispose();
      }
      speaker.model.dispose();
    },
  );

  it('says in one line that there is no model, or another', async () => {
    const error = (message: RegExp) =>
      expect.objectContaining({ name: 'ExampleError', message: expect.stringMatching(message) });
    await expect(Speaker.load(join(folder, 'none'))).rejects.toEqual(error(/^no trained model in .*none/));
    await expect(Speaker.load(folder)).rejects.toEqual(error(/^no trained model in /));
    const model = new Speaker(alphabet, sizes, { seed: 1 }).model;
    await writeSafetensors(join(folder, 'model.safetensors'), await model.stateDict());
    await expect(Speaker.load(folder)).rejects.toEqual(error(/holds no model that g2p has trained$/));
    model.dispose();
  });
});
