import type * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { type Fan, type Initializer, kaimingUniform, uniformInit } from '../init';
import type { Key } from '../random';
import { type DiskFormat, type Parameter, parameter } from './leaf';

/** What every layer with random weights is told about them. */
export interface WeightOptions {
  /** Where the first values come from. */
  key: Key;
  /** Distribution of the weight. Default: PyTorch's for this layer. Biases keep PyTorch's. */
  init?: Initializer;
}

/**
 * PyTorch's first values of linear and convolution layers: the weight uniform in ±1/√fanIn (`kaiming_uniform_` with
 * a = √5), the bias, where there is one, likewise.
 */
export function freshWeights<R extends tf.Rank>(
  { key, init = kaimingUniform({ a: Math.sqrt(5) }) }: WeightOptions,
  shape: readonly number[],
  fan: Fan,
  disk: DiskFormat,
  biasSize: number | null,
): { weight: Parameter<R>; bias: Parameter<tf.Rank.R1> | null } {
  const [weightKey, biasKey] = key.split(2);
  const bound = 1 / Math.sqrt(fan.in);
  const biasInit = uniformInit({ min: -bound, max: bound });
  return {
    weight: parameter(init(weightKey!, shape, fan) as tf.Tensor<R>, disk),
    bias: biasSize === null ? null : parameter(biasInit(biasKey!, [biasSize], fan) as tf.Tensor1D),
  };
}

/** Demands integers ≥ 1. */
export function checkSizes(fn: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    checkArgument(Number.isInteger(size) && size >= 1, fn, name, 'an integer ≥ 1', size);
  }
}
