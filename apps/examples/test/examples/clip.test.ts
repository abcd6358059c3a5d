import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostImage } from '@poiesis/core';
import { readImage, readSafetensors, writePng } from '@poiesis/core/node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program';
import { EmojiSet, emojiFile, type Style, styles } from '../../src/emoji/emoji-set';
import { splitEmoji } from '../../src/emoji/split';
import { clip } from '../../src/examples/clip';
import { catchOutput, written } from '../output';

const SIZE = 48;
const colours = ['red', 'green', 'blue', 'black'];
const places = ['top', 'middle', 'bottom', 'left', 'right', 'everywhere'];

/** A coloured bar somewhere; each style has its own shade. */
function bar(colour: number, place: number, style: number): HostImage {
  const data = new Uint8Array(SIZE * SIZE * 3).fill(255);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const third = [y < 16, y >= 16 && y < 32, y >= 32, x < 16, x >= 32, true][place]!;
      for (let c = 0; third && c < 3; c++)
        data[(y * SIZE + x) * 3 + c] = c === colour ? 255 - 40 * style : 30 * style;
    }
  }
  return { data, width: SIZE, height: SIZE, channels: 3 };
}

/** 24 emoji of three styles; one is not drawn in the last. */
function smallSet(): EmojiSet {
  const kinds = colours.flatMap((_, colour) => places.map((_, place) => ({ colour, place })));
  const emoji = kinds.map(({ colour, place }, i) => ({
    code: (0x1f600 + i).toString(16),
    name: `${colours[colour]} ${places[place]}`,
    keywords: [colours[colour]!, places[place]!, 'bar'],
    family: `${i}`,
  }));
  const perStyle = <T>(make: (style: number) => T) =>
    Object.fromEntries(styles.map((style, i) => [style, make(i)])) as Record<Style, T>;
  const pixels = perStyle((style) =>
    Uint8Array.from(kinds.flatMap(({ colour, place }) => [...bar(colour, place, style).data])),
  );
  const drawn = perStyle((style) => Uint8Array.from(kinds, (_, i) => (style === 2 && i === 5 ? 0 : 1)));
  return new EmojiSet(SIZE, emoji, pixels, drawn);
}

describe('npm start -- clip', () => {
  let parent: string;
  let folder: string;
  catchOutput();
  const set = smallSet();
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'poiesis clip '));
    await mkdir(join(parent, 'data'));
    await set.write(emojiFile(join(parent, 'data'), SIZE));
  });
  afterAll(() => rm(parent, { recursive: true, force: true }));
  beforeEach(async () => {
    folder = await mkdtemp(join(parent, 'case '));
  });

  const file = (name: string) => join(folder, name);
  const data = () => ['--data-dir', join(parent, 'data'), '--backend', 'wasm', '--quiet'];
  const start = (...args: string[]) => runCli(['clip', ...args], [clip], 'clip');
  const sizes = ['--dim', '32', '--embed-dim', '16', '--layers', '1', '--text-layers', '1', '--patch', '16'];
  const small = () => [...data(), ...sizes, '--batch', '8', '--evaluate-every', '1'];

  it('learns, tells its recall, draws, and finds what it has learned', async () => {
    expect(await start(...small(), '--steps', '2', '--out', file('run'))).toBe(0);
    expect((await readdir(file('run'))).sort()).toEqual([
      'checkpoints',
      'config.json',
      'events.jsonl',
      'metrics.json',
      'model.safetensors',
      'samples.png',
      'similarity.png',
    ]);
    const recall = { at1: expect.any(Number), at5: expect.any(Number), at10: expect.any(Number) };
    const { train, test } = splitEmoji(set.emoji);
    const inLast = train.filter((i) => set.has('fluent', i)).length;
    expect(JSON.parse(await readFile(file('run/metrics.json'), 'utf8'))).toMatchObject({
      example: 'clip',
      steps: 2,
      losses: { loss: expect.any(Number), scale: expect.any(Number) },
      recall: {
        unseenEmoji: { textToImage: recall, imageToText: recall },
        unseenStyle: { textToImage: recall, imageToText: recall },
      },
      testEmoji: test.length,
      testImages: 2 * test.length + inLast,
      trainEmoji: train.length,
      parameters: expect.any(Number),
    });
    for (const picture of ['samples.png', 'similarity.png']) {
      expect((await readImage(file(`run/${picture}`))).width).toBeGreaterThan(200);
    }

    const search = ['search', ...data(), '--model', file('run'), '--best', '3', '--out', file('found.png')];
    expect(await start(...search, '--query', 'Red, top!')).toBe(0);
    expect(written.out).toMatch(
      /^(-?\d\.\d{3} {2}\S+ {2}\w+ \w+( \(not learned\))?, by (google|twitter|fluent)\n){3}$/,
    );
    expect((await readImage(file('found.png'))).width).toBeGreaterThan(200);
    written.out = '';
    await writePng(file('picture.png'), set.image('google', 3));
    expect(await start(...search, '--image', file('picture.png'))).toBe(0);
    expect(written.out).toMatch(/^(-?\d\.\d{3} {2}\S+ {2}\w+ \w+( \(not learned\))?\n){3}$/);
    expect(await start(...search, '--image', file('none.png'))).toBe(1);
    expect(written.err).toMatch(/^cannot read the picture .*none\.png: .*\n$/);
  });

  it('goes on after Ctrl-C to the same bits', async () => {
    const run = [...small(), '--steps', '40', '--evaluate-every', '100', '--out'];
    expect(await start(...run, file('whole'))).toBe(0);
    const cut = start(...run, file('cut'));
    const steps = async () =>
      (await readFile(file('cut/events.jsonl'), 'utf8').catch(() => '')).split('"step"').length;
    while ((await steps()) < 4) await sleep(5);
    process.emit('SIGINT');
    expect(await cut).toBe(130);
    expect(written.err).toMatch(/Interrupted at step \d+ of 40\. To go on: npm start -- clip --resume --out/);
    expect(await start('--data-dir', join(parent, 'data'), '--quiet', '--resume', '--out', file('cut'))).toBe(
      0,
    );
    const [one, other] = [await readSafetensors(file('whole')), await readSafetensors(file('cut'))];
    expect(Object.keys(other)).toEqual(Object.keys(one));
    for (const [name, { bytes }] of Object.entries(one)) {
      expect([name, Buffer.compare(bytes, other[name]!.bytes)]).toEqual([name, 0]);
    }
  });

  it('indexes a folder, passes over what is no picture, and searches it', async () => {
    expect(await start(...small(), '--steps', '1', '--out', file('run'))).toBe(0);
    await mkdir(file('pictures/more'), { recursive: true });
    await writePng(file('pictures/one.png'), set.image('google', 1));
    await writePng(file('pictures/two.png'), set.image('google', 8));
    await writePng(file('pictures/more/three.png'), set.image('twitter', 15));
    await writeFile(file('pictures/bad.jpg'), 'no picture');
    await writeFile(file('pictures/notes.txt'), 'no picture either');
    const index = ['index', '--backend', 'wasm', '--folder', file('pictures'), '--model', file('run')];
    const to = ['--index', file('index')];
    expect(await start(...index, ...to)).toBe(0);
    expect(written.out).toContain('3 pictures indexed, 1 could not be read');
    expect(written.err).toMatch(/not indexed: bad\.jpg: .*\n$/);

    written.out = '';
    const search = ['search', ...data().slice(2), ...to, '--out', file('found.png')];
    expect(await start(...search, '--image', file('pictures/two.png'), '--best', '2')).toBe(0);
    expect(written.out.split('\n')[0]).toBe(`1.000  ${file('pictures/two.png')}`);
    expect(written.out.trim().split('\n')).toHaveLength(2);
    written.out = '';
    expect(await start(...search, '--query', 'blue')).toBe(0);
    expect(written.out.match(/^-?\d\.\d{3} {2}.*(one|two|three)\.png$/gm)).toHaveLength(3);

    [written.out, written.err] = ['', ''];
    await rm(file('pictures/one.png'));
    await writePng(file('pictures/more/four.png'), set.image('fluent', 2));
    expect(await start(...index, ...to)).toBe(0);
    expect(written.out).toContain(
      '1 pictures indexed, 2 were there already, 1 are gone, 1 could not be read',
    );

    // Another model has other embeddings.
    expect(await start(...small(), '--steps', '1', '--seed', '2', '--out', file('other'))).toBe(0);
    [written.out, written.err] = ['', ''];
    expect(await start(...search, '--query', 'blue', '--model', file('other'))).toBe(1);
    expect(written.err).toMatch(
      /^.*index was made with another model than .*other; index the folder again\n$/,
    );
  });

  it.each([
    [['--patch', '5'], 2, /^--patch: expected/],
    [['--dim', '33'], 2, /^--dim: /],
    [['--batch', '30'], 1, /batch/],
    [['search', '--query', 'cat'], 2, 'give --model or --index\n'],
    [['search', '--model', 'x'], 2, 'give either --query or --image\n'],
    [['search', '--model', 'x', '--query', 'a', '--image', 'b'], 2, 'give either --query or --image\n'],
    [['search', '--model', 'x', '--query', '—'], 2, /^--query: expected words/],
    [['search', '--model', 'x', '--query', 'a', '--best', '0'], 2, '--best: expected 1 to 100, got 0\n'],
    [['search', '--model', '/none', '--query', 'a'], 1, /^no model .*\/none/],
    [['search', '--index', '/none', '--query', 'a'], 1, /^no index in \/none: /],
    [['index', '--folder', '/none', '--model', 'x', '--index', 'y'], 1, /\/none/],
    [['index', '--model', 'x', '--index', 'y'], 2, /--folder/],
  ])('says in one line what is wrong with %s', async (args, code, message) => {
    const own = args[0]!.startsWith('--') ? [...small(), '--steps', '1', '--out', file('run')] : [];
    expect(await start(...own, ...args)).toBe(code);
    expect(written.err).toMatch(message);
    expect(written.err.trim().split('\n')).toHaveLength(1);
  });
});
