import { describe, expect, it } from 'vitest';
import { measure, type Runner } from '../src/rounds';

/** Runners whose steps take a known time, and the calls that they got, in order. */
function runners(stepTimes: Record<string, number>, failing?: { name: string; at: number }) {
  const calls: string[] = [];
  let count = 0;
  const list = Object.entries(stepTimes).map(
    ([name, stepTime]): Runner => ({
      async run(steps) {
        calls.push(`${name}${steps}`);
        if (failing?.name === name && ++count === failing.at) throw new Error('out of memory');
        return { ms: steps * stepTime, value: 1, rss_mb: 1 };
      },
    }),
  );
  return { list, calls };
}

describe('measure', () => {
  it('lets everyone in turn do a lap of the wished length, each round beginning with another', async () => {
    const { list, calls } = runners({ a: 100, b: 2500 });
    const results = await measure(list, { rounds: 3, warmup: 2, lapTime: 1000, rest: 0 });
    expect(calls).toEqual([
      ...['a2', 'a10', 'b2'], // warm-up
      ...['a1', 'a10', 'b1'],
      ...['b1', 'a1', 'a10'],
      ...['a1', 'a10', 'b1'],
    ]);
    expect(results).toMatchObject([
      { laps: [100, 100, 100], steps: 30 },
      { laps: [2500, 2500, 2500], steps: 3 },
    ]);
  });

  it('goes on without a runner that fails', async () => {
    const { list, calls } = runners({ a: 600, b: 600 }, { name: 'a', at: 3 });
    const results = await measure(list, { rounds: 2, warmup: 1, lapTime: 1000, rest: 0 });
    expect(results[0]).toEqual(new Error('out of memory'));
    expect(results[1]).toMatchObject({ laps: [600, 600] });
    expect(calls.filter((call) => call.startsWith('a'))).toHaveLength(3);
  });
});
