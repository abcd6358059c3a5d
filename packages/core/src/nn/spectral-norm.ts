import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, checkArgument } from '../errors';
import { powerIteration, spectralValue } from '../ops/spectral-norm';
import { type Key, normal } from '../random';
import { ConvTranspose2d } from './conv';
import { checkSizes } from './fresh';
import { type Buffer, buffer, diskFormat, isParameter, type Parameter } from './leaf';
import type { ForwardContext, Layer } from './module';

export interface SpectralNormOptions {
  /** Where the first singular vectors come from. */
  key: Key;
  /** Power iterations at each forward in training. Default 1. */
  iterations?: number;
  /** Smallest norm to divide by. Default 1e-12. */
  eps?: number;
  /** Axis of the output channels on disk. Default 1 for transposed convolutions, otherwise 0. */
  dim?: number;
}

/** What `spectralNorm` puts in the place of `weight`. */
export interface SpectrallyNormalized {
  /** The trained weight, before normalization. */
  readonly weight_orig: Parameter;
  /** Left singular vector, `[out]`. */
  readonly weight_u: Buffer<tf.Rank.R1>;
  /** Right singular vector, `[in · kernel]` in PyTorch's order. */
  readonly weight_v: Buffer<tf.Rank.R1>;
}

/**
 * Divides a layer's weight by its largest singular value (Miyato et al. 2018), estimated by power iteration: one step
 * at each forward in training, none in evaluation. Changes the layer and returns it.
 *
 * As PyTorch's `torch.nn.utils.spectral_norm`, down to the names `weight_orig`, `weight_u` and `weight_v`: published
 * GAN checkpoints have those. (The newer `torch.nn.utils.parametrizations.spectral_norm` computes the same from
 * `parametrizations.weight.original` and runs 15 steps when it is applied.) The matrix has the output channels as its
 * rows and everything else as its columns.
 *
 * `layer.weight` exists during `forward` only.
 */
export function spectralNorm<L extends Layer & { readonly weight: Parameter }>(
  layer: L,
  { key, iterations = 1, eps = 1e-12, dim = layer instanceof ConvTranspose2d ? 1 : 0 }: SpectralNormOptions,
): L & SpectrallyNormalized {
  const original = layer.weight;
  checkArgument(isParameter(original), 'spectralNorm', 'layer', 'a layer with a parameter weight', layer);
  checkArgument(original.rank >= 2, 'spectralNorm', 'layer.weight', 'at least two axes', original.shape);
  checkSizes('spectralNorm', { 'options.iterations': iterations });
  const toMatrix = matrixOrder(original, dim);
  const rows = original.shape[toMatrix[0]!]!;
  const [uKey, vKey] = key.split(2);
  const parts = {
    weight_orig: original,
    weight_u: buffer(unit(uKey!, rows, eps)),
    weight_v: buffer(unit(vKey!, original.size / rows, eps)),
  };
  const matrixOf = (weight: tf.Tensor) => tf.reshape(tf.transpose(weight, toMatrix), [rows, -1]); // (out, in · kernel)

  let current: tf.Tensor | null = null;
  Object.defineProperty(layer, 'weight', {
    configurable: true,
    enumerable: false, // so that walking finds weight_orig alone
    get: () => {
      if (current) return current;
      const expected = 'weight_orig outside forward';
      throw new ArgumentError({ fn: 'spectralNorm', argument: 'layer.weight', expected, received: 'weight' });
    },
  });

  const forward = layer.forward;
  const normalized = (x: tf.Tensor, context?: ForwardContext): tf.Tensor =>
    tf.tidy(() => {
      const { weight_orig, weight_u, weight_v } = layer as L & SpectrallyNormalized;
      const matrix = matrixOf(weight_orig);
      // The variables change under a recorded gradient; it has to hold the vectors of its own call.
      let vectors = { u: tf.clone(weight_u as tf.Tensor1D), v: tf.clone(weight_v as tf.Tensor1D) };
      if (layer.training) {
        vectors = powerIteration(matrix, vectors, { iterations, eps });
        weight_u.assign(vectors.u);
        weight_v.assign(vectors.v);
      }
      current = tf.div(weight_orig, spectralValue(matrix, vectors));
      try {
        return forward.call(layer, x, context);
      } finally {
        current = null;
      }
    });
  Object.defineProperty(layer, 'forward', {
    configurable: true,
    enumerable: false,
    writable: true,
    value: normalized,
  });
  return Object.assign(layer, parts);
}

/** Axes of the weight in memory, the output channels first and the others in PyTorch's order. */
function matrixOrder(weight: Parameter, dim: number): number[] {
  const disk = [...(diskFormat(weight).permute ?? weight.shape.map((_, axis) => axis))];
  const [out] = disk.splice(dim, 1);
  checkArgument(
    out !== undefined,
    'spectralNorm',
    'options.dim',
    `an axis of [${weight.shape.join(', ')}]`,
    dim,
  );
  return [out, ...disk];
}

function unit(key: Key, size: number, eps: number): tf.Tensor1D {
  return tf.tidy(() => {
    const x = normal<tf.Rank.R1>(key, [size]);
    return tf.div(x, tf.maximum(tf.norm(x), eps));
  });
}
