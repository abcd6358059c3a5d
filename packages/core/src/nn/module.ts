import type * as tf from '@tensorflow/tfjs-core';
import type { LoadReport, StateDict, Stateful } from '../checkpoint/host-tensor';
import { loadLeaves, saveLeaves } from '../checkpoint/leaves';
import type { Key } from '../random';
import { type Buffer, isBuffer, isParameter, type Parameter } from './leaf';
import { foldAliases } from './shared-leaves';

/**
 * A part of a model: plain fields that hold parameters, buffers, other modules and arrays of any of them.
 *
 * Nothing is registered. Walking the fields in the order of their assignment finds everything, and the path is the
 * name: field `model`, a `Sequential` whose first layer has a field `weight`, gives `model.0.weight`, as in PyTorch.
 * A field `blocks` that holds an array of modules gives `blocks.0.weight`. Private fields (`#name`) are not walked:
 * there a module may keep what is not its own, such as a parent.
 *
 * Subclasses write `forward` with the arguments that they need.
 */
export abstract class Module implements Stateful {
  /** Whether `forward` behaves as in training (dropout, batch statistics). Set by `train()` and `eval()`. */
  training = true;

  /** Direct sub-modules with the names under which they appear in paths. */
  *children(): Iterable<[name: string, module: Module]> {
    for (const [name, value] of fields(this)) if (isModule(value)) yield [name, value];
  }

  /**
   * This module and all below it, parents first, with their paths; the path of `this` is `''`. A module that is
   * reached twice comes once, under its first path.
   */
  *modules(prefix = ''): Iterable<[path: string, module: Module]> {
    const seen = new Set<Module>();
    for (const [path, module] of walk(this, prefix, [])) {
      if (seen.has(module)) continue;
      seen.add(module);
      yield [path, module];
    }
  }

  /** All parameters by path, each shared one once, under the first path that reaches it. */
  namedParameters(): Record<string, Parameter> {
    return leavesOf(this, isParameter);
  }

  /** All buffers by path. */
  namedBuffers(): Record<string, Buffer> {
    return leavesOf(this, isBuffer);
  }

  /** Parameters that `freeze()` has not switched off, by path. */
  trainableParameters(): Record<string, Parameter> {
    return leavesOf(this, (value): value is Parameter => isParameter(value) && value.trainable);
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
    return saveLeaves(leavesOf(this, isLeaf));
  }

  /**
   * Copies values into the parameters and buffers of the same names. `strict: false` passes over extra and missing
   * keys and returns them. A shared parameter may come under any one of its names, or under several with the same
   * values, as PyTorch writes it.
   * @throws StateDictError that lists every extra, missing and wrongly shaped key; nothing has been changed then.
   */
  loadStateDict(state: StateDict, options: { strict?: boolean } = {}): LoadReport {
    return loadLeaves(leavesOf(this, isLeaf), foldAliases(allLeaves(this), state), options);
  }

  /** Frees all parameters and buffers. The module cannot be used afterwards. */
  dispose(): void {
    for (const leaf of Object.values(leavesOf(this, isLeaf))) leaf.dispose();
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
  key?: Key;
}

/** A module from one tensor to one tensor: what `Sequential` chains. */
export abstract class Layer extends Module {
  /** The caller owns the result. */
  abstract forward(x: tf.Tensor, context?: ForwardContext): tf.Tensor;
}

/** Own fields with their names, arrays spelled out to any depth as `name.0`, `name.1`, … */
function* fields(module: Module): Iterable<[name: string, value: unknown]> {
  for (const [name, value] of Object.entries(module)) yield* spell(name, value);
}

function* spell(name: string, value: unknown): Iterable<[name: string, value: unknown]> {
  if (!Array.isArray(value)) yield [name, value];
  else for (const [i, item] of value.entries()) yield* spell(`${name}.${i}`, item);
}

/** All paths to all modules, those that are reached twice twice. A module inside itself is passed over. */
function* walk(module: Module, path: string, above: readonly Module[]): Iterable<[string, Module]> {
  if (above.includes(module)) return;
  yield [path, module];
  for (const [name, child] of module.children()) yield* walk(child, join(path, name), [...above, module]);
}

/** All paths to all parameters and buffers, shared ones under each of their names. */
function* allLeaves(root: Module): Iterable<[path: string, leaf: Parameter | Buffer]> {
  for (const [path, module] of walk(root, '', [])) {
    for (const [name, value] of fields(module)) if (isLeaf(value)) yield [join(path, name), value];
  }
}

function leavesOf<T extends Parameter | Buffer>(
  module: Module,
  wanted: (value: unknown) => value is T,
): Record<string, T> {
  const found: Record<string, T> = {};
  const seen = new Set<unknown>();
  for (const [path, leaf] of allLeaves(module)) {
    if (!wanted(leaf) || seen.has(leaf)) continue;
    seen.add(leaf);
    found[path] = leaf;
  }
  return found;
}

function isLeaf(value: unknown): value is Parameter | Buffer {
  return isParameter(value) || isBuffer(value);
}

function join(prefix: string, name: string): string {
  return prefix ? `${prefix}.${name}` : name;
}
