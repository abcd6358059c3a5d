import type * as tf from '@tensorflow/tfjs-core';
import { loadLeaves, saveLeaves } from '../checkpoint/leaves';
import type { StateDict, Stateful } from '../checkpoint/host-tensor';
import { type Buffer, isBuffer, isParameter, type Parameter } from './leaf';

/**
 * A part of a model: plain fields that hold parameters, buffers, other modules and arrays of modules.
 *
 * Nothing is registered. Walking the fields in the order of their assignment finds everything, and the path is the
 * name: field `model`, a `Sequential` whose first layer has a field `weight`, gives `model.0.weight`, as in PyTorch.
 * Subclasses write `forward` with the arguments that they need.
 */
export abstract class Module implements Stateful {
  /** Whether `forward` behaves as in training (dropout, batch statistics). Set by `train()` and `eval()`. */
  training = true;

  /** Direct sub-modules with the names under which they appear in paths. */
  *children(): Iterable<[name: string, module: Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (isModule(value)) yield [name, value];
      else if (Array.isArray(value)) {
        for (const [i, item] of value.entries()) if (isModule(item)) yield [`${name}.${i}`, item];
      }
    }
  }

  /** This module and all below it, parents first, with their paths; the path of `this` is `''`. */
  *modules(prefix = ''): Iterable<[path: string, module: Module]> {
    yield [prefix, this];
    for (const [name, child] of this.children()) yield* child.modules(join(prefix, name));
  }

  /** All parameters by path, each shared one once, under the first path that reaches it. */
  namedParameters(): Record<string, Parameter> {
    return this.leaves(isParameter);
  }

  /** All buffers by path. */
  namedBuffers(): Record<string, Buffer> {
    return this.leaves(isBuffer);
  }

  /** Parameters that `freeze()` has not switched off, by path. */
  trainableParameters(): Record<string, Parameter> {
    return this.leaves((value): value is Parameter => isParameter(value) && value.trainable);
  }

  /** Number of scalars in all parameters. */
  parameterCount(): number {
    return Object.values(this.namedParameters()).reduce((sum, p) => sum + p.size, 0);
  }

  /** Switches this module and all below it to training behaviour, or away from it. Returns `this`. */
  train(training = true): this {
    for (const [, module] of this.modules()) module.training = training;
    return this;
  }

  /** Switches to evaluation: no dropout, running statistics. Returns `this`. */
  eval(): this {
    return this.train(false);
  }

  /** Excludes the parameters below this module from training. Returns `this`. */
  freeze(frozen = true): this {
    for (const p of Object.values(this.namedParameters())) p.trainable = !frozen;
    return this;
  }

  /** Undoes `freeze()`. Returns `this`. */
  unfreeze(): this {
    return this.freeze(false);
  }

  /** Parameters and buffers on the host, in PyTorch's names, layouts and types. */
  stateDict(): Promise<StateDict> {
    return saveLeaves(this.leaves(isLeaf));
  }

  /**
   * Copies values into the parameters and buffers of the same names.
   * @throws StateDictError that lists every extra, missing and wrongly shaped key; nothing has been changed then.
   */
  loadStateDict(state: StateDict, options: { strict?: boolean } = {}): void {
    loadLeaves(this.leaves(isLeaf), state, options);
  }

  /** Frees all parameters and buffers. The module cannot be used afterwards. */
  dispose(): void {
    for (const leaf of Object.values(this.leaves(isLeaf))) leaf.dispose();
  }

  private leaves<T extends tf.Variable>(wanted: (value: unknown) => value is T): Record<string, T> {
    const found: Record<string, T> = {};
    const seen = new Set<unknown>();
    for (const [path, module] of this.modules()) {
      for (const [name, value] of Object.entries(module)) {
        if (!wanted(value) || seen.has(value)) continue;
        seen.add(value);
        found[join(path, name)] = value;
      }
    }
    return found;
  }
}

const MODULE = Symbol.for('poiesis.module');
Object.defineProperty(Module.prototype, MODULE, { value: true });

/** Recognizes modules, also those of a second copy of core. */
export function isModule(value: unknown): value is Module {
  return typeof value === 'object' && value !== null && MODULE in value;
}

/** What a layer may need beside its input. */
export interface ForwardContext {
  /** Randomness of this call (dropout). A layer that needs it throws where it is missing. */
  key?: import('../random').Key;
}

/** A module from one tensor to one tensor: what `Sequential` chains. */
export abstract class Layer extends Module {
  /** The caller owns the result. */
  abstract forward(x: tf.Tensor, context?: ForwardContext): tf.Tensor;
}

function isLeaf(value: unknown): value is Parameter | Buffer {
  return isParameter(value) || isBuffer(value);
}

function join(prefix: string, name: string): string {
  return prefix ? `${prefix}.${name}` : name;
}
