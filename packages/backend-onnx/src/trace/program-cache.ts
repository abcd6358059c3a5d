import type { ProgramWatch } from '../explain/program-watch';
import { writeModel } from '../onnx/write-model';
import type { Constant } from '../passes/ir';
import type { Runtime, SessionOptions } from '../runtime/session';
import { type Assigned, buildModel, type Program, type Trace } from './program';

/** For each leaf, what is compiled in. */
type Constants = readonly Constant[];

/** All programs of one structure. They differ in which leaves are constants and in their values. */
interface Family {
  /** Leaves that were seen to change from run to run, and are fed from then on. */
  varying: Set<number>;
  /** Constants of the program compiled last. */
  last: Constants | null;
  programs: Map<string, Program>;
}

export interface CacheStatistics {
  compiled: number;
  hits: number;
  compileMs: number;
}

/**
 * A bounded cache of compiled programs, least recently used out first.
 *
 * Uniform leaves (scalars above all) are compiled in as constants, which lets passes simplify and saves a feed. One
 * that changes between two runs of the same structure is fed from then on, so a program that passes a step count or a
 * learning rate as a scalar compiles twice and never again.
 */
export class ProgramCache {
  private readonly families = new Map<string, Family>();
  readonly statistics: CacheStatistics = { compiled: 0, hits: 0, compileMs: 0 };
  /** While set, it gets every program that is compiled, and none comes from the cache or goes there. */
  watch: ProgramWatch | null = null;

  constructor(
    private readonly runtime: Runtime,
    private readonly options: () => SessionOptions,
    readonly limit: number,
    private readonly onModel?: (model: Uint8Array) => void,
  ) {}

  get(trace: Trace): Program | undefined {
    if (this.watch) return undefined;
    const { family, constants, key } = this.locate(trace);
    const program = family.programs.get(key);
    if (!program) {
      family.last = constants;
      return undefined;
    }
    this.statistics.hits++;
    return program;
  }

  compileSync(trace: Trace): Program {
    const { family, constants, key } = this.locate(trace);
    const program = this.compileTrace(trace, constants);
    this.store(family, constants, key, program);
    return program;
  }

  async compile(trace: Trace): Promise<Program> {
    const { family, constants, key } = this.locate(trace);
    const known = this.watched(trace, constants);
    if (known) return known;
    const start = performance.now();
    const { model, threads, ...rest } = this.modelOf(trace, constants);
    const session = await this.runtime.compile(model, this.sessionOptions(threads));
    const program = this.count(start, trace, constants, { session, ...rest });
    this.store(family, constants, key, program);
    return program;
  }

  /** Compiles a trace for a caller that keeps the program itself, and drops it when a constant changes. */
  compileTrace(trace: Trace, constants: Constants, assigned?: Assigned): Program {
    if (!this.runtime.compileSync) throw new Error('this ONNX Runtime can only compile asynchronously');
    const known = this.watched(trace, constants);
    if (known) return known;
    const start = performance.now();
    const { model, threads, ...rest } = this.modelOf(trace, constants, assigned);
    const session = this.runtime.compileSync(model, this.sessionOptions(threads));
    return this.count(start, trace, constants, { session, ...rest });
  }

  /** Calls `run` and drops the programs that it has compiled: what runs once need not keep its memory. */
  once(run: () => void): void {
    const before = new Set([...this.families.values()].flatMap(({ programs }) => [...programs.values()]));
    run();
    for (const { programs } of this.families.values()) {
      for (const [key, program] of programs) {
        if (before.has(program)) continue;
        program.session.dispose();
        programs.delete(key);
      }
    }
  }

  /** Programs that are kept now. */
  get size(): number {
    let size = 0;
    for (const { programs } of this.families.values()) size += programs.size;
    return size;
  }

  dispose(): void {
    for (const { programs } of this.families.values())
      for (const { session } of programs.values()) session.dispose();
    this.families.clear();
  }

  private modelOf(trace: Trace, constants: Constants, assigned?: Assigned) {
    const { graph, ...built } = buildModel(trace, constants, assigned);
    this.onModel?.(writeModel(graph));
    return built;
  }

  /** @param threads fewer than the backend's own, for a program that is worth no more. */
  private sessionOptions(threads: number | undefined): SessionOptions {
    const all = this.options();
    const options = threads === undefined ? all : { ...all, threads };
    return this.watch ? this.watch.options(options) : options;
  }

  private watched(trace: Trace, constants: Constants): Program | undefined {
    return this.watch?.known(`${trace.key}${keyOf(constants)}`);
  }

  private count(start: number, trace: Trace, constants: Constants, program: Program): Program {
    const ms = performance.now() - start;
    this.statistics.compiled++;
    this.statistics.compileMs += ms;
    return this.watch ? this.watch.add(`${trace.key}${keyOf(constants)}`, program, ms) : program;
  }

  private locate(trace: Trace) {
    let family = this.families.get(trace.key);
    // Re-inserting keeps the map in order of use.
    if (family) this.families.delete(trace.key);
    else family = { varying: new Set(), last: null, programs: new Map() };
    this.families.set(trace.key, family);

    const constants: Constant[] = trace.leaves.map((leaf) => (trace.anySize ? undefined : leaf.splat));
    const { last, varying } = family;
    for (const [i, c] of constants.entries()) if (last && !Object.is(c, last[i])) varying.add(i);
    for (const i of varying) constants[i] = undefined;
    return { family, constants, key: keyOf(constants) };
  }

  private store(family: Family, constants: Family['last'], key: string, program: Program): void {
    if (this.watch) return;
    family.last = constants;
    family.programs.set(key, program);
    let count = this.size;
    for (const [oldKey, old] of this.families) {
      if (count <= this.limit) break;
      if (old === family) continue;
      for (const { session } of old.programs.values()) session.dispose();
      count -= old.programs.size;
      this.families.delete(oldKey);
    }
  }
}

const dataIds = new WeakMap<object, number>();
let nextDataId = 0;

/** Equal for equal numbers and for the same arrays. */
function keyOf(constants: Constants): string {
  const parts = constants.map((constant) => {
    if (typeof constant !== 'object') return constant;
    let id = dataIds.get(constant);
    if (id === undefined) {
      id = nextDataId++;
      dataIds.set(constant, id);
    }
    return `#${id}`;
  });
  return parts.join();
}
