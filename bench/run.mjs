// `node bench/run.mjs [[--workload LIST] [--against LIST] [--rounds N] [--json FILE]`
// Bundles the bench from the sources and runs it; what the options mean: src/main.ts.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNode } from '../scripts/lib/process.mjs';
import { ensureInstalled, runBin } from '../scripts/lib/workspace.mjs';

const cwd = dirname(fileURLToPath(import.meta.url));
const given = process.cwd();
await ensureInstalled();
const { code } = await runBin('tsup', ['--silent'], { cwd });
process.exitCode =
  code || (await runNode(join(cwd, 'dist/main.js'), process.argv.slice(2), { cwd: given })).code;
