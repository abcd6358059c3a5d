// `node quality/kill-resume.mjs [--kills 20] [--steps 150] [--backend NAME]`
// Trains a small DCGAN to the end once. Then, for each kill: trains it anew, kills it with SIGKILL at a random moment of
// its whole life (start-up, steps and checkpoints included), resumes it to the end, and compares weights, running
// statistics, moments and average with the undisturbed run's, bit for bit, and the log's steps with 1 to the last.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundled } from './launch.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    steps: { type: 'string', default: '150' },
    backend: { type: 'string', default: 'auto' },
  },
});
const steps = Number(values.steps);

const program = await bundled('dcgan-run');

/**
 * Runs the program, to its end or for so many milliseconds.
 * @param {string} folder
 * @param {number} [life]
 * @returns {Promise<{ killed: boolean, state?: string, start?: number, took: number }>}
 */
function run(folder, life) {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const child = spawn(process.execPath, [program, folder, values.steps, values.backend]);
    const timer = life === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), life);
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (errors += chunk));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal !== 'SIGKILL' && code !== 0) return reject(new Error(errors));
      const start = /start (\d+)/.exec(output)?.[1];
      resolve({
        killed: signal === 'SIGKILL',
        state: /state (\w+)/.exec(output)?.[1],
        start: start === undefined ? undefined : Number(start),
        took: performance.now() - begin,
      });
    });
  });
}

/** @param {string} folder */
function everyStepOnce(folder) {
  const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').trimEnd().split('\n');
  const logged = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'step');
  return logged.length === steps && logged.every(({ step }, i) => step === i + 1);
}

const runs = mkdtempSync(join(tmpdir(), 'poiesis-kill-'));
try {
  const whole = await run(join(runs, 'whole'));
  console.log(`undisturbed: ${(whole.took / 1000).toFixed(1)} s, state ${whole.state?.slice(0, 16)}`);
  let equal = 0;
  const kills = Number(values.kills);
  for (let i = 1; i <= kills; i++) {
    const folder = join(runs, String(i));
    const life = Math.random() * whole.took;
    const { killed } = await run(folder, life);
    const begun = existsSync(join(folder, 'events.jsonl'));
    const { state, start } = await run(folder);
    const same = state === whole.state && everyStepOnce(folder);
    if (same && killed) equal += 1;
    console.log(
      `kill ${i}: after ${(life / 1000).toFixed(2)} s${begun ? '' : ' (before the first step)'}, ` +
        `resumed at step ${start}: ${!killed ? 'WAS DONE ALREADY' : same ? 'same bits, every step logged once' : 'DIFFERENT'}`,
    );
    rmSync(folder, { recursive: true });
    if (!killed) i -= 1; // a run that was quicker than its killer tells nothing
  }
  console.log(`${equal} of ${kills} killed runs ended with the bits of the undisturbed one`);
  process.exitCode = equal === kills ? 0 : 1;
} finally {
  rmSync(runs, { recursive: true, force: true });
}
