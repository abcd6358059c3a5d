import * as tf from '@tensorflow/tfjs-core';
import { loadLeaves, type StateDict, saveLeaves } from '../checkpoint';
import { hostChoice, madeState } from '../compile';
import { checkArgument, StateDictError } from '../errors';
import { type Buffer, buffer, diskFormat, type Parameter } from '../nn/leaf';
import { checkGradients, type Optimizer } from './optimizer';
import { counter, scalar } from './optimizer-state';

const PREFIX = 'accumulated.';

/**
 * An optimizer that updates on every n-th call of `step` with the mean of the n gradients, and only remembers them on
 * the others. A parameter that lacks a gradient in some of the calls has zero there. `count` counts updates, and so
 * do schedules. The state can be saved and resumed between two updates.
 *
 * Which of the n calls a step is, is a host choice: a compiler keeps one trace for each.
 * @param optimizer belongs to the result from here on: it saves, restores and disposes it.
 */
export function accumulate(optimizer: Optimizer, n: number): Optimizer {
  checkArgument(Number.isInteger(n) && n >= 1, 'accumulate', 'n', 'an integer ≥ 1', n);
  return new Accumulating(optimizer, n);
}

class Accumulating implements Optimizer {
  readonly #inner: Optimizer;
  readonly #n: number;
  /** Calls since the last update. */
  #calls = 0;
  readonly #sums = new Map<string, Buffer>();
  /** The sums of the present round; others are of rounds before. */
  readonly #current = new Set<string>();
  #waiting: StateDict = {};

  constructor(inner: Optimizer, n: number) {
    this.#inner = inner;
    this.#n = n;
  }

  get count(): number {
    return this.#inner.count;
  }

  learningRate(): number {
    return this.#inner.learningRate();
  }

  step(parameters: Record<string, Parameter>, grads: Record<string, tf.Tensor>): void {
    checkGradients('accumulate.step', parameters, grads);
    this.#restoreSums(parameters);
    const call = hostChoice(() => {
      const now = this.#calls;
      this.#calls = (now + 1) % this.#n;
      return now;
    });
    if (call === 0) this.#current.clear();
    const names = Object.keys(grads).filter((name) => parameters[name]!.trainable);
    if (call < this.#n - 1) {
      for (const name of names) this.#remember(name, parameters[name]!, grads[name]!);
      return;
    }
    tf.tidy(() => {
      const means: Record<string, tf.Tensor> = {};
      for (const name of new Set([...this.#current, ...names])) {
        if (!parameters[name]?.trainable) continue;
        const grad = grads[name];
        const sum = this.#current.has(name) ? this.#sums.get(name) : undefined;
        const total = sum && grad ? tf.add(sum, grad) : (sum ?? grad)!;
        means[name] = this.#n === 1 ? total : tf.div(total, this.#n);
      }
      if (Object.keys(means).length > 0) this.#inner.step(parameters, means);
    });
  }

  async stateDict(): Promise<StateDict> {
    const calls = scalar(this.#calls);
    const unfinished = this.#calls > 0 ? [...this.#current] : [];
    const waiting = this.#waiting;
    const [inner, sums] = await Promise.all([
      this.#inner.stateDict(),
      saveLeaves(Object.fromEntries(unfinished.map((name) => [PREFIX + name, this.#sums.get(name)!]))),
    ]);
    return { ...inner, ...sums, ...waiting, micro: calls };
  }

  loadStateDict(state: StateDict, options: { strict?: boolean } = {}): void {
    const fn = 'accumulate.loadStateDict';
    const { strict = true } = options;
    const { micro, ...others } = state;
    if (!micro && strict) throw new StateDictError({ fn, missing: ['micro'] });
    const calls = micro ? counter(fn, 'micro', micro) : 0;
    if (calls >= this.#n) {
      const problem = `${calls} calls since the last update, of ${this.#n}`;
      throw new StateDictError({ fn, values: [{ key: 'micro', problem }] });
    }
    const entries = Object.entries(others);
    const sums = entries.filter(([key]) => key.startsWith(PREFIX));
    // The inner optimizer first: it may throw, what follows does not. Sums wait for the parameters' layouts.
    this.#inner.loadStateDict(
      Object.fromEntries(entries.filter(([key]) => !key.startsWith(PREFIX))),
      options,
    );
    this.#forget();
    this.#waiting = Object.fromEntries(sums);
    this.#calls = calls;
  }

  dispose(): void {
    this.#forget();
    this.#inner.dispose();
  }

  #remember(name: string, parameter: Parameter, grad: tf.Tensor): void {
    let sum = this.#sums.get(name);
    if (!sum) {
      sum = buffer(tf.zeros(parameter.shape), diskFormat(parameter));
      this.#sums.set(name, sum);
      madeState([sum]);
    }
    const total = sum;
    tf.tidy(() => total.assign(this.#current.has(name) ? tf.add(total, grad) : tf.clone(grad)));
    this.#current.add(name);
  }

  #restoreSums(parameters: Record<string, Parameter>): void {
    const waiting = Object.entries(this.#waiting);
    if (waiting.length === 0) return;
    const nameOf = (key: string) => key.slice(PREFIX.length);
    // Some may be frozen and not handed over any more; all of them unknown is the state of another model.
    const usable = waiting.filter(([key]) => Object.hasOwn(parameters, nameOf(key)));
    if (usable.length === 0) {
      throw new StateDictError({ fn: 'accumulate.step', extra: waiting.map(([key]) => key) });
    }
    const leaves: Record<string, Buffer> = {};
    for (const [key] of usable) {
      const parameter = parameters[nameOf(key)]!;
      leaves[key] = buffer(tf.zeros(parameter.shape), diskFormat(parameter));
    }
    try {
      loadLeaves(leaves, Object.fromEntries(usable));
    } catch (error) {
      tf.dispose(leaves);
      throw error;
    }
    madeState(Object.values(leaves));
    for (const [key, leaf] of Object.entries(leaves)) {
      this.#sums.set(nameOf(key), leaf);
      this.#current.add(nameOf(key));
    }
    this.#waiting = {};
  }

  #forget(): void {
    for (const sum of this.#sums.values()) sum.dispose();
    this.#sums.clear();
    this.#current.clear();
    this.#waiting = {};
    this.#calls = 0;
  }
}
