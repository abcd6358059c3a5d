import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { afterAll, beforeAll, expect, it } from 'vitest';
// One plugin for everybody's programs: what of tfjs core bundles.
import { tfjsMainEntry } from '../../../../core/tfjs-main-entry';
import { loadIndex, usearch } from '../../../src/node/embedding-index';
import { manyVectors, names } from '../../embedding-index/vectors';

const KILLS = 8;

// Inside the package, so that the program finds tfjs and USearch.
const cache = fileURLToPath(new URL('../../../node_modules/.cache', import.meta.url));
mkdirSync(cache, { recursive: true });
const program = mkdtempSync(join(cache, 'victim-'));
const folder = mkdtempSync(join(tmpdir(), 'poiesis-kill-'));
afterAll(() => {
  for (const made of [program, folder]) rmSync(made, { recursive: true, force: true });
});

beforeAll(
  () =>
    build({
      config: false,
      silent: true,
      entry: { victim: fileURLToPath(new URL('./victim.ts', import.meta.url)) },
      outDir: program,
      format: 'esm',
      target: 'node20',
      external: [/^@tensorflow\/tfjs-core$/, /^@tensorflow\/tfjs-backend-/, 'usearch'],
      noExternal: [/^@poiesis\//, /^@tensorflow\/tfjs-core\/dist\//],
      esbuildPlugins: [tfjsMainEntry],
      // Core's CommonJS dependencies require what Node has built in.
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
      esbuildOptions(options) {
        options.conditions = ['@poiesis/source'];
      },
    }),
  60_000,
);

/** Runs the program until so many milliseconds after its second save; returns the number of its last whole one. */
function runAndKill(file: string, first: number, life: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(program, 'victim.js'), file, String(first)]);
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
