import type { Workload } from './workload';

export interface Row {
  workload: string;
  contender: string;
  median_ms: number;
  min_ms: number;
  max_ms: number;
  rounds: number;
  threads: number;
  rss_mb: number;
}

/** Times `rounds` steps after `warmup` others, one by one. */
export async function measure(
  workload: Workload,
  {
    contender,
    threads,
    rounds,
    warmup,
  }: { contender: string; threads: number; rounds: number; warmup: number },
): Promise<Row> {
  const { step, dispose } = workload.prepare();
  const times: number[] = [];
  for (let i = 0; i < warmup + rounds; i++) {
    const start = performance.now();
    await step(i);
    if (i >= warmup) times.push(performance.now() - start);
  }
  dispose();
  times.sort((a, b) => a - b);
  const tenth = (ms: number) => Math.round(ms * 10) / 10;
  return {
    workload: workload.name,
    contender,
    median_ms: tenth((times[(rounds - 1) >> 1]! + times[rounds >> 1]!) / 2),
    min_ms: tenth(times[0]!),
    max_ms: tenth(times.at(-1)!),
    rounds,
    threads,
    rss_mb: Math.round(process.memoryUsage().rss / 2 ** 20),
  };
}
