import * as tf from '@tensorflow/tfjs-core';
import { composedKernel, type KernelCompletion } from '../complete/completion';
import { nearestWeights, resizeGradient, resizeMode } from '../complete/resize-matrix';

// Kernels of tfjs's cpu backend that give wrong results.

/** tfjs's own reads dy with the strides of the image, and so the wrong pixels from the second image of a batch on. */
const resizeNearestNeighborGrad: KernelCompletion = {
  kernel: tf.ResizeNearestNeighborGrad,
  run: ({ dy, images }, attrs) => resizeGradient(dy!, images!.shape, nearestWeights, resizeMode(attrs)),
};

/** tfjs's own pairs the wrong matrices where a batch is broadcast along some of its axes only. */
function batchMatMul(original: tf.KernelFunc): KernelCompletion {
  return {
    kernel: tf.BatchMatMul,
    run: ({ a, b }, attrs) => {
      const [batchA, batchB] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
      const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
      const whole = (shape: number[]) =>
        [1, tf.util.sizeFromShape(batch)].includes(tf.util.sizeFromShape(shape));
      const widen = (t: tf.Tensor) => tf.broadcastTo(t, [...batch, ...t.shape.slice(-2)]);
      const inputs = whole(batchA) && whole(batchB) ? { a: a!, b: b! } : { a: widen(a!), b: widen(b!) };
      const info = original({ inputs, attrs, backend: tf.backend() }) as tf.TensorInfo;
      return tf.engine().makeTensorFromTensorInfo(info);
    },
  };
}

/** tfjs's own takes the wrong elements where an axis is dropped or added (masks) and another has a stride. */
function stridedSlice(original: tf.KernelFunc): KernelCompletion {
  return {
    kernel: tf.StridedSlice,
    run: (inputs, a: tf.StridedSliceAttrs) => {
      const { shape } = inputs.x!;
      const { begin, end, strides, finalShape } = tf.slice_util.sliceInfo(
        shape,
        a.begin,
        a.end,
        a.strides,
        a.beginMask,
        a.endMask,
        a.ellipsisMask,
        a.newAxisMask,
        a.shrinkAxisMask,
      );
      const attrs = {
        begin,
        // Going backwards, -1 means "before the first", which as an argument would mean the last.
        end: end.map((e, i) => (strides[i]! < 0 && e < 0 ? e - shape[i]! : e)),
        strides,
        ...{ beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 },
      };
      const info = original({ inputs, attrs, backend: tf.backend() }) as tf.TensorInfo;
      return tf.reshape(tf.engine().makeTensorFromTensorInfo(info), finalShape);
    },
  };
}

/** tfjs's own writes into its input. */
function tensorScatterUpdate(original: tf.KernelFunc): KernelCompletion {
  return {
    kernel: tf.TensorScatterUpdate,
    run: (inputs, attrs) => {
      const { shape, dtype } = inputs.tensor!;
      const tensor = tf.tensor(inputs.tensor!.dataSync().slice(), shape, dtype);
      const info = original({ inputs: { ...inputs, tensor }, attrs, backend: tf.backend() }) as tf.TensorInfo;
      return tf.engine().makeTensorFromTensorInfo(info);
    },
  };
}

const corrections: Record<string, (original: tf.KernelFunc) => KernelCompletion> = {
  [tf.BatchMatMul]: batchMatMul,
  [tf.ResizeNearestNeighborGrad]: () => resizeNearestNeighborGrad,
  [tf.StridedSlice]: stridedSlice,
  [tf.TensorScatterUpdate]: tensorScatterUpdate,
};

/** Replaces kernels of tfjs's cpu backend that are wrong. Returns their names. */
export function correctCpu(): string[] {
  for (const [name, correction] of Object.entries(corrections)) {
    const { kernelFunc } = tf.getKernel(name, 'cpu');
    tf.unregisterKernel(name, 'cpu');
    tf.registerKernel(composedKernel(correction(kernelFunc), 'cpu'));
  }
  return Object.keys(corrections);
}
