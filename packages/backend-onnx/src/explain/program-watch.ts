import type { Profiler, RuntimeTensor, Session, SessionOptions } from '../runtime/session';
import type { Program } from '../trace/program';
import { type ProfileTimes, readProfile } from './profile';
import type { ProgramReport } from './program-report';

/** A program that ran under watch. */
export interface WatchedProgram extends ProgramReport {
  compileMs: number;
  calls: number;
  /** Of one run, median, the first one left out. */
  runMs: number;
  /** Absent where the runtime has no profiler. */
  profile?: ProfileTimes;
}

interface Watched {
  program: Program;
  inner: Session;
  prefix: string | undefined;
  compileMs: number;
  calls: number;
  runs: number[];
}

/**
 * While it is on, programs are compiled anew, with ONNX Runtime's profiler, and belong to the watch: the cache neither
 * gives nor keeps any. At its first call a program runs a few times more on the same feeds, which changes nothing (a
 * program has no state) and gives times without the first run's allocations.
 */
export class ProgramWatch {
  private readonly programs = new Map<string, Watched>();
  private prefix: string | undefined;

  constructor(
    private readonly profiler: Profiler | undefined,
    private readonly runs: number,
  ) {}

  known(key: string): Program | undefined {
    return this.programs.get(key)?.program;
  }

  /** Options of the session that is compiled next. */
  options(options: SessionOptions): SessionOptions {
    this.prefix = this.profiler?.next();
    return this.prefix === undefined ? options : { ...options, profile: this.prefix };
  }

  /** Takes over a program that has just been compiled. */
  add(key: string, program: Program, compileMs: number): Program {
    const inner = program.session;
    const watched: Watched = { program, inner, prefix: this.prefix, compileMs, calls: 0, runs: [] };
    watched.program = { ...program, session: this.timed(watched) };
    this.programs.set(key, watched);
    return watched.program;
  }

  private timed(watched: Watched): Session {
    const { inner, runs } = watched;
    type Feeds = Record<string, RuntimeTensor>;
    const more = () => (watched.calls++ === 0 ? this.runs : 0);
    const { runSync } = inner;
    return {
      ...(runSync && {
        // The run that counts comes last: it may write into its own inputs.
        runSync: (feeds: Feeds, into?: Feeds) => {
          const time = (outputs?: Feeds) => {
            const start = performance.now();
            const result = runSync.call(inner, feeds, outputs);
            runs.push(performance.now() - start);
            return result;
          };
          for (let n = more(); n > 0; n--) time();
          return time(into);
        },
      }),
      run: async (feeds: Feeds) => {
        const time = async () => {
          const start = performance.now();
          const result = await inner.run(feeds);
          runs.push(performance.now() - start);
          return result;
        };
        for (let n = more(); n > 0; n--) await time();
        return time();
      },
      dispose: () => {},
    };
  }

  /** Ends the sessions and tells what they did. */
  finish(): WatchedProgram[] {
    try {
      return [...this.programs.values()].map(({ program, inner, prefix, compileMs, calls, runs }) => {
        if (prefix !== undefined) inner.endProfiling?.();
        inner.dispose();
        const json = prefix === undefined ? undefined : this.profiler?.read(prefix);
        const profile = json === undefined ? undefined : readProfile(json);
        const warm = (runs.length > 1 ? runs.slice(1) : runs).sort((a, b) => a - b);
        const runMs = warm[warm.length >> 1] ?? 0;
        return { ...program.report, compileMs, calls, runMs, ...(profile && { profile }) };
      });
    } finally {
      this.profiler?.close();
    }
  }
}
