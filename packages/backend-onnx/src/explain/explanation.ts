import type { PassReport } from '../passes/track';
import type { CacheStatistics } from '../trace/program-cache';
import type { Flops } from './flops';
import { mergeTimes, type OperatorTime } from './profile';
import type { Traffic } from './program-report';
import type { WatchedProgram } from './program-watch';
import { printExplanation } from './table';

/** A kernel that ran on tfjs's cpu implementation. */
export interface FallbackCount {
  kernel: string;
  count: number;
}

/** What `explain()` found out. Counts and times are of all programs together; `String(explanation)` is a table. */
export class Explanation {
  /** Operations that were recorded, that the passes left, and ONNX nodes that they became. */
  readonly nodes: { recorded: number; optimized: number; onnx: number };
  readonly passes: readonly PassReport[];
  readonly flops: Flops;
  /** Compiling: passes, lowering, ONNX Runtime's session. */
  readonly compileMs: number;
  /** Running every program as often as it was called, once warm. */
  readonly runMs: number;
  /** Time by operator, in the same sense. Empty where the runtime has no profiler, as in browsers. */
  readonly time: { tfjs: readonly OperatorTime[]; onnx: readonly OperatorTime[] };
  readonly feeds: Traffic;
  readonly outputs: Traffic;

  constructor(
    /** In the order in which they were compiled. */
    readonly programs: readonly WatchedProgram[],
    /** What did not reach ONNX Runtime. */
    readonly fallbacks: readonly FallbackCount[],
    /** The backend's cache of programs since it was made. */
    readonly cache: CacheStatistics & { size: number; limit: number },
    /** The call of `f`, compiling and repeated runs included. */
    readonly totalMs: number,
  ) {
    const sum = (of: (program: WatchedProgram) => number) =>
      programs.reduce((total, program) => total + of(program), 0);
    this.nodes = {
      recorded: sum((p) => p.recorded),
      optimized: sum((p) => p.optimized),
      onnx: sum((p) => p.onnx),
    };
    this.passes = mergePasses(programs.flatMap((p) => p.passes));
    this.flops = {
      matmul: sum((p) => p.calls * p.flops.matmul),
      convolution: sum((p) => p.calls * p.flops.convolution),
      elementwise: sum((p) => p.calls * p.flops.elementwise),
      total: sum((p) => p.calls * p.flops.total),
    };
    this.compileMs = sum((p) => p.compileMs);
    this.runMs = sum((p) => p.calls * p.runMs);
    const called = (kind: 'tfjs' | 'onnx') =>
      mergeTimes(
        programs.map(({ calls, profile }) =>
          (profile?.[kind] ?? []).map(({ name, nodes, ms }) => ({ name, nodes, ms: ms * calls })),
        ),
      );
    this.time = { tfjs: called('tfjs'), onnx: called('onnx') };
    this.feeds = { count: sum((p) => p.feeds.count), bytes: sum((p) => p.feeds.bytes) };
    this.outputs = { count: sum((p) => p.outputs.count), bytes: sum((p) => p.outputs.bytes) };
  }

  toString(): string {
    return printExplanation(this);
  }
}

function mergePasses(reports: readonly PassReport[]): PassReport[] {
  const merged = new Map<string, PassReport>();
  for (const { pass, removed, added, rewritten } of reports) {
    const known = merged.get(pass);
    if (known) {
      known.removed += removed;
      known.added += added;
      known.rewritten += rewritten;
    } else merged.set(pass, { pass, removed, added, rewritten });
  }
  return [...merged.values()];
}
