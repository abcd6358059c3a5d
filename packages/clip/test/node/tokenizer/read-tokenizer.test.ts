import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FileFormatError, StorageError } from '@poiesis/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readTokenizer } from '../../../src/node';
import { ClipTokenizer, WordTokenizer } from '../../../src/tokenizer';

const MERGES = '#version: 0.2\na t</w>\nc at</w>\nd o\ndo g</w>\n';
const expected = [516, 320, 513, 515, 517];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const write = (name: string, content: string | Uint8Array) => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};

it('reads merges, compressed or not', async () => {
  for (const file of [write('merges.bpe', MERGES), write('merges.txt.gz', gzipSync(MERGES))]) {
    const tokenizer = await readTokenizer(file, { contextLength: 8 });
    expect(tokenizer.vocabSize).toBe(518);
    expect(tokenizer.encode('A cat dog')).toEqual(expected);
    expect(tokenizer.contextLength).toBe(8);
  }
});

it('reads folders of Hugging Face, with what they say of padding and length', async () => {
  const original = ClipTokenizer.fromMerges(MERGES);
  const { model } = original.toJSON() as { model: { vocab: Record<string, number> } };
  write('vocab.json', JSON.stringify(model.vocab));
  write('merges.txt', MERGES);
  write('tokenizer_config.json', JSON.stringify({ pad_token: '<|endoftext|>', model_max_length: 16 }));
  const old = await readTokenizer(folder);
  expect(old.encode('A cat dog')).toEqual(expected);
  expect([...old.row('a')]).toEqual([516, 320, ...Array(14).fill(517)]);
  write('tokenizer.json', JSON.stringify(ClipTokenizer.fromMerges(MERGES, { contextLength: 5 }).toJSON()));
  const whole = await readTokenizer(folder);
  expect([...whole.row('cat')]).toEqual([516, 513, 517, 517, 517]);
});

it('reads a WordTokenizer back', async () => {
  const words = WordTokenizer.of(['a cat', 'a dog'], { contextLength: 6 });
  const file = write('tokenizer.json', JSON.stringify(words));
  for (const path of [file, folder]) expect(await readTokenizer(path)).toEqual(words);
});

it('names the file that is missing or wrong', async () => {
  await expect(readTokenizer(join(folder, 'none'))).rejects.toThrow(StorageError);
  await expect(readTokenizer(folder)).rejects.toThrow('no tokenizer.json, and no vocab.json');
  for (const [name, content] of [
    ['a.json', '{"model": '],
    ['b.json', '{}'],
    ['c.txt', 'not a file of merges'],
    ['d.txt.gz', gzipSync(MERGES).subarray(0, 20)],
    ['e.json', '{"model": {"type": "WordPiece"}}'],
  ] as const) {
    const error = await readTokenizer(write(name, content)).catch((e) => e);
    expect(FileFormatError.isInstance(error), `${name}: ${error}`).toBe(true);
    expect(error.message).toContain(name);
  }
});
