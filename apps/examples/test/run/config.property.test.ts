import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ExampleError } from '../../src/errors';
import { resumedConfig } from '../../src/run/config';

const entries = { latent: v.pipe(v.number(), v.integer()) };
const whole = { example: 'gan', backend: 'auto', steps: 10, batch: 4, seed: 1, latent: 8 };
const text = JSON.stringify(whole);
const character = fc.string({ minLength: 1, maxLength: 1 });

/** Files that a crash, a disk or a person may leave: cut off, a character changed, a value changed, anything. */
const content = fc.oneof(
  fc.nat(text.length).map((n) => text.slice(0, n)),
  fc.tuple(fc.nat(text.length - 1), character).map(([i, c]) => text.slice(0, i) + c + text.slice(i + 1)),
  fc
    .tuple(fc.constantFrom(...Object.keys(whole)), fc.jsonValue())
    .map(([key, value]) => JSON.stringify({ ...whole, [key]: value })),
  fc.json(),
  fc.string(),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poiesis-configs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('resumes from a whole config, and says in one line what is wrong with any other', async () => {
  const file = join(folder, 'config.json');
  await fc.assert(
    fc.asyncProperty(content, async (written) => {
      await writeFile(file, written);
      try {
        const config = await resumedConfig('gan', entries, file, {});
        expect(Object.keys(config).sort()).toEqual(['backend', 'batch', 'latent', 'seed', 'steps']);
        expect(Number.isSafeInteger(config.steps) && config.steps >= 1).toBe(true);
      } catch (error) {
        if (!(error instanceof ExampleError)) throw error;
        expect(error.message).not.toContain('\n');
      }
    }),
    { numRuns: 600, examples: [[text]] },
  );
});
