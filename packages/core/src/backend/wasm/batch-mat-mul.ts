import * as tf from '@tensorflow/tfjs-core';
import type { Correction } from './correction';
import type { BackendWasm } from './heap';

/**
 * BatchMatMul on XNNPACK also where a matrix is transposed or there is more than one.
 *
 * tfjs's own calls XNNPACK for one plain product only, and else a naive loop: 0.6 instead of 31 GFLOP/s for aᵀ·b,
 * 2 for batches. So transposed operands are transposed first, and a batch goes through XNNPACK one matrix at a time,
 * without copies: the C++ side is told of each matrix as a tensor that lies inside the big one. Both pay off from
 * about 20³ products per matrix on.
 */
export const batchMatMul: Correction = {
  kernel: tf.BatchMatMul,
  correct: (original) => (args) => {
    const { a, b } = args.inputs as { a: tf.Tensor; b: tf.Tensor };
    const { transposeA, transposeB }: { transposeA: boolean; transposeB: boolean } = args.attrs;
    const { backend } = args;
    if (a.dtype !== 'float32' || b.dtype !== 'float32' || a.size === 0 || b.size === 0) return original(args);
    const [m, k] = matrix(a, transposeA);
    const [, n] = matrix(b, transposeB);
    const multiply = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => {
      const attrs = { transposeA: false, transposeB: false };
      return tf
        .engine()
        .makeTensorFromTensorInfo(original({ inputs: { a: x, b: y }, attrs, backend }) as tf.TensorInfo);
    };
    const batchA = a.shape.slice(0, -2);
    const batchB = b.shape.slice(0, -2);
    const single = tf.util.sizeFromShape(batchA) === 1 && tf.util.sizeFromShape(batchB) === 1;
    if (single && !transposeA && !transposeB) {
      if (isPackedAs(b, k)) return original(args);
      return eachMatrix(backend, a, b, tf.backend_util.assertAndGetBroadcastShape(batchA, batchB), [m, k, n]);
    }
    if (m * k * n < SMALL && sameShape(batchA, batchB)) return original(args);

    return tf.tidy(() => {
      const x = transposeA ? swapLast(a) : a;
      const y = transposeB ? swapLast(b) : b;
      const batch = tf.backend_util.assertAndGetBroadcastShape(batchA, batchB);
      const shape = [...batch, m, n];
      if (single && isPackedAs(y, k))
        return tf.reshape(multiply(tf.reshape(x, [1, m, k]), tf.reshape(y, [1, k, n])), shape);
      if (tf.util.sizeFromShape(batchB) === 1 && isPackedAs(y, k)) {
        // One right side for all: one tall product.
        const tall = multiply(tf.reshape(x, [1, x.size / k, k]), tf.reshape(y, [1, k, n]));
        return tf.reshape(tall, shape);
      }
      return eachMatrix(backend, x, y, batch, [m, k, n]);
    });
  },
};

/**
 * XNNPACK packs a right side when it first sees it, and tfjs looks the packed form up by the tensor's data alone: the
 * same data in another shape (a reshape, or a clone of one) would be multiplied as what it was the first time. Such a
 * product goes under a number of its own instead.
 */
const packedRows = new WeakMap<object, number>();

/** Whether `b` may be multiplied as a right side of `rows` rows under its own number. Remembers the first answer. */
function isPackedAs({ dataId }: tf.Tensor, rows: number): boolean {
  const known = packedRows.get(dataId);
  if (known === undefined) packedRows.set(dataId, rows);
  return known === undefined || known === rows;
}

/** Products per matrix below which the naive loop is faster than setting up XNNPACK (measured: 18³). */
const SMALL = 6 * 1024;

function matrix(t: tf.Tensor, transposed: boolean): [rows: number, columns: number] {
  const [rows, columns] = t.shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

function swapLast(t: tf.Tensor): tf.Tensor {
  const axes = t.shape.map((_, i) => i);
  axes.push(...axes.splice(-2).reverse());
  return tf.transpose(t, axes);
}

function sameShape(a: number[], b: number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

type Native = (
  a: number,
  aShape: Uint8Array,
  aRank: number,
  b: number,
  bShape: Uint8Array,
  bRank: number,
  transposeA: boolean,
  transposeB: boolean,
  out: number,
) => void;

const natives = new WeakMap<object, Native>();

function native(backend: BackendWasm): Native {
  let f = natives.get(backend);
  if (!f) {
    const parameters = [
      'number',
      'array',
      'number',
      'number',
      'array',
      'number',
      'number',
      'number',
      'number',
    ];
    f = backend.wasm.cwrap('BatchMatMul', null, parameters) as Native;
    natives.set(backend, f);
  }
  return f;
}

function eachMatrix(
  backend: BackendWasm,
  x: tf.Tensor,
  y: tf.Tensor,
  batch: number[],
  [m, k, n]: [number, number, number],
): tf.Tensor {
  const out = tf.engine().makeTensorFromTensorInfo(backend.makeOutput([...batch, m, n], 'float32'));
  const multiply = native(backend);
  const xOf = matrixIndex(x.shape.slice(0, -2), batch);
  const yOf = matrixIndex(y.shape.slice(0, -2), batch);
  const [xShape, yShape] = [bytes([1, m, k]), bytes([1, k, n])];
  const count = tf.util.sizeFromShape(batch);
  for (let i = 0; i < count; i++) {
    const views = [
      view(backend, x, xOf(i) * m * k, m * k),
      view(backend, y, yOf(i) * k * n, k * n),
      view(backend, out, i * m * n, m * n),
    ] as const;
    multiply(views[0], xShape, 3, views[1], yShape, 3, false, false, views[2]);
    // Also drops the operator that XNNPACK keeps for the right side.
    for (const id of views) backend.wasm.tfjs.disposeData(id);
  }
  return out;
}

/** Tells the C++ side of a part of a tensor's memory as a tensor of its own; returns that one's number. */
function view(backend: BackendWasm, tensor: tf.Tensor, offset: number, size: number): number {
  const numbers = backend as unknown as { dataIdNextNumber: number };
  const id = numbers.dataIdNextNumber++;
  const { memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  backend.wasm.tfjs.registerTensor(id, size, memoryOffset + 4 * offset);
  return id;
}

/** Which matrix of an operand belongs to matrix i of the result, with broadcasting. */
function matrixIndex(operand: number[], batch: number[]): (i: number) => number {
  if (sameShape(operand, batch)) return (i) => i;
  const padded = [...new Array<number>(batch.length - operand.length).fill(1), ...operand];
  return (i) => {
    let index = 0;
    let stride = 1;
    let rest = i;
    for (let d = batch.length - 1; d >= 0; d--) {
      if (padded[d]! > 1) index += (rest % batch[d]!) * stride;
      rest = Math.floor(rest / batch[d]!);
      stride *= padded[d]!;
    }
    return index;
  };
}

function bytes(shape: number[]): Uint8Array {
  return new Uint8Array(new Int32Array(shape).buffer);
}
