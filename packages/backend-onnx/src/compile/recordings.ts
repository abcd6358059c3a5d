import type { OnnxBackend } from '../backend';
import type { Value } from '../trace/graph';
import type { UpdateMemory } from '../updates/memory';
import type { ConstantVariables } from './constant-variables';
import type { Baked, Recording } from './recording';

/** Recordings of one step that are kept at most; the least recently used ones make room. */
const KEPT = 32;
/** Recordings without a replay in between, after which a step is said to be recorded too often. */
const TOO_MANY = 16;

/** The recordings of one step, by the kind of their arguments. */
export class Recordings {
  private readonly bySignature = new Map<string, Recording[]>();
  /** Kinds of arguments that were recorded and not replayed since. */
  private unused: string[] = [];

  constructor(private readonly constant: ConstantVariables) {}

  /** The recordings for a kind of arguments that still hold. Those that do not are disposed of. */
  get(onnx: OnnxBackend, signature: string): readonly Recording[] {
    const known = this.bySignature.get(signature);
    if (!known) return [];
    // Re-inserting keeps the map in order of use.
    this.bySignature.delete(signature);
    const holding = known.filter((recording) => {
      const holds = this.holds(onnx, recording);
      if (!holds) recording.program.session.dispose();
      return holds;
    });
    if (holding.length > 0) this.bySignature.set(signature, holding);
    return holding;
  }

  /** The memory of that layout, where a recording has one. */
  memoryOf(layout: string): UpdateMemory | undefined {
    for (const list of this.bySignature.values())
      for (const { updates } of list) if (updates?.memory.layout === layout) return updates.memory;
    return undefined;
  }

  /** Notes that a recording was of use. */
  used(): void {
    if (this.unused.length > 0) this.unused = [];
  }

  /** Keeps a recording. Returns what varies, where the step is recorded at nearly every call. */
  add(signature: string, recording: Recording): string | undefined {
    const known = this.bySignature.get(signature) ?? [];
    this.bySignature.set(signature, [...known, recording]);
    this.unused.push(signature);
    let count = 0;
    for (const list of this.bySignature.values()) count += list.length;
    for (const [oldest, list] of this.bySignature) {
      if (count <= KEPT || oldest === signature) break;
      this.drop(oldest, list);
      count -= list.length;
    }
    return this.unused.length > TOO_MANY ? difference(this.unused.at(-2)!, signature) : undefined;
  }

  dispose(): void {
    for (const [signature, list] of this.bySignature) this.drop(signature, list);
  }

  private drop(signature: string, list: readonly Recording[]): void {
    this.bySignature.delete(signature);
    for (const { program } of list) program.session.dispose();
  }

  /** Whether the variables are still there, as trainable as they were, with the data that was compiled in. */
  private holds(onnx: OnnxBackend, { variables }: Recording): boolean {
    let holds = true;
    for (const { variable, trainable, baked } of variables) {
      if (variable.isDisposed || variable.trainable !== trainable) holds = false;
      else if (baked && !isStill(onnx.recordedAs(variable), baked)) {
        this.constant.remove(variable);
        holds = false;
      }
    }
    return holds;
  }
}

/** Whether a variable has the data that were compiled in, unchanged. */
function isStill({ data, version }: Value, baked: Baked): boolean {
  return data === baked.data && version === baked.version;
}

/** In which part two kinds of arguments differ, in words. */
function difference(before: string, now: string): string {
  if (before === now) return 'its choices of the host or its variables, not the arguments';
  const [a, b] = [parts(before), parts(now)];
  const at = a.length === b.length ? a.findIndex((part, i) => part !== b[i]) : 0;
  const [from, to] = a.length === b.length ? [a[at]!, b[at]!] : [before, now];
  return `argument ${at}, lately ${short(from)} and then ${short(to)}`;
}

/** Top-level parts of a signature. */
function parts(signature: string): string[] {
  const found = [''];
  let depth = 0;
  for (const c of signature) {
    if (c === '[' || c === '{') depth++;
    else if (c === ']' || c === '}') depth--;
    if (c === ',' && depth === 0) found.push('');
    else found[found.length - 1] += c;
  }
  return found;
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
