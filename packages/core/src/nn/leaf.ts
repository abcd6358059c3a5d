import * as tf from '@tensorflow/tfjs-core';
import type { DiskDType } from '../checkpoint/host-tensor';

const LEAF = Symbol.for('poiesis.leaf');

/** How a leaf is written to disk, where PyTorch's layout or type differs from ours in memory. */
export interface DiskFormat {
  /** `disk axis i` is `memory axis permute[i]`. OIHW on disk from HWIO in memory is `[3, 2, 0, 1]`. */
  permute?: readonly number[];
  /** Type on disk, for example `'I64'` for counters that PyTorch keeps as 64-bit integers. */
  dtype?: DiskDType;
}

interface LeafTag {
  readonly kind: 'parameter' | 'buffer';
  readonly disk: DiskFormat;
}

/** A trainable weight: a `tf.Variable`, usable wherever a tensor is. */
export type Parameter<R extends tf.Rank = tf.Rank> = tf.Variable<R> & { readonly [LEAF]: LeafTag };
/** State that is saved but not trained, such as running statistics. */
export type Buffer<R extends tf.Rank = tf.Rank> = tf.Variable<R> & { readonly [LEAF]: LeafTag };

/**
 * Makes a trainable weight from its first value. Takes ownership of `value`: it is disposed.
 * The parameter belongs to the module that holds it; `module.dispose()` frees it.
 */
export function parameter<R extends tf.Rank>(value: tf.Tensor<R>, disk: DiskFormat = {}): Parameter<R> {
  return leaf(value, 'parameter', disk);
}

/** Makes saved, untrained state from its first value. Takes ownership of `value`: it is disposed. */
export function buffer<R extends tf.Rank>(value: tf.Tensor<R>, disk: DiskFormat = {}): Buffer<R> {
  return leaf(value, 'buffer', disk);
}

function leaf<R extends tf.Rank>(value: tf.Tensor<R>, kind: LeafTag['kind'], disk: DiskFormat) {
  const variable = tf.variable(value, kind === 'parameter');
  value.dispose();
  // Symbol.for, not a WeakMap: a second copy of core (ESM beside CJS) must recognize it too.
  return Object.assign(variable, { [LEAF]: { kind, disk } }) as tf.Variable<R> & { readonly [LEAF]: LeafTag };
}

export function isParameter(value: unknown): value is Parameter {
  return tagOf(value)?.kind === 'parameter';
}

export function isBuffer(value: unknown): value is Buffer {
  return tagOf(value)?.kind === 'buffer';
}

/** The disk format that a leaf was made with. */
export function diskFormat(leaf: Parameter | Buffer): DiskFormat {
  return leaf[LEAF].disk;
}

function tagOf(value: unknown): LeafTag | undefined {
  return typeof value === 'object' && value !== null ? (value as { [LEAF]?: LeafTag })[LEAF] : undefined;
}
