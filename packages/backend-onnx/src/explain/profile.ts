/** Time that one operator took in one run of a program. */
export interface OperatorTime {
  name: string;
  /** Nodes of it that run. */
  nodes: number;
  ms: number;
}

/** What a profile says of one program: medians or means over its runs, the first one left out. */
export interface ProfileTimes {
  runs: number;
  /** Of one run, median. */
  ms: number;
  /** By the tfjs kernel that recorded it. */
  tfjs: OperatorTime[];
  /** By ONNX operator type, after ONNX Runtime's own fusions. */
  onnx: OperatorTime[];
}

/** What ONNX Runtime adds or fuses under a name of its own. */
const OTHER = '(ONNX Runtime)';

interface ProfileEvent {
  cat?: string;
  name: string;
  ts: number;
  dur: number;
  args?: { op_name?: string };
}

/** Reads the JSON that ONNX Runtime's profiler writes. Undefined where the program did not run. */
export function readProfile(json: string): ProfileTimes | undefined {
  const events = JSON.parse(json) as ProfileEvent[];
  const all = events.filter(({ name }) => name === 'model_run');
  const [first] = all;
  if (!first) return undefined;
  // The first run allocates and packs; where there are others, it says nothing about them.
  const runs = all.length > 1 ? all.slice(1) : all;
  const from = runs[0]!.ts;
  const times = runs.map(({ dur }) => dur).sort((a, b) => a - b);

  const tfjs = new Map<string, OperatorTime>();
  const onnx = new Map<string, OperatorTime>();
  for (const { cat, name, ts, dur, args } of events) {
    if (cat !== 'Node' || ts < from || !name.endsWith(KERNEL)) continue;
    add(tfjs, originOf(name), dur / 1000 / runs.length, 1 / runs.length);
    add(onnx, args?.op_name ?? OTHER, dur / 1000 / runs.length, 1 / runs.length);
  }
  return {
    runs: runs.length,
    ms: times[times.length >> 1]! / 1000,
    tfjs: byTime(tfjs.values()),
    onnx: byTime(onnx.values()),
  };
}

const KERNEL = '_kernel_time';

/** Nodes are named `BatchMatMul#12/MatMul_34`; ONNX Runtime puts words around the name when it fuses. */
function originOf(name: string): string {
  return /(\w+)#\d+\//.exec(name)?.[1] ?? OTHER;
}

function add(times: Map<string, OperatorTime>, name: string, ms: number, nodes: number): void {
  const known = times.get(name);
  if (known) {
    known.ms += ms;
    known.nodes += nodes;
  } else times.set(name, { name, nodes, ms });
}

export function byTime(times: Iterable<OperatorTime>): OperatorTime[] {
  return [...times].sort((a, b) => b.ms - a.ms);
}

/** Sums the same operators of several programs. */
export function mergeTimes(lists: Iterable<readonly OperatorTime[]>): OperatorTime[] {
  const merged = new Map<string, OperatorTime>();
  for (const list of lists) for (const { name, ms, nodes } of list) add(merged, name, ms, nodes);
  return byTime(merged.values());
}
