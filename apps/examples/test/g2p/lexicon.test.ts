import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cmuEntry, cmuLexicon, parseLexicon, readLexicon, splitLexicon } from '../../src/g2p/lexicon';

describe('cmuEntry', () => {
  it.each([
    ['read', 'R EH1 D', { word: 'read', phones: ['R', 'EH', 'D'] }],
    ['read(2)', 'R IY1 D', { word: 'read', phones: ['R', 'IY', 'D'] }],
    ["'bout", 'B AW1 T', { word: "'bout", phones: ['B', 'AW', 'T'] }],
    ['aarhus', 'AA1 HH UW2 S # place, danish', { word: 'aarhus', phones: ['AA', 'HH', 'UW', 'S'] }],
    ['a.m.', 'EY2 EH1 M', null],
    ['x-ray', 'EH1 K S R EY2', null],
  ])(
    'takes stress, number and remark from %s, and leaves out what is not a word',
    (entry, phones, expected) => {
      expect(cmuEntry(entry, phones)).toEqual(expected);
    },
  );
});

it('finds the words and phones of English in the dictionary', async () => {
  const lexicon = await cmuLexicon();
  expect(lexicon.size).toBeGreaterThan(120_000);
  expect(lexicon.get('tomato')).toEqual([
    ['T', 'AH', 'M', 'EY', 'T', 'OW'],
    ['T', 'AH', 'M', 'AA', 'T', 'OW'],
  ]);
  expect(new Set([...lexicon.values()].flat(2)).size).toBe(39);
});

describe('parseLexicon', () => {
  it('reads a word, a tab and its phones, each pronunciation once', () => {
    const text = 'CAT\tK AE T\r\n\r\nread\tR EH D\nRead\tR IY D\nREAD\tR EH  D\n';
    expect([...parseLexicon(text, 'f')]).toEqual([
      ['cat', [['K', 'AE', 'T']]],
      [
        'read',
        [
          ['R', 'EH', 'D'],
          ['R', 'IY', 'D'],
        ],
      ],
    ]);
  });

  it('knows a letter however its accent is written', () => {
    expect([...parseLexicon('cafe\u0301\tK AE F EY', 'f').keys()]).toEqual(['caf\u00e9']);
  });

  it.each([
    ['no tab', 'a\tAH\ncat K AE T', 'f, line 2: expected a word, a tab, and its phones, got "cat K AE T"'],
    ['no phones', 'cat\t ', 'f, line 1: expected a word, a tab, and its phones, got "cat\\t "'],
    ['no word', '\n\tK AE T', 'f, line 2: expected a word, a tab, and its phones, got "\\tK AE T"'],
    ['three columns', 'cat\tK\tAE', 'f, line 1: expected a word, a tab, and its phones, got "cat\\tK\\tAE"'],
    [
      'a long word',
      `${'a'.repeat(63)}\tAH`,
      `f, line 1: expected at most 62 letters and phones, got "${'a'.repeat(60)}…"`,
    ],
    ['nothing', '\n \n', 'f holds no words'],
  ])('tells a file with %s in one line', (_, text, message) => {
    expect(() => parseLexicon(text, 'f')).toThrow(expect.objectContaining({ name: 'ExampleError', message }));
  });
});

it('tells a file that cannot be read, and one that is no text', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'poiesis lexicon '));
  try {
    const file = join(folder, 'words');
    await expect(readLexicon(file)).rejects.toThrow(`cannot read ${file} (ENOENT)`);
    await writeFile(file, Uint8Array.of(0xff, 0xfe, 0x09));
    await expect(readLexicon(file)).rejects.toThrow(`${file} is not UTF-8 text`);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('splitLexicon', () => {
  const words = Array.from({ length: 400 }, (_, i) => `word${i}`);
  const all = new Map(words.map((word) => [word, [['W']]]));
  const keys = (part: ReadonlyMap<string, unknown>) => [...part.keys()];

  it('puts each word into one part', () => {
    const { train, validation, test } = splitLexicon(all);
    expect([train.size, validation.size, test.size]).toEqual([376, 4, 20]);
    expect([...keys(train), ...keys(validation), ...keys(test)].sort()).toEqual([...words].sort());
  });

  it('is decided by the words', () => {
    const { test } = splitLexicon(all);
    expect(keys(splitLexicon(new Map([...all].reverse())).test)).toEqual(keys(test));
    expect(keys(splitLexicon(new Map([...all].slice(1))).test)).not.toEqual(keys(test));
  });

  it('learns from no word of a test set that is given', () => {
    const given = new Map([...all].slice(0, 100));
    const { train, validation, test } = splitLexicon(all, { test: given });
    expect(test).toBe(given);
    expect([...keys(train), ...keys(validation)].filter((word) => given.has(word))).toEqual([]);
    expect(train.size + validation.size).toBe(300);
  });

  it('says where there is too little', () => {
    expect(() => splitLexicon(all, { test: all })).toThrow('0 words to learn from are too few');
  });
});
