import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Lap, Request, Started } from '../protocol';
import type { Ready } from './engine';

/** Answers the requests on standard input with laps on standard output, until the input ends. */
export async function serve(
  { step, dispose, threads, engine, parameters = null }: Ready,
  setup_ms: number,
): Promise<void> {
  let done = 0;

  async function run(steps: number): Promise<Lap> {
    let value = Number.NaN;
    const start = performance.now();
    for (let i = 0; i < steps; i++) {
      value = await step(done);
      if (!Number.isFinite(value)) throw new Error(`step ${done} gave ${value}`);
      done++;
    }
    return { ms: performance.now() - start, value, rss_mb: peakMemory() };
  }

  const started: Started = { ...(await run(1)), setup_ms, threads, engine, parameters };
  answer(started);
  for await (const line of createInterface({ input: process.stdin })) {
    answer(await run((JSON.parse(line) as Request).steps));
  }
  dispose();
}

function answer(lap: Lap): void {
  process.stdout.write(`${JSON.stringify(lap)}\n`);
}

/** In MB. Linux's own figure first: the portable one starts from the parent's memory there. */
function peakMemory(): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kilobytes) return Number(kilobytes) / 1024;
  } catch {}
  return process.resourceUsage().maxRSS / 1024;
}
