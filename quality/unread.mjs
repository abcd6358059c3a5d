// `node quality/unread.mjs [--steps 10000] [--backend NAME]`: see src/unread.ts.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from '../scripts/lib/process.mjs';
import { ensureInstalled, runBin } from '../scripts/lib/workspace.mjs';

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '10000' }, backend: { type: 'string', default: 'onnx' } },
});
const cwd = dirname(fileURLToPath(import.meta.url));
await ensureInstalled();
await runBin('tsup', ['--silent'], { cwd });
const program = ['--expose-gc', join(cwd, 'dist/unread.js'), values.steps, values.backend];
process.exitCode = (await run(process.execPath, program, { cwd })).code;
