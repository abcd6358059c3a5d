import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ClipTokenizer } from '../../src/tokenizer';
import { hashed, stringOf } from './strings';

interface Tokenizer {
  json: { normalizer: { normalizers: { precompiled_charsmap?: string }[] } };
  /** 32-bit numbers. */
  hashes: string;
  example: { text: string; ids: number[] };
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8'));
const { pieces } = read('tokenizer.json');
const fixture: { count: number; siglip: Tokenizer; siglip2: Tokenizer } = read('siglip_tokenizer.json');

describe.each(['siglip', 'siglip2'] as const)('a tokenizer.json like that of %s', (name) => {
  const { json, hashes, example } = fixture[name];
  const tokenizer = ClipTokenizer.fromJson(json, { contextLength: 64 });

  it('gives the ids of the original for 3,000 strings', () => {
    expect(fixture.count).toBe(3000);
    expect(tokenizer.encode(example.text)).toEqual(example.ids);
    const expected = new Uint32Array(Uint8Array.from(Buffer.from(hashes, 'base64')).buffer);
    const texts = Array.from(expected, (_, i) => stringOf(pieces, i));
    expect(texts.filter((text, i) => hashed(tokenizer.encode(text)) !== expected[i])).toEqual([]);
  });

  it('has no start, ends texts, and fills them up', () => {
    expect(tokenizer).toMatchObject({ startToken: undefined, endToken: 1, padToken: 0, contextLength: 64 });
    const row = tokenizer.row(example.text);
    expect([...row].slice(0, example.ids.length)).toEqual(example.ids);
    expect([...row].slice(example.ids.length).every((id) => id === 0)).toBe(true);
  });

  it('decodes', () => {
    const ids = tokenizer.encode('a photo of the dog');
    expect(tokenizer.decode(ids)).toBe('a photo of the dog');
  });
});

it.each([
  ['AQID', 3],
  ['no-base64', 0],
])('refuses the damaged map of characters %j', (damaged, bytes) => {
  const { normalizer, ...json } = fixture.siglip.json;
  const normalizers = normalizer.normalizers.map((step) =>
    step.precompiled_charsmap ? { ...step, precompiled_charsmap: damaged } : step,
  );
  expect(() => ClipTokenizer.fromJson({ ...json, normalizer: { ...normalizer, normalizers } })).toThrow(
    `ClipTokenizer(json.normalizer.precompiled_charsmap): expected a trie and its replacements, got ${bytes}`,
  );
});
