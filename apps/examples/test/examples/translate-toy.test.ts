import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SequenceBatches, sequenceLoss, Transformer } from '@poiesis/attention';
import { adam, randomKey, supervised, train, useBackend } from '@poiesis/core';
import { readSafetensors } from '@poiesis/core/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program';
import { rowsOfDigits, tasks, toyData, translateToy } from '../../src/examples/translate-toy';

describe('its data', () => {
  it('is what the tasks say', () => {
    const row = [7, 10, 2];
    expect(tasks.copy(row)).toEqual([7, 10, 2]);
    expect(tasks.reverse(row)).toEqual([2, 10, 7]);
    expect(tasks.sort(row)).toEqual([2, 7, 10]);
    expect(row).toEqual([7, 10, 2]);
  });

  it('has rows of digits, as long as was asked for', () => {
    const rows = rowsOfDigits(randomKey(1), 500, 5);
    expect(new Set(rows.map(({ length }) => length))).toEqual(new Set([2, 3, 4, 5]));
    expect(new Set(rows.flat())).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });

  it('asks about rows that were not seen, the same ones for the same seed', () => {
    const { seen, unseen } = toyData({ seed: 1, longest: 5 });
    const known = new Set(seen.map((row) => row.join()));
    expect(unseen.filter((row) => known.has(row.join()))).toEqual([]);
    expect(toyData({ seed: 1, longest: 5 })).toEqual({ seen, unseen });
    expect(toyData({ seed: 2, longest: 5 }).unseen).not.toEqual(unseen);
  });
});

describe('npm start -- translate-toy', () => {
  let parent: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'poiesis toy '));
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  const start = (...args: string[]) => runCli(['translate-toy', ...args], [translateToy], 'translate-toy');
  const json = async (file: string) => JSON.parse(await readFile(join(parent, 'run', file), 'utf8'));

  it('leaves the files of a run, and goes on with it', async () => {
    const out = ['--backend', 'wasm', '--quiet', '--out', join(parent, 'run')];
    const task = ['--task', 'sort', '--length', '4'];
    expect(await start(...out, ...task, '--steps', '2', '--batch', '4', '--seed', '3')).toBe(0);
    expect((await readdir(join(parent, 'run'))).sort()).toEqual([
      'checkpoints',
      'config.json',
      'events.jsonl',
      'metrics.json',
      'model.safetensors',
    ]);
    expect(await json('config.json')).toMatchObject({ example: 'translate-toy', task: 'sort', batch: 4 });
    expect(await json('metrics.json')).toMatchObject({
      example: 'translate-toy',
      backend: 'wasm',
      seed: 3,
      steps: 2,
      task: 'sort',
      heldOutAccuracy: expect.any(Number),
      losses: { loss: expect.any(Number) },
    });
    expect(await readSafetensors(join(parent, 'run'))).toHaveProperty('source_embedding.weight');
    expect(await start(...out, '--resume', '--steps', '3')).toBe(0);
    expect(await json('metrics.json')).toMatchObject({ steps: 3, task: 'sort' });
  });

  it.each([
    ['--task', 'translate'],
    ['--length', '3'],
    ['--length', '100'],
  ])('takes %s %s as wrong usage', async (...args) => {
    expect(await start('--backend', 'wasm', '--out', join(parent, 'run'), ...args)).toBe(2);
  });
});

it('has a model that learns one batch by heart', async () => {
  await useBackend('wasm');
  const pairs = [
    [3, 4, 5],
    [5, 3],
    [6, 6, 4],
  ].map((source) => ({ source, target: [...source].reverse() }));
  const sizes = { sourceVocab: 7, targetVocab: 7, dim: 16, heads: 2, layers: 1, dropout: 0 };
  const model = new Transformer(sizes, { seed: 1 });
  const step = supervised(model, sequenceLoss(), adam({ lr: 1e-2 }));
  const batches = new SequenceBatches(pairs, { ...model.config, rows: 3, lengths: [4], seed: 1 });
  let loss = Number.POSITIVE_INFINITY;
  for await (const event of train(step, batches, { steps: 60, seed: 1 })) {
    if (event.type === 'step') loss = event.losses.loss!;
  }
  expect(loss).toBeLessThan(0.05);
  model.dispose();
});
