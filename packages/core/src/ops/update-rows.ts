import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { hostValues } from './host-values';
import { withGradient } from './with-gradient';

/** The kernel of a backend that has one. Its inputs are `cache`, `rows` and `position`, as those of `updateRows`. */
const KERNEL = 'UpdateRows';

/**
 * `cache` with `rows` in place of its rows from `position` on, as `jax.lax.dynamic_update_slice` along the last axis
 * but one. The position is data, so a program that appends to a cache of a fixed length (keys and values of the tokens
 * so far) is the same program at every position.
 *
 * In a compiled step, `variable.assign(updateRows(variable, rows, position))` is done in place where nothing else
 * reads the old value: it costs the rows, not the cache.
 *
 * @param cache `[..., length, dim]`.
 * @param rows `[..., n, dim]`, of the cache's type and leading axes, n ≤ length.
 * @param position Number of the first row that is replaced, from 0 to length − n: an int32 scalar or a plain number.
 *   One outside is an `ArgumentError` where it can be seen without waiting for a device; elsewhere the backend throws
 *   when it runs, or leaves out the rows that do not fit.
 * @returns `[..., length, dim]`. The caller owns it.
 */
export function updateRows(cache: tf.Tensor, rows: tf.Tensor, position: tf.Scalar | number): tf.Tensor {
  const fn = 'updateRows';
  checkArgument(cache.rank >= 2, fn, 'cache', '[..., length, dim]', cache.shape);
  const [length, dim] = cache.shape.slice(-2) as [number, number];
  const lead = cache.shape.slice(0, -2);
  const count = rows.shape.at(-2) ?? 0;
  const fits =
    rows.rank === cache.rank && count <= length && rows.shape.join() === [...lead, count, dim].join();
  checkArgument(fits, fn, 'rows', `[${[...lead, `1 to ${length}`, dim].join(', ')}]`, rows.shape);
  checkArgument(rows.dtype === cache.dtype, fn, 'rows', `type ${cache.dtype}`, rows.dtype);
  const known = typeof position === 'number' ? position : checkedPosition(position);
  const valid = known === undefined || (Number.isInteger(known) && known >= 0 && known + count <= length);
  checkArgument(valid, fn, 'position', `an integer from 0 to ${length - count}`, known);

  return tf.tidy(() => {
    const at = typeof position === 'number' ? tf.scalar(position, 'int32') : position;
    return withGradient([cache, rows], () => ({
      value: updated(cache, rows, at),
      saved: [at],
      gradient: (dy, [saved]) => {
        const at = saved as tf.Scalar;
        const index = tf.add(at, tf.range(0, count, 1, 'int32')) as tf.Tensor1D;
        const dRows = tf.gather(dy, index, cache.rank - 2);
        return [updateRows(dy, tf.zerosLike(dRows), at), dRows];
      },
    }));
  });
}

function checkedPosition(position: tf.Scalar): number | undefined {
  const valid = position.size === 1 && position.dtype === 'int32';
  checkArgument(valid, 'updateRows', 'position', 'an int32 scalar', `${position.dtype} [${position.shape}]`);
  return hostValues(position)?.[0];
}

function updated(cache: tf.Tensor, rows: tf.Tensor, position: tf.Scalar): tf.Tensor {
  if (tf.getKernel(KERNEL, tf.getBackend())) return tf.engine().runKernel(KERNEL, { cache, rows, position });
  const [length] = cache.shape.slice(-2) as [number, number];
  const count = rows.shape.at(-2)!;
  // In float32, where every backend clips.
  const offset = tf.sub(tf.range(0, length), tf.cast(position, 'float32'));
  const inside = tf.logicalAnd(tf.greaterEqual(offset, 0), tf.less(offset, count));
  const row = tf.cast(tf.clipByValue(offset, 0, count - 1), 'int32') as tf.Tensor1D;
  const spread = tf.gather(rows, row, cache.rank - 2);
  return tf.where(tf.broadcastTo(tf.reshape(inside, [length, 1]), cache.shape), spread, cache);
}
