import type { Started } from './protocol';
import type { Measured } from './rounds';

/** One contender's figures in one workload: an element of the `--json` file. */
export interface Row {
  workload: string;
  contender: string;
  /** Of the rounds, each of which counts with its mean step. */
  median_ms: number;
  min_ms: number;
  max_ms: number;
  rounds: number;
  /** PyTorch's median over this one's: above 1 is faster than PyTorch. null where PyTorch did not take part. */
  speedup_vs_pytorch: number | null;
  /** Peak resident memory of the contender's process, building and compiling included. */
  rss_mb: number | null;
  threads: number;
  /** Building the model, and what else comes before the first step: for generation, the prompt. */
  setup_ms: number;
  /** The very first step, compilation included. */
  first_step_ms: number;
  /** Timed steps in all rounds together. */
  steps: number;
  engine: string;
  /** Of the model; null in workloads that do not count them. */
  parameters: number | null;
}

export interface Result {
  contender: string;
  started: Started;
  measured: Measured;
}

/** The rows of one workload. */
export function rowsOf(workload: string, results: readonly Result[]): Row[] {
  const reference = results.find(({ contender }) => contender === 'pytorch');
  const pytorch = reference && median(reference.measured.laps);
  return results.map(({ contender, started, measured: { laps, steps, last } }) => ({
    workload,
    contender,
    median_ms: round(median(laps)),
    min_ms: round(Math.min(...laps)),
    max_ms: round(Math.max(...laps)),
    rounds: laps.length,
    speedup_vs_pytorch: pytorch === undefined ? null : round(pytorch / median(laps)),
    rss_mb: last.rss_mb === null ? null : Math.round(last.rss_mb),
    threads: started.threads,
    setup_ms: Math.round(started.setup_ms),
    first_step_ms: Math.round(started.ms),
    steps,
    engine: started.engine,
    parameters: started.parameters ?? null,
  }));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

const round = (x: number) => Math.round(x * 100) / 100;
