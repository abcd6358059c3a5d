import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program';
import { g2p } from '../../src/examples/g2p';
import { catchOutput, written } from '../output';

describe('npm start -- g2p', () => {
  let folder: string;
  catchOutput();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poiesis g2p '));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const start = (...args: string[]) => runCli(['g2p', ...args], [g2p], 'g2p');
  const file = (name: string) => join(folder, name);
  const words = (...list: string[]) => list.map((word) => `${word}\t${[...word].join(' ')}`).join('\n');
  const small = [
    '--batch',
    '2',
    '--dim',
    '8',
    '--heads',
    '2',
    '--layers',
    '1',
    '--backend',
    'wasm',
    '--quiet',
  ];

  it('learns from a file, is tested on another, and says words', async () => {
    await writeFile(file('data'), words('AB', 'BA', 'ABBA', 'BAA', 'AAB', 'BB'));
    await writeFile(file('test'), words('AB', 'ABB'));
    const run = ['--data', file('data'), '--test', file('test'), '--out', file('run'), ...small];
    expect(await start(...run, '--steps', '2', '--evaluate-every', '1')).toBe(0);
    const metrics = JSON.parse(await readFile(file('run/metrics.json'), 'utf8'));
    expect(metrics).toMatchObject({
      example: 'g2p',
      steps: 2,
      testWords: 2,
      trainWords: 4,
      wordErrorRate: expect.any(Number),
      phonemeErrorRate: expect.any(Number),
      parameters: expect.any(Number),
    });
    const events = (await readFile(file('run/events.jsonl'), 'utf8')).trim().split('\n');
    const evaluations = events.map((line) => JSON.parse(line)).filter(({ type }) => type === 'evaluation');
    expect(evaluations.map(({ step }) => step)).toEqual([1, 2]);
    expect(Object.keys(evaluations[0].metrics)).toEqual(['wordErrorRate', 'phonemeErrorRate']);

    const say = ['say', '--model', file('run'), '--backend', 'wasm', '--word'];
    expect(await start(...say, 'Abba', 'ab', '--best', '2')).toBe(0);
    expect(written.out).toMatch(/^abba\n( {2}.* {2}[ .\d]{5} % {2}-\d+\.\d{3}\n){2}ab\n( {2}.*\n){2}$/);
    const back = ['--out', file('back'), '--backwards', '--seed', '2', '--steps', '1', ...small];
    expect(await start('--data', file('data'), '--test', file('test'), ...back)).toBe(0);
    const both = ['--model', file('run'), file('back'), '--backend', 'wasm'];
    expect(await start('say', ...both, '--word', 'ab', '--best', '1')).toBe(0);
    expect(written.out.split('\n').slice(-3)).toEqual(['ab', expect.stringMatching(/ % {2}-\d/), '']);
    expect(await start('test', ...both, '--test', file('test'), '--json')).toBe(0);
    expect(JSON.parse(written.out.trim().split('\n').at(-1)!)).toMatchObject({
      wordErrorRate: expect.any(Number),
      phonemeErrorRate: expect.any(Number),
      testWords: 2,
      models: 2,
      parameters: 2 * metrics.parameters,
    });
    expect(await start('test', ...both, '--data', file('data'), '--validation')).toBe(0);
    expect(written.out).toMatch(
      /word error rate .* %\nphoneme error rate .* %\n1 words, 2 models, \d+ parameters, /,
    );

    expect(await start(...say, 'abc')).toBe(1);
    expect(written.err).toMatch(/^(Testing …\n)*"abc": unknown letter "c"; known are ab\n$/);
    expect(await start(...say, 'ab', '--best', '0')).toBe(2);
    expect(await start('test', ...both, '--test-words', '0')).toBe(2);
  });

  it('goes on with more dropout than before', async () => {
    await writeFile(file('data'), words('AB', 'BA', 'ABBA', 'BAA', 'AAB', 'BB'));
    const run = ['--data', file('data'), '--out', file('run'), '--test-words', '0', ...small];
    expect(await start(...run, '--steps', '1', '--dropout', '0')).toBe(0);
    const further = ['--resume', '--out', file('run'), '--steps', '3', '--quiet'];
    expect(await start(...further, '--dropout', '0.5', '--ngram-dropout', '0.4')).toBe(0);
    expect(JSON.parse(await readFile(file('run/config.json'), 'utf8'))).toMatchObject({
      steps: 3,
      dropout: 0.5,
      ngramDropout: 0.4,
    });
    expect(JSON.parse(await readFile(file('run/metrics.json'), 'utf8')).steps).toBe(3);
    expect(await start(...further, '--ngrams', '3')).toBe(2);
  });

  it.each([
    ['a line that is none', 'ab\tA B\nba', 'ab\tA B', /data, line 2: expected a word, a tab, and its phones/],
    ['too few words', 'ab\tA B', 'ba\tB A', /^1 words to learn from are too few/],
    ['a new letter', words('a', 'aa', 'aaa', 'aaaa'), 'ac\tA C', /"ac": unknown letter "c"/],
  ])('says in one line that there is %s', async (_, data, test, message) => {
    await writeFile(file('data'), data);
    await writeFile(file('test'), test);
    const files = ['--data', file('data'), '--test', file('test')];
    expect(await start(...files, '--out', file('run'), ...small)).toBe(1);
    expect(written.err).toMatch(message);
    expect(written.err.trim().split('\n')).toHaveLength(1);
  });

  it('says in one line that there is no such file, or no model', async () => {
    expect(await start('--data', file('none'), '--out', file('run'), ...small)).toBe(1);
    expect(await start('say', '--model', file('none'), '--word', 'a', '--backend', 'wasm')).toBe(1);
    expect(written.err).toMatch(/^cannot read .*none \(ENOENT\)\nno trained model in .*none.*\n$/);
  });
});
