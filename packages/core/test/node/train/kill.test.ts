import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainEvent } from '@poiesis/core';
import { expect, it } from 'vitest';
import { victimProgram } from '../../victim-program';

const STEPS = 400;
const KILLS = 3;

const { program, folder: runs } = victimProgram(
  new URL('./victim.ts', import.meta.url),
  new URL('../../../', import.meta.url),
);

/** Runs the program to its end, or until it is killed so many milliseconds after its first word. */
function run(
  folder: string,
  killAfter?: number,
): Promise<{ killed: boolean; output: string; seconds: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, folder, String(STEPS)]);
    let [output, errors, start] = ['', '', 0];
    let timer: NodeJS.Timeout | undefined;
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.stdout.on('data', (chunk) => {
      if (!output) {
        start = performance.now();
        if (killAfter !== undefined) timer = setTimeout(() => child.kill('SIGKILL'), killAfter);
      }
      output += chunk;
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const killed = signal === 'SIGKILL';
      if (!killed && code !== 0) reject(new Error(errors));
      resolve({ killed, output, seconds: (performance.now() - start) / 1000 });
    });
  });
}

it('a run that is killed again and again ends with the same bits', { timeout: 120_000 }, async () => {
  const whole = await run(join(runs, 'whole'));
  const folder = join(runs, 'killed');
  const starts: number[] = [];
  let kills = 0;
  for (;;) {
    const killAfter = kills < KILLS ? Math.random() * 0.4 * whole.seconds * 1000 : undefined;
    const { killed, output } = await run(folder, killAfter);
    starts.push(Number(/^start (\d+)/.exec(output)?.[1]));
    if (!killed) {
      expect(/state \w+/.exec(output)?.[0]).toBe(/state \w+/.exec(whole.output)?.[0]);
      break;
    }
    kills += 1;
  }
  expect(kills).toBeGreaterThan(0); // a fast machine may finish before the last ones
  expect(starts.every((step) => step % 7 === 0 || step === STEPS)).toBe(true);

  const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as TrainEvent);
  const steps = events.flatMap((e) => (e.type === 'step' ? [e.step] : []));
  expect(steps).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
});
