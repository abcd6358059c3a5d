import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newConfig, resumedConfig } from '../../src/run/config';

const entries = { latentSize: v.pipe(v.number(), v.integer()) };
const defaults = { backend: 'auto', steps: 10, batch: 4, seed: 1, latentSize: 8 };

describe('newConfig', () => {
  it('takes the defaults and what is given', () => {
    expect(newConfig(entries, defaults, { steps: 3, latentSize: 2 })).toEqual({
      ...defaults,
      steps: 3,
      latentSize: 2,
    });
  });

  it.each([
    [{ steps: 0 }, '--steps: expected'],
    [{ seed: -1 }, '--seed: expected'],
    [{ latentSize: 'x' }, '--latent-size: expected number but received "x"'],
  ])('refuses %j as wrong usage, by the name of the option', (given, message) => {
    expect(() => newConfig(entries, defaults, given)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message) }),
    );
  });
});

describe('resumedConfig', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poiesis-config-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function resume(content: string, given = {}, changeable: string[] = []) {
    const file = join(folder, 'config.json');
    await writeFile(file, content);
    return resumedConfig('toy', entries, file, given, changeable);
  }
  const whole = JSON.stringify({ example: 'toy', ...defaults });

  it('reads what was saved, and lets the run go further or elsewhere', async () => {
    expect(await resume(whole)).toEqual(defaults);
    const given = { steps: 20, backend: 'cpu' };
    expect(await resume(whole, given)).toEqual({ ...defaults, ...given });
    expect(await resume(whole, { batch: 4 })).toEqual(defaults);
  });

  it('lets an option of the example change where the example says so', async () => {
    const given = { latentSize: 9 };
    await expect(resume(whole, given)).rejects.toThrow('--latent-size 9 does not fit');
    expect(await resume(whole, given, ['latentSize'])).toEqual({ ...defaults, ...given });
    await expect(resume(whole, { latentSize: 'x' }, ['latentSize'])).rejects.toThrow(
      '--latent-size: expected',
    );
  });

  it('refuses an option that contradicts the run', async () => {
    await expect(resume(whole, { batch: 8 })).rejects.toMatchObject({
      exitCode: 2,
      message: '--batch 8 does not fit: the run that is resumed has batch 4',
    });
  });

  it.each([
    ['half of it', whole.slice(0, 30)],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[1]'],
    ['another example', JSON.stringify({ example: 'gan', ...defaults })],
    ['a missing value', JSON.stringify({ example: 'toy', ...defaults, seed: undefined })],
    ['a wrong type', JSON.stringify({ example: 'toy', ...defaults, batch: '4' })],
    ['an unknown key', JSON.stringify({ example: 'toy', ...defaults, other: 1 })],
    ['deep nesting', '['.repeat(100_000)],
  ])('says in one line what is wrong with a file that holds %s', async (_, content) => {
    await expect(resume(content)).rejects.toMatchObject({
      name: 'ExampleError',
      exitCode: 1,
      message: expect.stringMatching(/^cannot resume: [^\n]+$/),
    });
  });

  it('says that there is no run where there is no file', async () => {
    await expect(resumedConfig('toy', entries, join(folder, 'none.json'), {})).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/^no run to resume: .*ENOENT/),
    });
  });
});
