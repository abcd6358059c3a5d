import * as tf from '@tensorflow/tfjs-core';
import type { Float, KernelCase } from './cases';

function unary(kernel: string, f: (x: tf.Tensor) => tf.Tensor, low = -1, high = 1): KernelCase {
  return { kernel, inputs: [{ shape: [2, 5], low, high }], run: (x) => f(x!) };
}

function binary(
  kernel: string,
  f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  low = -1,
  high = 1,
): KernelCase[] {
  const at = (shape: number[]): Float => ({ shape, low, high });
  return [
    { kernel, inputs: [at([2, 3]), at([2, 3])], run: (a, b) => f(a!, b!) },
    { kernel, name: 'broadcast', inputs: [at([2, 3]), at([3])], run: (a, b) => f(a!, b!) },
  ];
}

const untrained = (c: KernelCase): KernelCase => ({ ...c, differentiable: false });
const bool = (x: tf.Tensor) => tf.greater(x, 0);
const int = (x: tf.Tensor) => tf.cast(tf.mul(x, 10), 'int32');

/** A comparison has no gradient of its own, but gradients run through what it selects. */
function comparison(kernel: string, f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): KernelCase[] {
  return [
    ...binary(kernel, f).map(untrained),
    {
      kernel,
      name: 'as a mask',
      inputs: [{ shape: [2, 3] }, { shape: [2, 3] }],
      run: (a, b) => tf.where(f(a!, b!) as tf.Tensor, tf.square(a!), tf.mul(a!, b!)),
    },
  ];
}

function reduction(
  kernel: string,
  f: (x: tf.Tensor, axis?: number | number[]) => tf.Tensor,
  low = -1,
): KernelCase[] {
  const input: Float = { shape: [2, 3, 4], low };
  return [
    { kernel, inputs: [input], run: (x) => f(x!) },
    { kernel, name: 'last axis', inputs: [input], run: (x) => f(x!, 2) },
    { kernel, name: 'first axis', inputs: [input], run: (x) => f(x!, 0) },
    { kernel, name: 'two axes', inputs: [input], run: (x) => f(x!, [0, 2]) },
  ];
}

export const elementwiseCases: KernelCase[] = [
  unary(tf.Abs, tf.abs),
  unary(tf.Acos, tf.acos, -0.8, 0.8),
  unary(tf.Acosh, tf.acosh, 1.5, 3),
  unary(tf.Asin, tf.asin, -0.8, 0.8),
  unary(tf.Asinh, tf.asinh),
  unary(tf.Atan, tf.atan),
  unary(tf.Atanh, tf.atanh, -0.8, 0.8),
  unary(tf.Ceil, tf.ceil, 0.1, 0.9),
  unary(tf.ClipByValue, (x) => tf.mul(tf.clipByValue(x, -0.5, 0.5), x)),
  unary(tf.Cos, tf.cos),
  unary(tf.Cosh, tf.cosh),
  unary(tf.Elu, tf.elu),
  unary(tf.Erf, tf.erf),
  unary(tf.Exp, tf.exp),
  unary(tf.Expm1, tf.expm1),
  unary(tf.Floor, tf.floor, 0.1, 0.9),
  unary(tf.Identity, (x) => tf.clone(x)),
  unary(tf.LeakyRelu, (x) => tf.leakyRelu(x, 0.2)),
  unary(tf.Log, tf.log, 0.5, 2),
  unary(tf.Log1p, tf.log1p, 0, 2),
  unary(tf.Neg, tf.neg),
  unary(tf.Reciprocal, tf.reciprocal, 0.5, 2),
  unary(tf.Relu, (x) => tf.mul(tf.relu(x), x)),
  unary(tf.Relu6, (x) => tf.mul(tf.relu6(x), x), -3, 9),
  unary(tf.Round, tf.round, 0.6, 0.9),
  unary(tf.Rsqrt, tf.rsqrt, 0.5, 2),
  unary(tf.Selu, tf.selu),
  unary(tf.Sigmoid, tf.sigmoid),
  unary(tf.Sign, tf.sign, 0.1, 1),
  unary(tf.Sin, tf.sin),
  unary(tf.Sinh, tf.sinh),
  unary(tf.Softmax, (x) => tf.softmax(x)),
  unary(tf.Softplus, tf.softplus),
  unary(tf.Sqrt, tf.sqrt, 0.5, 2),
  unary(tf.Square, tf.square),
  unary(tf.Step, (x) => tf.mul(tf.step(x, 0.3), tf.square(x))),
  unary(tf.Tan, tf.tan),
  unary(tf.Tanh, tf.tanh),
  unary(tf.Cast, (x) => tf.cast(x, 'float32')),
  unary(tf.ZerosLike, (x) => tf.zerosLike(x)),
  unary(tf.OnesLike, (x) => tf.onesLike(x)),
  ...[
    unary(tf.IsFinite, (x) => tf.isFinite(tf.div(x, tf.relu(x)))),
    unary(tf.IsInf, (x) => tf.isInf(tf.div(x, tf.relu(x)))),
    unary(tf.IsNan, (x) => tf.isNaN(tf.sqrt(x))),
    unary(tf.LogicalNot, (x) => tf.logicalNot(bool(x))),
  ].map(untrained),

  ...binary(tf.Add, tf.add),
  { kernel: tf.AddN, inputs: [{ shape: [3] }, { shape: [3] }], run: (a, b) => tf.addN([a!, b!, a!]) },
  ...binary(tf.Atan2, tf.atan2, 0.5, 2),
  ...binary(tf.BitwiseAnd, (a) => tf.bitwiseAnd(int(a), int(tf.abs(a))))
    .slice(0, 1)
    .map(untrained),
  ...comparison(tf.Equal, (a, b) => tf.equal(tf.floor(a), tf.floor(b))),
  ...binary(tf.FloorDiv, (a, b) => tf.floorDiv(a, tf.add(b, 2))).map(untrained),
  ...comparison(tf.Greater, tf.greater),
  ...comparison(tf.GreaterEqual, tf.greaterEqual),
  ...comparison(tf.Less, tf.less),
  ...comparison(tf.LessEqual, tf.lessEqual),
  ...comparison(tf.LogicalAnd, (a, b) => tf.logicalAnd(bool(a), bool(b))),
  ...comparison(tf.LogicalOr, (a, b) => tf.logicalOr(bool(a), bool(b))),
  ...comparison(tf.LogicalXor, (a, b) => tf.logicalXor(bool(a), bool(b))),
  ...comparison(tf.NotEqual, (a, b) => tf.notEqual(tf.floor(a), tf.floor(b))),
  ...binary(tf.Maximum, (a, b) => tf.mul(tf.maximum(a, b), a)),
  ...binary(tf.Minimum, (a, b) => tf.mul(tf.minimum(a, b), a)),
  ...binary(tf.Mod, (a, b) => tf.mod(a, tf.add(b, 3)), 0.1, 2),
  ...binary(tf.Multiply, tf.mul),
  ...binary(tf.Pow, tf.pow, 0.5, 2),
  ...binary(tf.Prelu, tf.prelu),
  ...binary(tf.RealDiv, tf.div, 0.5, 2),
  ...binary(tf.SquaredDifference, tf.squaredDifference),
  ...binary(tf.Sub, tf.sub),
  {
    kernel: tf.Select,
    inputs: [{ shape: [2, 3] }, { shape: [2, 3] }],
    run: (a, b) => tf.where(bool(a!), tf.square(a!), tf.mul(a!, b!)),
  },
  {
    kernel: tf.EluGrad,
    inputs: [{ shape: [2, 3] }, { shape: [2, 3], low: -0.9 }],
    run: (dy, y) => tf.engine().runKernel(tf.EluGrad, { dy: dy!, y: y! }) as tf.Tensor,
  },

  ...reduction(tf.All, (x, axis) => tf.all(bool(x), axis)).map(untrained),
  ...reduction(tf.Any, (x, axis) => tf.any(bool(x), axis)).map(untrained),
  ...[1, 0].map((axis) =>
    untrained({
      kernel: tf.ArgMax,
      name: `axis ${axis}`,
      inputs: [{ shape: [3, 4] }],
      run: (x) => tf.argMax(x!, axis),
    }),
  ),
  ...[1, 0].map((axis) =>
    untrained({
      kernel: tf.ArgMin,
      name: `axis ${axis}`,
      inputs: [{ shape: [3, 4] }],
      run: (x) => tf.argMin(x!, axis),
    }),
  ),
  ...reduction(tf.Max, tf.max),
  ...reduction(tf.Mean, tf.mean),
  ...reduction(tf.Min, tf.min),
  ...reduction(tf.Prod, tf.prod, 0.5),
  ...reduction(tf.Sum, tf.sum),
  ...[2, 1, 0].flatMap((axis): KernelCase[] => [
    {
      kernel: tf.Cumsum,
      name: `axis ${axis}`,
      inputs: [{ shape: [2, 3, 4] }],
      run: (x) => tf.cumsum(x!, axis),
    },
    {
      kernel: tf.Cumsum,
      name: `axis ${axis}, reverse`,
      inputs: [{ shape: [2, 3, 4] }],
      run: (x) => tf.cumsum(x!, axis, true, true),
    },
    {
      kernel: tf.Cumprod,
      name: `axis ${axis}`,
      inputs: [{ shape: [2, 3, 4], low: 0.5 }],
      run: (x) => tf.cumprod(x!, axis),
    },
    {
      kernel: tf.Cumprod,
      name: `axis ${axis}, exclusive, reverse`,
      inputs: [{ shape: [2, 3, 4], low: 0.5 }],
      run: (x) => tf.cumprod(x!, axis, true, true),
    },
  ]),
];
