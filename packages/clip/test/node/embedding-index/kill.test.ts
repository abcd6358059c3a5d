import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { victimProgram } from '../../../../core/test/victim-program';
import { loadIndex, usearch } from '../../../src/node/embedding-index';
import { manyVectors, names } from '../../embedding-index/vectors';

const KILLS = 8;

const { program, folder } = victimProgram(
  new URL('./victim.ts', import.meta.url),
  new URL('../../../', import.meta.url),
  {
    external: ['usearch'],
    noExternal: [/^@poiesis\//],
    // Core's CommonJS dependencies require what Node has built in.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    esbuildOptions(options) {
      options.conditions = ['@poiesis/source'];
    },
  },
);

/** Runs the program until so many milliseconds after its second save; returns the number of its last whole one. */
function runAndKill(file: string, first: number, life: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, file, String(first)]);
    let [output, errors] = ['', ''];
    let timer: NodeJS.Timeout | undefined;
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes(`saved ${first + 1}`)) timer ??= setTimeout(() => child.kill('SIGKILL'), life);
    });
    child.on('close', (_, signal) => {
      clearTimeout(timer);
      if (signal !== 'SIGKILL') reject(new Error(errors));
      else resolve(Number([...output.matchAll(/saved (\d+)/g)].at(-1)![1]));
    });
  });
}

it('an index survives kills while it is saved', { timeout: 120_000 }, async () => {
  const file = join(folder, 'an.index');
  const approximate = await usearch({ threads: 1 });
  let next = 1;
  for (let kill = 0; kill < KILLS; kill++) {
    const last = await runAndKill(file, next, Math.random() * 40);
    const index = await loadIndex(file, { approximate });
    const save = Number(index.meta.save);
    // The one that was told, or the one in the making, whole.
    expect([last, last + 1]).toContain(save);
    const vectors = manyVectors(300, 16, save);
    expect(new Set(index.ids)).toEqual(new Set(names(300)));
    for (const row of [0, 150, 299]) {
      const [best] = await index.search(vectors.subarray(row * 16, (row + 1) * 16));
      expect(best!.score).toBeCloseTo(1, 5);
    }
    next = save + 1;
  }
  // Each start swept what the kill before it had left.
  expect(readdirSync(folder).length).toBeLessThanOrEqual(2);
});
