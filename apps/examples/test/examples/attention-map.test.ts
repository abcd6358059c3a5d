import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBackend } from '@poiesis/core';
import { decodePng, writeSafetensors } from '@poiesis/core/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { typedRow } from '../../src/attention-map/subject';
import { runCli } from '../../src/cli/program';
import { attentionMap } from '../../src/examples/attention-map';
import { TOY_ENTRY, toyModel } from '../../src/examples/translate-toy';
import { Alphabet } from '../../src/g2p/alphabet';
import { parseLexicon } from '../../src/g2p/lexicon';
import { Speaker } from '../../src/g2p/speaker';
import { catchOutput, written } from '../output';

describe('npm start -- attention-map', () => {
  let folder: string;
  let toy: string;
  let g2p: string;
  catchOutput();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poiesis map '));
    [toy, g2p] = [join(folder, 'toy.safetensors'), join(folder, 'g2p.safetensors')];
    await useBackend('cpu');
    const model = toyModel({ seed: 1 });
    const learned = { [TOY_ENTRY]: JSON.stringify({ task: 'sort', length: 5 }) };
    await writeSafetensors(toy, await model.stateDict(), learned);
    const alphabet = Alphabet.of(parseLexicon('cat\tK AE T\nact\tAE K T\n', 'f'));
    const speaker = new Speaker(
      alphabet,
      { dim: 8, heads: 2, layers: 1, dropout: 0.1, positions: 'rotary' },
      { seed: 1 },
    );
    await writeSafetensors(g2p, await speaker.model.stateDict(), speaker.metadata());
    model.dispose();
    speaker.model.dispose();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    return rm(folder, { recursive: true, force: true });
  });

  const start = (...args: string[]) =>
    runCli(
      ['attention-map', '--backend', 'cpu', '--out', join(folder, 'map.png'), ...args],
      [attentionMap],
      'attention-map',
    );

  it('draws the heads of a model of digits', async () => {
    expect(await start('--model', toy, '--row', '3 1 2')).toBe(0);
    expect(written.out).toMatch(/^sort: 3 1 2 → /);
    for (const attention of ['encoder', 'decoder', 'cross'])
      expect(written.out).toContain(`${attention}, layer 2`);
    expect(written.out).toContain(`Picture: ${join(folder, 'map.png')}`);
    expect((await decodePng(await readFile(join(folder, 'map.png')))).width).toBeGreaterThan(600);
  });

  it('draws those of a model of words, and tells their weights as JSON alone', async () => {
    expect(await start('--model', g2p, '--word', 'Cat', '--json', '--attention', 'cross')).toBe(0);
    const told = JSON.parse(written.out);
    expect(told).toMatchObject({ model: g2p, example: 'g2p', source: ['c', 'a', 't'] });
    expect(
      told.maps.map(({ attention, layer, head }: Record<string, unknown>) => [attention, layer, head]),
    ).toEqual([
      ['cross', 1, 1],
      ['cross', 1, 2],
    ]);
    const [{ keys, queries, weights }] = told.maps;
    expect(keys).toEqual(['c', 'a', 't']);
    expect(queries).toEqual([...told.target, '$']);
    expect(weights).toHaveLength(queries.length);
    for (const row of weights) expect(row.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 5);
  });

  it('says nothing where it is to be quiet', async () => {
    expect(await start('--model', toy, '--quiet', '--layer', '1', '--head', '4')).toBe(0);
    expect(written.out + written.err).toBe('');
  });

  it.each<[string, () => string[], RegExp]>([
    [
      'a word for digits',
      () => ['--model', toy, '--word', 'cat'],
      /^--word: .* is a model of translate-toy; give it --row "3 1 2"$/,
    ],
    [
      'digits for words',
      () => ['--model', g2p, '--row', '1'],
      /^--row: .* is a model of g2p; give it --word "phoenix"$/,
    ],
    ['both', () => ['--word', 'cat', '--row', '1'], /^--row: expected either --word or --row, got both$/],
    [
      'a layer that is not there',
      () => ['--model', toy, '--layer', '3'],
      /^--layer: expected 1 to 2, got 3$/,
    ],
    ['a head that is not there', () => ['--model', toy, '--head', '0'], /^--head: expected 1 to 4, got 0$/],
    [
      'too many digits',
      () => ['--model', toy, '--row', '1 2 3 4 5 6'],
      /^--row: expected 1 to 5 digits, got "1 2 3 4 5 6"$/,
    ],
    ['another attention', () => ['--model', toy, '--attention', 'heads'], /argument 'heads' is invalid/],
  ])('takes %s as wrong usage', async (_, args, message) => {
    expect(await start(...args())).toBe(2);
    expect(written.err.trim().replace(/^error: /, '')).toMatch(message);
    expect(written.out).toBe('');
  });

  it('fails in one clear line', async () => {
    const fails = async (message: RegExp, ...args: string[]) => {
      written.err = '';
      expect(await start(...args)).toBe(1);
      expect(written.err).toMatch(message);
      expect(written.err.trim().split('\n')).toHaveLength(1);
    };
    await fails(/^no trained model in .*none: /, '--model', join(folder, 'none'));
    await fails(/unknown letter "b"; known are act$/m, '--model', g2p, '--word', 'bat');
    vi.stubEnv('INIT_CWD', folder);
    await fails(/^--word: no trained model in .*runs.g2p; npm start -- g2p trains one$/m, '--word', 'cat');
    await writeFile(join(folder, 'text'), 'no folder');
    await fails(/^cannot write .*map\.png: /, '--model', toy, '--out', join(folder, 'text', 'map.png'));
    const model = toyModel({ seed: 1 });
    await writeSafetensors(join(folder, 'other.safetensors'), await model.stateDict());
    await fails(
      /holds no model that g2p or translate-toy has trained$/m,
      '--model',
      join(folder, 'other.safetensors'),
    );
    model.dispose();
  });
});

describe('typedRow', () => {
  it.each(['3 1 2', '312', '3, 1, 2'])('reads "%s"', (text) => expect(typedRow(text, 5)).toEqual([3, 1, 2]));
  it.each(['', '3 a', '1.5', '-1'])('refuses "%s"', (text) => {
    expect(() => typedRow(text, 5)).toThrow('--row: expected 1 to 5 digits');
  });
});
