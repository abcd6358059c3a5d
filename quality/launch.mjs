// What the checks that are TypeScript programs have in common: installed, bundled from the sources, run in this folder.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../scripts/lib/process.mjs';
import { ensureInstalled, runBin } from '../scripts/lib/workspace.mjs';

const cwd = dirname(fileURLToPath(import.meta.url));

/**
 * Bundles the programs of src/.
 * @param {string} name
 * @returns {Promise<string>} the bundle of one of them.
 */
export async function bundled(name) {
  await ensureInstalled();
  await runBin('tsup', ['--silent'], { cwd });
  return join(cwd, 'dist', `${name}.js`);
}

/**
 * Runs a program of src/ to its end; its exit code becomes this process's.
 * @param {string} name
 * @param {string[]} args
 * @param {string[]} [nodeFlags]
 */
export async function launch(name, args, nodeFlags = []) {
  const { code } = await run(process.execPath, [...nodeFlags, await bundled(name), ...args], { cwd });
  process.exitCode = code;
}
