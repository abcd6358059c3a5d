import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, checkArgument } from '../errors';
import { hostValues, isHostBackend } from './host-values';
import { stopGradient } from './stop-gradient';

/** Token numbers: a tensor of type int32, or plain numbers. */
export type Ids = tf.Tensor | Int32Array | readonly number[] | readonly (readonly number[])[];

/**
 * Rows of a table, as `torch.nn.functional.embedding`: `y[...] = weight[ids[...]]`.
 *
 * Ids outside `[0, count)` are an `ArgumentError` wherever they can be seen without waiting for a device: for plain
 * numbers always, for tensors on the backends cpu and wasm and where a backend has them on the host already. Elsewhere
 * a negative one is as wrong as one that is too large: `onnx` throws where it computes them.
 *
 * @param ids int32, any shape.
 * @param weight `[count, dim]`.
 * @param options.paddingIdx A row that takes no gradient, as PyTorch's `padding_idx`. Negative counts from the end.
 * @returns `[...ids, dim]`. The caller owns it.
 */
export function embedding(
  ids: Ids,
  weight: tf.Tensor,
  { paddingIdx }: { paddingIdx?: number | null } = {},
): tf.Tensor {
  checkArgument(weight.rank === 2, 'embedding', 'weight', '[count, dim]', weight.shape);
  const count = weight.shape[0]!;
  const padding = paddingIdx == null ? null : paddingRow(paddingIdx, count, 'embedding');
  return tf.tidy(() => {
    const rows = idTensor(ids, count);
    const y = tf.gather(weight, rows); // (...ids, dim)
    if (padding === null) return y;
    const isPadding = tf.broadcastTo(tf.expandDims(tf.equal(rows, tf.scalar(padding, 'int32')), -1), y.shape);
    return tf.where(isPadding, stopGradient(y), y);
  });
}

/** The row that a padding index names. */
export function paddingRow(paddingIdx: number, count: number, fn: string): number {
  checkArgument(
    Number.isInteger(paddingIdx) && paddingIdx >= -count && paddingIdx < count,
    fn,
    'options.paddingIdx',
    `an integer in [-${count}, ${count})`,
    paddingIdx,
  );
  return paddingIdx < 0 ? paddingIdx + count : paddingIdx;
}

function idTensor(ids: Ids, count: number): tf.Tensor {
  if (ids instanceof tf.Tensor) {
    checkArgument(ids.dtype === 'int32', 'embedding', 'ids', 'a tensor of type int32', ids.dtype);
    const seen = hostValues(ids);
    if (seen) checkIds(seen, count);
    return isHostBackend() ? ids : noneNegative(ids, count);
  }
  const nested = ids instanceof Int32Array ? null : (ids as readonly (number | readonly number[])[]);
  const columns = nested && Array.isArray(nested[0]) ? nested[0].length : null;
  const flat = nested ? nested.flat() : (ids as Int32Array);
  checkIds(flat, count);
  if (columns === null || !nested) return tf.tensor1d(Int32Array.from(flat), 'int32');
  const even = nested.every((row) => Array.isArray(row) && row.length === columns);
  checkArgument(even, 'embedding', 'ids', 'rows of equal length', ids);
  return tf.tensor2d(Int32Array.from(flat), [nested.length, columns], 'int32');
}

/**
 * The ids, with an id that no table has for each negative one: a runtime may count those from the end, and a step that
 * is replayed is past the checks above.
 */
function noneNegative(ids: tf.Tensor, count: number): tf.Tensor {
  return tf.where(tf.less(ids, tf.scalar(0, 'int32')), tf.scalar(count, 'int32'), ids);
}

function checkIds(ids: ArrayLike<number>, count: number): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (Number.isInteger(id) && id >= 0 && id < count) continue;
    throw new ArgumentError({
      fn: 'embedding',
      argument: `ids[${i}]`,
      expected: `an integer in [0, ${count})`,
      received: id,
    });
  }
}
