import { setTimeout as sleep } from 'node:timers/promises';
import type { Lap } from './protocol';

export interface RoundOptions {
  rounds: number;
  /** Steps before the first round, at least. */
  warmup: number;
  /** How long a lap should take, ms. A step that takes longer is a lap of its own. */
  lapTime: number;
  /** Rest between two laps, ms: the threads of the one before must have gone to sleep. */
  rest?: number;
}

/** One contender in the rounds. */
export interface Runner {
  run(steps: number): Promise<Lap>;
}

export interface Measured {
  /** Mean step of each lap, ms. */
  laps: number[];
  /** Timed steps in all laps together. */
  steps: number;
  last: Lap;
}

/**
 * Times runners in turn, so that a slow minute of the machine hits all of them: in each round every one does one lap,
 * each round starting with another. A lap counts as its wall time over its steps, so that what an engine puts off
 * (garbage collection) is in it. Short steps have one untimed step before each lap, for the caches.
 *
 * @returns what was measured, or the error with which a runner dropped out, in the order of `runners`.
 */
export async function measure(
  runners: readonly Runner[],
  { rounds, warmup, lapTime, rest = 200 }: RoundOptions,
): Promise<(Measured | Error)[]> {
  const entries = runners.map((runner) => ({
    runner,
    laps: [] as number[],
    steps: 0,
    last: undefined as Lap | undefined,
    stepTime: 0,
    error: undefined as Error | undefined,
  }));
  type Entry = (typeof entries)[number];

  async function lap(entry: Entry, steps: number): Promise<void> {
    entry.last = await entry.runner.run(steps);
    entry.stepTime = entry.last.ms / steps;
  }
  const fitting = ({ stepTime }: Entry) => Math.max(1, Math.round(lapTime / stepTime));
  async function warm(entry: Entry): Promise<void> {
    await lap(entry, warmup);
    if (fitting(entry) > 1) await lap(entry, fitting(entry));
  }
  async function time(entry: Entry): Promise<void> {
    const steps = fitting(entry);
    if (steps > 3) await entry.runner.run(1);
    await lap(entry, steps);
    entry.laps.push(entry.stepTime);
    entry.steps += steps;
  }

  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(i + Math.max(round, 0)) % entries.length]!;
      if (entry.error) continue;
      try {
        await (round < 0 ? warm(entry) : time(entry));
      } catch (error) {
        entry.error = error instanceof Error ? error : new Error(String(error));
      }
      await sleep(rest);
    }
  }
  return entries.map(({ laps, steps, last, error }) => error ?? { laps, steps, last: last! });
}
