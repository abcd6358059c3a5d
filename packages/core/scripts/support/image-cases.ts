import * as tf from '@tensorflow/tfjs-core';
import type { KernelCase } from './cases';

const run = (kernel: string, inputs: Record<string, tf.Tensor | undefined>, attrs: object) =>
  tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, attrs as tf.NamedAttrMap) as tf.Tensor;
const x4 = { shape: [2, 4, 4, 2] };
const x5 = { shape: [1, 4, 4, 4, 1] };
const same = { filterSize: 3, strides: 2, pad: 'same' as const };
const valid = { filterSize: 2, strides: 2, pad: 'valid' as const };
const boxes = () =>
  tf.tensor2d(
    [
      [0, 0, 1, 1],
      [0, 0.1, 1, 1.1],
      [0, 2, 1, 3],
    ],
    [3, 4],
  );
const scores = () => tf.tensor1d([0.9, 0.75, 0.6]);

function resize(
  kernel: string,
  f: (x: tf.Tensor4D, size: [number, number], alignCorners: boolean, halfPixelCenters: boolean) => tf.Tensor,
): KernelCase[] {
  const modes: [string, [number, number], boolean, boolean][] = [
    ['corners', [7, 5], true, false],
    ['half pixels', [8, 8], false, true],
    ['half pixels, smaller', [3, 2], false, true],
    ['plain', [8, 6], false, false],
  ];
  return modes.map(([name, size, corners, half]) => ({
    kernel,
    name,
    inputs: [x4],
    run: (x) => f(x as tf.Tensor4D, size, corners, half),
  }));
}

const pool = (
  kernel: string,
  f: (x: tf.Tensor4D, o: typeof same | typeof valid) => tf.Tensor,
): KernelCase[] => [
  { kernel, name: 'valid', inputs: [x4], run: (x) => f(x as tf.Tensor4D, valid) },
  { kernel, name: 'same', inputs: [x4], run: (x) => f(x as tf.Tensor4D, same) },
  { kernel, name: 'negative values', inputs: [{ ...x4, high: -0.1 }], run: (x) => f(x as tf.Tensor4D, same) },
];

export const imageCases: KernelCase[] = [
  ...pool(tf.AvgPool, (x, { filterSize, strides, pad }) => tf.avgPool(x, filterSize, strides, pad)),
  ...pool(tf.MaxPool, (x, { filterSize, strides, pad }) => tf.maxPool(x, filterSize, strides, pad)),
  ...pool(
    tf.MaxPoolWithArgmax,
    (x, { filterSize, strides, pad }) => tf.maxPoolWithArgmax(x, filterSize, strides, pad, true).indexes!,
  ).map((c) => ({ ...c, differentiable: false })),
  {
    kernel: tf.AvgPoolGrad,
    name: 'valid',
    inputs: [{ shape: [2, 2, 2, 2] }, x4],
    run: (dy, input) => run(tf.AvgPoolGrad, { dy, input }, valid),
  },
  ...[-1, -3].map(
    (low): KernelCase => ({
      kernel: tf.MaxPoolGrad,
      name: low === -1 ? 'valid' : 'negative values',
      inputs: [{ shape: [2, 2, 2, 2] }, { ...x4, low, high: low + 2 }],
      run: (dy, input) => {
        const output = tf.maxPool(input as tf.Tensor4D, 2, 2, 'valid');
        return run(tf.MaxPoolGrad, { dy, input, output }, valid);
      },
    }),
  ),
  { kernel: tf.AvgPool3D, inputs: [x5], run: (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 2, 'valid') },
  {
    kernel: tf.AvgPool3DGrad,
    inputs: [{ shape: [1, 2, 2, 2, 1] }, x5],
    run: (dy, input) => run(tf.AvgPool3DGrad, { dy, input }, valid),
  },
  { kernel: tf.MaxPool3D, inputs: [x5], run: (x) => tf.maxPool3d(x as tf.Tensor5D, 2, 2, 'valid') },
  {
    kernel: tf.MaxPool3DGrad,
    inputs: [{ shape: [1, 2, 2, 2, 1] }, x5],
    run: (dy, input) =>
      run(tf.MaxPool3DGrad, { dy, input, output: tf.maxPool3d(input as tf.Tensor5D, 2, 2, 'valid') }, valid),
  },
  ...resize(tf.ResizeBilinear, tf.image.resizeBilinear),
  ...resize(tf.ResizeNearestNeighbor, tf.image.resizeNearestNeighbor),
  ...[tf.ResizeBilinearGrad, tf.ResizeNearestNeighborGrad].map(
    (kernel): KernelCase => ({
      kernel,
      inputs: [{ shape: [2, 7, 7, 2] }, x4],
      run: (dy, images) => run(kernel, { dy, images }, { alignCorners: true }),
    }),
  ),
  { kernel: tf.LRN, inputs: [x4], run: (x) => tf.localResponseNormalization(x as tf.Tensor4D, 1) },
  {
    kernel: tf.LRNGrad,
    differentiable: false,
    inputs: [x4, x4, x4],
    run: (x, y, dy) => run(tf.LRNGrad, { x, y, dy }, { depthRadius: 1, bias: 1, alpha: 1, beta: 0.5 }),
  },
  {
    kernel: tf.FusedBatchNorm,
    inputs: [x4, { shape: [2] }, { shape: [2], low: 0.5 }, { shape: [2] }, { shape: [2] }],
    run: (x, mean, variance, offset, scale) =>
      tf.batchNorm(
        x!,
        mean as tf.Tensor1D,
        variance as tf.Tensor1D,
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
      ),
  },
  ...[
    {
      kernel: tf.CropAndResize,
      inputs: [x4],
      run: (x: tf.Tensor) =>
        tf.image.cropAndResize(
          x as tf.Tensor4D,
          tf.tensor2d([[0, 0, 0.8, 1]], [1, 4]),
          tf.tensor1d([1], 'int32'),
          [3, 3],
        ),
    },
    {
      kernel: tf.RotateWithOffset,
      inputs: [x4],
      run: (x: tf.Tensor) => tf.image.rotateWithOffset(x as tf.Tensor4D, 0.5),
    },
    {
      kernel: tf.Transform,
      inputs: [{ shape: [1, 4, 4, 2] }],
      run: (x: tf.Tensor) =>
        tf.image.transform(x as tf.Tensor4D, tf.tensor2d([[1, 0, 1, 0, 1, 0, 0, 0]], [1, 8])),
    },
    {
      kernel: tf.NonMaxSuppressionV3,
      inputs: [],
      run: () => tf.image.nonMaxSuppression(boxes(), scores(), 3, 0.5, 0.1),
    },
    {
      kernel: tf.NonMaxSuppressionV4,
      inputs: [],
      run: () =>
        Object.values(tf.image.nonMaxSuppressionPadded(boxes(), scores(), 3, 0.5, 0.1, true)) as tf.Tensor[],
    },
    {
      kernel: tf.NonMaxSuppressionV5,
      inputs: [],
      run: () =>
        Object.values(
          tf.image.nonMaxSuppressionWithScore(boxes(), scores(), 3, 0.5, 0.1, 0.5),
        ) as tf.Tensor[],
    },
  ].map((c): KernelCase => ({ ...(c as KernelCase), differentiable: false })),
];
