import type * as tf from '@tensorflow/tfjs-core';
import type { StateDict } from '../checkpoint';
import { checkArgument, StateDictError } from '../errors';
import type { Parameter } from '../nn/leaf';
import { checkMatch, matches, type NameMatch } from './match';
import { checkGradients, type Optimizer } from './optimizer';

/** Parameters that an optimizer is for. */
export interface Part {
  match: NameMatch;
  optimizer: Optimizer;
}

/**
 * One optimizer of several: each parameter goes to the first part that matches its name, or to `rest`. Limits on
 * gradients are each part's own, over its own parameters.
 *
 * ```ts
 * const optimizer = partition([{ match: /layers\..*weight$/, optimizer: muon({ lr: 0.02 }) }], adamW({ lr: 1e-3 }));
 * ```
 *
 * The state dict has the parts' entries under `0.`, `1.`, … and those of `rest` under `rest.`.
 * @param parts and `rest` belong to the result from here on: it saves, restores and disposes them.
 */
export function partition(parts: readonly Part[], rest: Optimizer): Optimizer {
  for (const [i, { match }] of parts.entries()) checkMatch('partition', `parts[${i}].match`, match);
  const optimizers = [...parts.map(({ optimizer }) => optimizer), rest];
  const alone = new Set(optimizers).size === optimizers.length;
  checkArgument(alone, 'partition', 'parts', 'an optimizer of its own for each part', 'one twice');
  return new Partition(parts, rest);
}

class Partition implements Optimizer {
  readonly #parts: readonly Part[];
  readonly #rest: Optimizer;
  /** All of them, by their prefix in a state dict. */
  readonly #named: readonly (readonly [string, Optimizer])[];

  constructor(parts: readonly Part[], rest: Optimizer) {
    this.#parts = parts;
    this.#rest = rest;
    this.#named = [...parts.map(({ optimizer }, i) => [`${i}.`, optimizer] as const), ['rest.', rest]];
  }

  /** Updates of the part that has done most. */
  get count(): number {
    return Math.max(...this.#named.map(([, optimizer]) => optimizer.count));
  }

  /** That of `rest`. */
  learningRate(): number {
    return this.#rest.learningRate();
  }

  step(parameters: Record<string, Parameter>, grads: Record<string, tf.Tensor>): void {
    checkGradients('partition.step', parameters, grads);
    const shares = new Map<Optimizer, Record<string, tf.Tensor>>();
    for (const [name, grad] of Object.entries(grads)) {
      const optimizer = this.#optimizerOf(name);
      shares.set(optimizer, { ...shares.get(optimizer), [name]: grad });
    }
    for (const [optimizer, share] of shares) optimizer.step(parameters, share);
  }

  async stateDict(): Promise<StateDict> {
    const states = await Promise.all(
      this.#named.map(async ([prefix, optimizer]) =>
        Object.entries(await optimizer.stateDict()).map(([key, value]) => [prefix + key, value] as const),
      ),
    );
    return Object.fromEntries(states.flat());
  }

  loadStateDict(state: StateDict, options: { strict?: boolean } = {}): void {
    const known = (key: string) => this.#named.some(([prefix]) => key.startsWith(prefix));
    const extra = Object.keys(state).filter((key) => !known(key));
    if (options.strict !== false && extra.length > 0)
      throw new StateDictError({ fn: 'partition.loadStateDict', extra });
    for (const [prefix, optimizer] of this.#named) {
      const own = Object.entries(state).filter(([key]) => key.startsWith(prefix));
      const stripped = own.map(([key, value]) => [key.slice(prefix.length), value] as const);
      optimizer.loadStateDict(Object.fromEntries(stripped), options);
    }
  }

  dispose(): void {
    for (const [, optimizer] of this.#named) optimizer.dispose();
  }

  #optimizerOf(name: string): Optimizer {
    return this.#parts.find(({ match }) => matches(match, name))?.optimizer ?? this.#rest;
  }
}
