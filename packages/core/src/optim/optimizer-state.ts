import * as tf from '@tensorflow/tfjs-core';
import { type HostTensor, hostTensor, loadLeaves, type StateDict, saveLeaves, toInt32 } from '../checkpoint';
import { madeState } from '../compile';
import { ArgumentError, checkArgument, StateDictError } from '../errors';
import { type Buffer, buffer, diskFormat, type Parameter } from '../nn/leaf';

/**
 * What an optimizer remembers: the count of updates, and for each parameter by name a few tensors of its shape.
 *
 * Tensors are made when a parameter is first updated. A state that is loaded before that waits on the host, since
 * shapes and layouts are the parameters' to say. On disk: `exp_avg.<parameter>` and the like in the parameter's own
 * layout, `count`, and `missed.<parameter>`, the updates that passed a parameter by, where there are any (PyTorch
 * counts the updates of each parameter; count − missed is that number).
 */
export class OptimizerState {
  count = 0;
  readonly #fn: string;
  readonly #slots: readonly string[];
  readonly #live = new Map<string, Map<string, Buffer>>();
  readonly #missed = new Map<string, number>();
  #waiting: StateDict = {};
  #justLoaded = false;

  /** @param slots names of all tensors that a parameter may have. */
  constructor(fn: string, slots: readonly string[]) {
    this.#fn = fn;
    this.#slots = slots;
  }

  /** Updates that the parameter was not part of. */
  missed(name: string): number {
    return this.#missed.get(name) ?? 0;
  }

  /** Counts one update of these parameters. */
  advance(updated: ReadonlySet<string>): void {
    this.count += 1;
    for (const name of this.#stateful())
      if (!updated.has(name)) this.#missed.set(name, this.missed(name) + 1);
  }

  /** The tensors of a parameter, after `prepare`. */
  slots(name: string, wanted: readonly string[]): Buffer[] {
    const live = this.#live.get(name);
    return wanted.map((slot) => live!.get(slot)!);
  }

  /**
   * Makes what is missing for an update of these parameters, from the loaded state or as zeros. All or nothing.
   * @throws StateDictError where the loaded state does not fit them.
   */
  prepare(parameters: ReadonlyMap<string, { parameter: Parameter; slots: readonly string[] }>): void {
    this.#checkLoaded(parameters);
    const made: { name: string; slot: string; key: string; leaf: Buffer }[] = [];
    for (const [name, { parameter, slots }] of parameters) {
      for (const slot of slots) {
        const leaf = this.#live.get(name)?.get(slot);
        if (!leaf) {
          const zeros = tf.zeros(parameter.shape);
          made.push({ name, slot, key: `${slot}.${name}`, leaf: buffer(zeros, diskFormat(parameter)) });
        } else if (leaf.shape.join() !== parameter.shape.join()) {
          const expected = `[${leaf.shape.join(', ')}], as in the updates before`;
          throw new ArgumentError({
            fn: `${this.#fn}.step`,
            argument: name,
            expected,
            received: parameter.shape,
          });
        }
      }
    }
    if (made.length === 0) return;
    // A parameter has all of its tensors from the file or none: a part of them is a damaged state.
    const known = this.#stateful();
    const loaded = made.filter(({ name }) => this.#waitingFor(name));
    try {
      const leaves = Object.fromEntries(loaded.map(({ key, leaf }) => [key, leaf]));
      const values = Object.fromEntries(
        Object.keys(leaves).flatMap((key) => (this.#waiting[key] ? [[key, this.#waiting[key]]] : [])),
      );
      loadLeaves(leaves, values);
    } catch (error) {
      for (const { leaf } of made) leaf.dispose();
      throw error;
    }
    for (const { name, slot, key, leaf } of made) {
      // One that joins late begins its own count; with no tensors to average into, there is nothing to begin.
      if (!known.has(name) && this.count > 0) this.#missed.set(name, this.count);
      if (!this.#live.has(name)) this.#live.set(name, new Map());
      this.#live.get(name)!.set(slot, leaf);
      delete this.#waiting[key];
    }
    madeState(made.map(({ leaf }) => leaf));
  }

  async save(): Promise<StateDict> {
    const numbers: [string, HostTensor][] = [['count', scalar(this.count)]];
    for (const [name, missed] of this.#missed)
      if (missed > 0) numbers.push([`missed.${name}`, scalar(missed)]);
    const waiting = { ...this.#waiting };
    const live = await saveLeaves(Object.fromEntries(this.#leaves()));
    return { ...live, ...waiting, ...Object.fromEntries(numbers) };
  }

  load(state: StateDict, { strict = true }: { strict?: boolean } = {}): void {
    const fn = `${this.#fn}.loadStateDict`;
    const slotKeys = Object.keys(state).filter((key) =>
      this.#slots.some((slot) => key.startsWith(`${slot}.`)),
    );
    const missedKeys = Object.keys(state).filter((key) => key.startsWith('missed.'));
    const known = new Set(['count', ...slotKeys, ...missedKeys]);
    const extra = Object.keys(state).filter((key) => !known.has(key));
    const missing = Object.hasOwn(state, 'count') ? [] : ['count'];
    if (strict && extra.length + missing.length > 0) throw new StateDictError({ fn, extra, missing });

    const count = Object.hasOwn(state, 'count') ? counter(fn, 'count', state.count!) : this.count;
    const missed = missedKeys.map(
      (key) => [key.slice('missed.'.length), counter(fn, key, state[key]!)] as const,
    );
    // Live tensors take their values now, so that wrong shapes are found now. A parameter without any in the file had
    // none yet when the file was written.
    const live = this.#leaves();
    const inFile = (name: string) => this.#slots.some((slot) => Object.hasOwn(state, `${slot}.${name}`));
    const fresh = [...this.#live.keys()].filter((name) => !inFile(name));
    if (strict && this.#live.size > 0 && fresh.length === this.#live.size && slotKeys.length > 0) {
      throw new StateDictError({ fn, missing: live.map(([key]) => key), extra: slotKeys });
    }
    const loading = Object.fromEntries(live.filter(([, , name]) => inFile(name)));
    loadLeaves(
      loading,
      Object.fromEntries(slotKeys.flatMap((key) => (loading[key] ? [[key, state[key]!]] : []))),
      {
        strict,
      },
    );

    for (const name of fresh) this.#forget(name);
    this.#waiting = Object.fromEntries(slotKeys.flatMap((key) => (loading[key] ? [] : [[key, state[key]!]])));
    this.#missed.clear();
    for (const [name, updates] of missed) this.#missed.set(name, updates);
    this.count = count;
    this.#justLoaded = strict;
  }

  /** Back to the beginning. */
  dispose(): void {
    for (const name of [...this.#live.keys()]) this.#forget(name);
    this.#waiting = {};
    this.#missed.clear();
    this.count = 0;
  }

  #leaves(): [key: string, leaf: Buffer, name: string][] {
    return [...this.#live].flatMap(([name, slots]) =>
      [...slots].map(([slot, leaf]) => [`${slot}.${name}`, leaf, name] as [string, Buffer, string]),
    );
  }

  /** Parameters that have state, here or waiting. */
  #stateful(): Set<string> {
    const names = new Set(this.#live.keys());
    for (const key of Object.keys(this.#waiting)) names.add(key.slice(key.indexOf('.') + 1));
    return names;
  }

  #waitingFor(name: string): boolean {
    return this.#slots.some((slot) => Object.hasOwn(this.#waiting, `${slot}.${name}`));
  }

  #forget(name: string): void {
    for (const leaf of this.#live.get(name)?.values() ?? []) leaf.dispose();
    this.#live.delete(name);
  }

  /** A state of other parameters altogether is a mistake; one of some more is not: they may be frozen by now. */
  #checkLoaded(parameters: ReadonlyMap<string, { slots: readonly string[] }>): void {
    if (!this.#justLoaded) return;
    const loaded = this.#stateful();
    if (loaded.size > 0 && ![...parameters.keys()].some((name) => loaded.has(name))) {
      const missing = [...parameters].flatMap(([name, { slots }]) => slots.map((slot) => `${slot}.${name}`));
      throw new StateDictError({ fn: `${this.#fn}.step`, missing, extra: Object.keys(this.#waiting) });
    }
    this.#justLoaded = false;
  }
}

export function scalar(count: number): HostTensor {
  return hostTensor([count], [], 'I64');
}

/** The number that a counter in a state dict holds. @throws StateDictError */
export function counter(fn: string, key: string, tensor: HostTensor): number {
  if (tensor.shape.some((size) => size !== 1)) {
    throw new StateDictError({ fn, shapes: [{ key, expected: [], received: tensor.shape }] });
  }
  try {
    const value = toInt32(tensor)[0]!;
    checkArgument(value >= 0, fn, key, 'a count', value);
    return value;
  } catch (error) {
    if (!ArgumentError.isInstance(error)) throw error;
    throw new StateDictError({ fn, values: [{ key, problem: error.message }] });
  }
}
