import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';

type Grads = Record<string, tf.Tensor>;

/** How an optimizer limits gradients before it uses them: by value first, then by norm. */
export interface ClipOptions {
  /** Largest Euclidean norm of all gradients together. */
  norm?: number;
  /** Largest magnitude of an entry. */
  value?: number;
}

/**
 * Scales all gradients down together so that their common Euclidean norm is at most `max`:
 * g · min(1, max / (norm + 10⁻⁶)), as `torch.nn.utils.clip_grad_norm_`. No gradient reaches the host.
 * @returns new tensors, and the norm before clipping; the caller owns them. `grads` are not disposed.
 */
export function clipByGlobalNorm(grads: Grads, max: number): { grads: Grads; norm: tf.Scalar } {
  checkArgument(max > 0, 'clipByGlobalNorm', 'max', 'a number > 0', max);
  checkArgument(Object.keys(grads).length > 0, 'clipByGlobalNorm', 'grads', 'at least one gradient', []);
  return tf.tidy(() => {
    const norm = globalNorm(grads);
    const scale = tf.minimum(tf.div(max, tf.add(norm, 1e-6)), 1);
    return { grads: mapGrads(grads, (grad) => tf.mul(grad, scale)), norm };
  });
}

/**
 * Limits every entry to [−max, max], as `torch.nn.utils.clip_grad_value_`.
 * @returns new tensors that the caller owns. `grads` are not disposed.
 */
export function clipByValue(grads: Grads, max: number): Grads {
  checkArgument(max > 0, 'clipByValue', 'max', 'a number > 0', max);
  return mapGrads(grads, (grad) => tf.clipByValue(grad, -max, max));
}

/** The Euclidean norm of all tensors together. The caller owns it. */
export function globalNorm(tensors: Grads): tf.Scalar {
  checkArgument(Object.keys(tensors).length > 0, 'globalNorm', 'tensors', 'at least one tensor', []);
  return tf.tidy(() => {
    // Rows first: float32 sums of a million squares one after the other lose digits, sums of sums do not.
    const squares = Object.values(tensors).map((t) => tf.sum(tf.sum(tf.square(t), t.rank === 0 ? [] : -1)));
    return tf.sqrt(tf.sum(tf.stack(squares))) as tf.Scalar;
  });
}

/** What `options.clip` of an optimizer asks for. Returns `grads` itself where it asks for nothing. */
export function clip(grads: Grads, { value, norm }: ClipOptions): Grads {
  const limited = value === undefined ? grads : clipByValue(grads, value);
  if (norm === undefined) return limited;
  const scaled = clipByGlobalNorm(limited, norm);
  scaled.norm.dispose();
  if (limited !== grads) tf.dispose(limited);
  return scaled.grads;
}

export function checkClip(fn: string, { norm, value }: ClipOptions): void {
  checkArgument(norm === undefined || norm > 0, fn, 'options.clip.norm', 'a number > 0', norm);
  checkArgument(value === undefined || value > 0, fn, 'options.clip.value', 'a number > 0', value);
}

function mapGrads(grads: Grads, f: (grad: tf.Tensor) => tf.Tensor): Grads {
  return Object.fromEntries(Object.entries(grads).map(([name, grad]) => [name, f(grad)]));
}
