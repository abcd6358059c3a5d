// `node quality/layers-speed.mjs [--models LIST] [--backends cpu,wasm,onnx] [--rounds 5] [--width 1]`: see src/layers-speed.ts.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../scripts/lib/process.mjs';
import { ensureInstalled, runBin } from '../scripts/lib/workspace.mjs';

const cwd = dirname(fileURLToPath(import.meta.url));
await ensureInstalled();
await runBin('tsup', ['--silent'], { cwd });
const program = [join(cwd, 'dist/layers-speed.js'), ...process.argv.slice(2)];
process.exitCode = (await run(process.execPath, program, { cwd })).code;
