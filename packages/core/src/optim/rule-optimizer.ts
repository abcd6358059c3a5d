import * as tf from '@tensorflow/tfjs-core';
import type { StateDict } from '../checkpoint';
import { fromHost } from '../compile';
import { checkArgument } from '../errors';
import type { Parameter } from '../nn/leaf';
import { type ClipOptions, checkClip, clip } from './clip';
import { checkMatch, matches } from './match';
import { type CommonOptions, checkGradients, type Optimizer, type ParameterGroup } from './optimizer';
import { OptimizerState } from './optimizer-state';
import type { Rule } from './rule';
import type { Schedule } from './schedules';

type Settings<Hyper> = Hyper & { lr: number | Schedule };

/** Scalars that parameters of the same settings and the same number of updates share. */
interface Scalars {
  constants: tf.Scalar[];
  varying: tf.Scalar[];
}

/**
 * An optimizer made of a rule. Numbers that change from update to update (learning rate, bias corrections) reach the
 * rule as host inputs, and the count advances inside the last `make` of an update: whoever calls an update's `make`s
 * in order, without running `step`, advances it as well. Which parameters are updated is part of the program: a
 * replay updates those that were updated when it was recorded.
 */
export class RuleOptimizer<Hyper extends object> implements Optimizer {
  readonly #rule: Rule<Hyper>;
  /** Of all parameters that no group matches, then of each group. */
  readonly #settings: readonly Settings<Hyper>[];
  readonly #groups: readonly ParameterGroup<Hyper>[];
  readonly #clip: ClipOptions;
  readonly #state: OptimizerState;

  constructor(rule: Rule<Hyper>, options: CommonOptions<Hyper> & Partial<Hyper>) {
    const { groups = [], clip: limits = {}, ...common } = options;
    this.#rule = rule;
    this.#groups = groups;
    this.#clip = limits;
    const base = { ...rule.defaults, ...given(common) } as Settings<Hyper>;
    this.#settings = [base, ...groups.map(({ match: _, ...own }) => ({ ...base, ...given(own) }))];
    this.#state = new OptimizerState(rule.name, rule.slots);

    for (const settings of this.#settings) {
      const { lr } = settings;
      const valid = typeof lr === 'function' || (Number.isFinite(lr) && lr >= 0);
      checkArgument(valid, rule.name, 'options.lr', 'a number ≥ 0 or a schedule', lr);
      rule.check(settings);
    }
    for (const { match } of groups) checkMatch(rule.name, 'options.groups[].match', match);
    checkClip(rule.name, limits);
  }

  get count(): number {
    return this.#state.count;
  }

  learningRate(): number {
    return this.#rate(this.#settings[0]!);
  }

  step(parameters: Record<string, Parameter>, grads: Record<string, tf.Tensor>): void {
    checkGradients(`${this.#rule.name}.step`, parameters, grads);
    const updates = new Map(
      Object.keys(grads).flatMap((name) => {
        const parameter = parameters[name]!;
        if (!parameter.trainable) return [];
        const settings = this.#settingsOf(name);
        this.#rule.checkParameter?.(name, parameter.shape, settings);
        return [[name, { parameter, settings, slots: this.#rule.slotsFor(settings) }]];
      }),
    );
    if (updates.size === 0) return;
    this.#state.prepare(updates);
    tf.tidy(() => {
      const used = clip(
        Object.fromEntries([...updates.keys()].map((name) => [name, grads[name]!])),
        this.#clip,
      );
      const scalars = this.#scalars(updates);
      for (const [name, { parameter, settings, slots }] of updates) {
        // A scope for each parameter: the intermediates of one live at a time.
        tf.tidy(() => {
          const state = this.#state.slots(name, slots);
          const inputs = {
            hyper: settings,
            value: parameter,
            grad: used[name]!,
            slots: state,
            ...scalars(name),
          };
          const next = this.#rule.update(inputs);
          parameter.assign(next.value);
          state.forEach((slot, i) => {
            slot.assign(next.slots[i]!);
          });
        });
      }
    });
  }

  stateDict(): Promise<StateDict> {
    return this.#state.save();
  }

  loadStateDict(state: StateDict, options: { strict?: boolean } = {}): void {
    this.#state.load(state, options);
  }

  dispose(): void {
    this.#state.dispose();
  }

  #settingsOf(name: string): Settings<Hyper> {
    const at = this.#groups.findIndex(({ match }) => matches(match, name));
    return this.#settings[at + 1]!;
  }

  #rate({ lr }: Settings<Hyper>): number {
    const rate = typeof lr === 'function' ? lr(this.#state.count) : lr;
    const at = `lr(${this.#state.count})`;
    checkArgument(Number.isFinite(rate) && rate >= 0, this.#rule.name, at, 'a number ≥ 0', rate);
    return rate;
  }

  /** Makes the scalars of an update, and counts it with the last of them. */
  #scalars(updates: ReadonlyMap<string, { settings: Settings<Hyper> }>): (name: string) => Scalars {
    const names = new Set(updates.keys());
    const keys = new Map<string, string>();
    const makers = new Map<string, { settings: Settings<Hyper>; name: string }>();
    for (const [name, { settings }] of updates) {
      const key = `${this.#settings.indexOf(settings)}/${this.#state.missed(name)}`;
      keys.set(name, key);
      if (!makers.has(key)) makers.set(key, { settings, name });
    }
    const last = [...makers.keys()].at(-1);
    const made = new Map<string, Scalars>();
    for (const [key, { settings, name }] of makers) {
      const numbers = () => {
        const t = this.#state.count + 1 - this.#state.missed(name);
        return this.#rule.varying(settings, this.#rate(settings), t);
      };
      const length = numbers().length;
      const varying = Array.from({ length }, (_, i) => {
        const make = () => {
          const value = Float32Array.of(numbers()[i]!);
          if (key === last && i === length - 1) this.#state.advance(names);
          return value;
        };
        return fromHost<tf.Rank.R0>(make, [], 'float32');
      });
      made.set(key, { varying, constants: this.#rule.constants(settings).map((value) => tf.scalar(value)) });
    }
    return (name) => made.get(keys.get(name)!)!;
  }
}

/** Without the options that are present but undefined. */
function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
