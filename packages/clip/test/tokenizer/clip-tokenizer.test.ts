import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { ArgumentError } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { ClipTokenizer } from '../../src/tokenizer';
import { hashed, type Pieces, stringOf } from './strings';

interface Fixture {
  count: number;
  pieces: Pieces;
  huggingFace: string;
  openClip: string;
  readable: { index: number; text: string; huggingFace: number[]; openClip?: number[] }[];
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/tokenizer.json', import.meta.url), 'utf8'),
);
const vocabulary = fileURLToPath(
  new URL('../../../../../shared/data/clip/bpe_simple_vocab_16e6.txt.gz', import.meta.url),
);
const present = existsSync(vocabulary);
if (!present) console.warn(`CLIP's tokenizer is not tested: ${vocabulary} is not here`);

const words = (base64: string) => new Uint32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);

it('makes the strings that the fixture script made', () => {
  for (const { index, text } of fixture.readable) expect(stringOf(fixture.pieces, index)).toBe(text);
});

describe.skipIf(!present)('ClipTokenizer', () => {
  let tokenizer: ClipTokenizer;
  beforeAll(() => {
    tokenizer = ClipTokenizer.fromMerges(gunzipSync(readFileSync(vocabulary)).toString('utf8'));
  });

  it('has 49,408 ids and rows of 77', () => {
    expect(tokenizer).toMatchObject({
      vocabSize: 49408,
      contextLength: 77,
      startToken: 49406,
      endToken: 49407,
      padToken: 0,
    });
    expect(tokenizer.encode('a photo of a cat')).toEqual([49406, 320, 1125, 539, 320, 2368, 49407]);
  });

  it('gives the ids of CLIPTokenizer for the readable strings', () => {
    for (const { text, huggingFace } of fixture.readable)
      expect(tokenizer.encode(text), text).toEqual(huggingFace);
  });

  it('gives the ids of CLIPTokenizer for 10,000 strings', () => {
    const expected = words(fixture.huggingFace);
    const wrong: string[] = [];
    for (let i = 0; i < fixture.count; i++) {
      const text = stringOf(fixture.pieces, i);
      if (hashed(tokenizer.encode(text)) !== expected[i]) wrong.push(text);
    }
    expect(fixture.count).toBe(10_000);
    expect(wrong).toEqual([]);
  });

  it('fills rows up with padding and cuts them off before an end token', () => {
    const [short, long] = [tokenizer.row('a cat'), tokenizer.row('cat '.repeat(100))];
    expect([...short]).toEqual([49406, 320, 2368, 49407, ...Array(73).fill(0)]);
    expect([...long]).toEqual([49406, ...Array(75).fill(2368), 49407]);
    expectNoLeak(() => {
      const batch = tokenizer.batch(['a cat', 'cat '.repeat(100)]);
      expect(batch.shape).toEqual([2, 77]);
      expect(batch.dtype).toBe('int32');
      expect([...batch.dataSync()]).toEqual([...short, ...long]);
      batch.dispose();
    });
  });

  it('reads what toJSON gave, rows included', () => {
    const small = ClipTokenizer.fromJson(tokenizer.toJSON(), { contextLength: 8, padToken: 49407 });
    const again = ClipTokenizer.fromJson(JSON.parse(JSON.stringify(small.toJSON())));
    expect([...again.row('a cat')]).toEqual([49406, 320, 2368, 49407, 49407, 49407, 49407, 49407]);
    const beside = ClipTokenizer.fromJson(small.toJSON(), { config: { pad_token: { content: '!</w>' } } });
    expect(beside.padToken).toBe(256);
  });

  it('decodes', () => {
    expect(tokenizer.decode(tokenizer.row("A cat's  3 Dogs — 😀 é"))).toBe("a cat 's 3 dogs — 😀 é");
    expect(tokenizer.decode([])).toBe('');
  });

  it('refuses captions without a word, and names them', () => {
    const thrown = () => tokenizer.batch(['a cat', ' \n']);
    expect(thrown).toThrow(ArgumentError);
    expect(thrown).toThrow('TextTokenizer.batch(texts[1]): expected a caption with a word in it, got " \\n"');
    expect(() => tokenizer.batch([undefined as unknown as string])).toThrow('texts[0]');
    expect(() => tokenizer.row('')).toThrow('TextTokenizer.row(text)');
    const patient = ClipTokenizer.fromJson(tokenizer.toJSON(), { allowEmpty: true });
    expect([...patient.row('')].slice(0, 3)).toEqual([49406, 49407, 0]);
  });

  it('takes lone surrogates for U+FFFD', () => {
    expect(tokenizer.encode('a \ud83d b')).toEqual(tokenizer.encode('a \ufffd b'));
  });
});

it('refuses what is no tokenizer', () => {
  expect(() => ClipTokenizer.fromJson({})).toThrow('ClipTokenizer.fromJson(json)');
  expect(() => ClipTokenizer.fromMerges('#version: 0.2\na b c')).toThrow('two tokens in merge 0');
});
