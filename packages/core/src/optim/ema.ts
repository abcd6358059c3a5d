import * as tf from '@tensorflow/tfjs-core';
import { loadLeaves, type StateDict, type Stateful, saveLeaves } from '../checkpoint';
import { fromHost } from '../compile';
import { checkArgument, StateDictError } from '../errors';
import { type Buffer, buffer, diskFormat, type Parameter } from '../nn/leaf';
import type { Module } from '../nn/module';
import { counter, scalar } from './optimizer-state';

const PREFIX = 'module.';
const COUNT = 'n_averaged';

export interface EmaOptions {
  /** Share of the average that one update keeps, 0.999 by default. */
  decay?: number;
  /** Keep less at first, min(decay, (1 + t) / (10 + t)) at update t from 0, so that the random start fades fast. */
  warmup?: boolean;
}

/**
 * Begins an exponential moving average of a module's weights, with their present values. Call `update()` after each
 * update of the optimizer.
 */
export function ema(module: Module, options: EmaOptions = {}): Ema {
  return new Ema(module, options);
}

/**
 * An average of a module's weights: average ← average + (1 − decay) · (weight − average). Buffers such as running
 * statistics are copied, not averaged. The average is kept beside the module, which is left alone.
 *
 * The state dict is that of `torch.optim.swa_utils.AveragedModel`: `module.<name>` and `n_averaged`.
 */
export class Ema implements Stateful {
  readonly #decay: number;
  readonly #warmup: boolean;
  readonly #leaves: Readonly<Record<string, Parameter | Buffer>>;
  readonly #averages: Readonly<Record<string, Buffer>>;
  readonly #averaged: ReadonlySet<string>;
  #count = 0;

  constructor(module: Module, { decay = 0.999, warmup = false }: EmaOptions = {}) {
    checkArgument(decay >= 0 && decay < 1, 'ema', 'options.decay', 'a number in [0, 1)', decay);
    this.#decay = decay;
    this.#warmup = warmup;
    const parameters = module.namedParameters();
    this.#leaves = { ...parameters, ...module.namedBuffers() };
    this.#averaged = new Set(Object.keys(parameters));
    this.#averages = mapValues(this.#leaves, (leaf) => buffer(tf.clone(leaf as tf.Tensor), diskFormat(leaf)));
  }

  /** Updates done. */
  get count(): number {
    return this.#count;
  }

  /** Takes the module's present weights in. The count advances in the `make` of the share, as replays need it. */
  update(): void {
    tf.tidy(() => {
      const share = fromHost(
        () => {
          const t = this.#count;
          this.#count += 1;
          return Float32Array.of(
            1 - (this.#warmup ? Math.min(this.#decay, (1 + t) / (10 + t)) : this.#decay),
          );
        },
        [],
        'float32',
      );
      for (const [name, average] of Object.entries(this.#averages)) {
        const leaf = this.#leaves[name]!;
        tf.tidy(() => {
          const next = this.#averaged.has(name)
            ? tf.add(average, tf.mul(tf.sub(leaf, average), share))
            : tf.clone(leaf as tf.Tensor);
          average.assign(next);
        });
      }
    });
  }

  /**
   * Copies the average into a module of the same structure: another one for sampling, or the averaged one itself.
   * @throws ArgumentError where names or shapes differ; nothing has been changed then.
   */
  copyTo(module: Module): void {
    const leaves: Record<string, Parameter | Buffer> = {
      ...module.namedParameters(),
      ...module.namedBuffers(),
    };
    const names = Object.keys(this.#averages);
    const strangers = Object.keys(leaves).filter((name) => !Object.hasOwn(this.#averages, name));
    checkArgument(strangers.length === 0, 'Ema.copyTo', 'module', `the names ${names.join(', ')}`, strangers);
    for (const [name, average] of Object.entries(this.#averages)) {
      const leaf = leaves[name];
      const fits = leaf?.dtype === average.dtype && leaf.shape.join() === average.shape.join();
      checkArgument(fits, 'Ema.copyTo', `module.${name}`, `[${average.shape.join(', ')}]`, leaf?.shape);
    }
    for (const name of names) assignCopy(leaves[name]!, this.#averages[name]!);
  }

  /**
   * Runs `fn` while the module holds the average, and gives it its own weights back: also where `fn` throws, and only
   * after the promise where it returns one. Nothing is copied; weights that `fn` changes are lost.
   */
  apply<T>(fn: () => T): T {
    const own = mapValues(this.#leaves, (leaf) => tf.keep(tf.clone(leaf as tf.Tensor)));
    const restore = () => {
      for (const [name, value] of Object.entries(own)) {
        this.#leaves[name]!.assign(value);
        value.dispose();
      }
    };
    for (const [name, leaf] of Object.entries(this.#leaves)) assignCopy(leaf, this.#averages[name]!);
    let result: T;
    try {
      result = fn();
    } catch (error) {
      restore();
      throw error;
    }
    if (result instanceof Promise) return result.finally(restore) as T;
    restore();
    return result;
  }

  /** The average under the module's own names: what the module's `loadStateDict` takes. */
  averages(): Promise<StateDict> {
    return saveLeaves({ ...this.#averages });
  }

  async stateDict(): Promise<StateDict> {
    const count = scalar(this.#count);
    return { ...prefixed(await this.averages()), [COUNT]: count };
  }

  loadStateDict(state: StateDict, options: { strict?: boolean } = {}): void {
    const fn = 'Ema.loadStateDict';
    const { [COUNT]: saved, ...averages } = state;
    if (!saved && options.strict !== false) throw new StateDictError({ fn, missing: [COUNT] });
    const count = saved ? counter(fn, COUNT, saved) : this.#count;
    loadLeaves(prefixed(this.#averages), averages, options);
    this.#count = count;
  }

  /** Frees the average. The module is left alone. */
  dispose(): void {
    tf.dispose(Object.values(this.#averages));
  }
}

/** By reference: tensors are immutable, an assignment makes both variables point to the same data. */
function assignCopy(to: tf.Variable, from: tf.Variable): void {
  tf.tidy(() => to.assign(tf.clone(from as tf.Tensor)));
}

function prefixed<T>(values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [PREFIX + name, value]));
}

function mapValues<T, U>(values: Readonly<Record<string, T>>, f: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, f(value)]));
}
