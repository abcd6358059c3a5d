import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Options } from 'tsup';
import { afterAll, beforeAll } from 'vitest';
import { tfjsMainEntry } from '../tfjs-main-entry';

/**
 * Builds a program for a test to start and to kill.
 * @param source its `victim.ts`.
 * @param packageUrl of the test's package: the program is built inside, so that it finds what the package depends on.
 * @returns the program's path, there before the first test, and a folder for what it writes. Both go after the last.
 */
export function victimProgram(
  source: URL,
  packageUrl: URL,
  { external = [], noExternal = [], ...options }: Options = {},
): { program: string; folder: string } {
  const cache = fileURLToPath(new URL('node_modules/.cache', packageUrl));
  mkdirSync(cache, { recursive: true });
  const built = mkdtempSync(join(cache, 'victim-'));
  const folder = mkdtempSync(join(tmpdir(), 'poiesis-kill-'));
  afterAll(() => {
    for (const made of [built, folder]) rmSync(made, { recursive: true, force: true });
  });
  beforeAll(
    () =>
      build({
        config: false,
        silent: true,
        entry: { victim: fileURLToPath(source) },
        outDir: built,
        format: 'esm',
        target: 'node20',
        external: [/^@tensorflow\/tfjs-core$/, /^@tensorflow\/tfjs-backend-/, ...external],
        noExternal: [/^@tensorflow\/tfjs-core\/dist\//, ...noExternal],
        esbuildPlugins: [tfjsMainEntry],
        ...options,
      }),
    60_000,
  );
  return { program: join(built, 'victim.js'), folder };
}
