import { engine } from '@tensorflow/tfjs-core';
import { Op } from './trace/graph';
import { Hash } from './trace/hash';

/** A scope of fewer operations is not worth a program of its own. */
const SMALLEST = 8;
/** Operations by which a place in a program is recognized. */
const WINDOW = 16;

/**
 * Decides where a program that nobody reads is cut into pieces that are run.
 *
 * Without cuts the pieces would reach from read to read: reading every 100th step would compile a graph of 100 steps.
 * A piece has to end where the last one of its kind ended, so that one program serves them all:
 * - before an outermost scope (a `tidy`, or an operation outside of one) that repeats one which is pending;
 * - after the last assignment to a variable, once a variable whose value is still pending is assigned again: the next
 *   update has begun. Assignments inside a gradient's forward pass (running statistics) do not count;
 * - after `longest` operations, at the place where such a cut was made before.
 *
 * A cut is a number of operations recorded: what was recorded before is run, what came after stays pending.
 */
export class Pacing {
  /** Operations recorded when a tensor was made last: where the kernel that records now began. */
  private next = 0;
  /** Up to where everything has been run. */
  private start = 0;
  private assignment = 0;

  private scope: number | undefined;
  private scopeStart = 0;
  private scopeSize = 0;
  private readonly scopeHash = new Hash().reset();
  /** Hashes of the outermost scopes that are pending. */
  private readonly pending = new Set<string>();

  /** The last operations, of which `count` says how many there were. */
  private readonly recent = new Int32Array(WINDOW);
  private count = 0;
  private anchor: number | undefined;

  constructor(private readonly longest: number) {}

  /** Takes a recorded operation; says where to cut, if anywhere. */
  recorded(op: Op): number | undefined {
    const cut = this.enter(engine().state.scopeStack[0]?.id) ?? this.tooLong();
    this.scopeHash.int(op.hashA);
    this.scopeHash.int(op.inputs.length);
    this.scopeSize++;
    this.recent[this.count++ % WINDOW] = op.hashA;
    this.next = Op.recorded;
    return cut;
  }

  /** Notices that a variable was made or assigned. Says whether that counts. */
  assigned(): boolean {
    if (engine().state.gradientDepth > 0) return false;
    this.assignment = Op.recorded;
    return true;
  }

  /** Where to cut before a value is read, or when an assigned one is replaced before it was computed. */
  get update(): number | undefined {
    return this.assignment > this.start ? this.assignment : undefined;
  }

  /** Takes note that everything before `cut` has been run. */
  ran(cut: number): void {
    this.start = Math.min(cut, Op.recorded);
    if (this.scopeStart < this.start) this.pending.clear();
  }

  private enter(scope: number | undefined): number | undefined {
    if (scope === this.scope && scope !== undefined) return undefined;
    let cut: number | undefined;
    if (this.scopeSize >= SMALLEST) {
      const { key } = this.scopeHash;
      if (this.pending.has(key)) {
        cut = this.scopeStart;
        this.pending.clear();
      }
      this.pending.add(key);
    }
    this.scope = scope;
    this.scopeStart = this.next;
    this.scopeSize = 0;
    this.scopeHash.reset();
    return cut !== undefined && cut > this.start ? cut : undefined;
  }

  private tooLong(): number | undefined {
    const length = this.next - this.start;
    if (length < this.longest) return undefined;
    let place = 0;
    for (let i = 0; i < WINDOW; i++)
      place = (Math.imul(place, 31) + this.recent[(this.count + i) % WINDOW]!) | 0;
    if (place !== this.anchor && this.anchor !== undefined && length < 2 * this.longest) return undefined;
    this.anchor = place;
    return this.next;
  }
}
