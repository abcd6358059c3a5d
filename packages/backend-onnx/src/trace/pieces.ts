import type { Op } from './graph';
import { Hash } from './hash';
import { type Trace, traceOf } from './program';

/** Operations that are written without the sizes of their tensors, so that one program serves all sizes. */
const ANY_SIZE = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'SquaredDifference', 'And', 'Or'],
  ...['Equal', 'NotEqual', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Select'],
  ...[
    'Abs',
    'Neg',
    'Exp',
    'Log',
    'Sqrt',
    'Rsqrt',
    'Square',
    'Reciprocal',
    'Relu',
    'Sigmoid',
    'Tanh',
    'Erf',
    'Elu',
  ],
  ...[
    'Sin',
    'Cos',
    'Floor',
    'Ceil',
    'Round',
    'Softplus',
    'LeakyRelu',
    'Relu6',
    'Clip',
    'Not',
    'Cast',
    'Identity',
  ],
  ...['MatMul', 'Softmax', 'LogSoftmax', 'Transpose', 'Concat'],
]);
const hash = new Hash();

/** One operation as a program of its own, where what it reads has been computed. */
export function pieceOf(op: Op): Trace {
  const piece = traceOf(op.outputs);
  if (!ANY_SIZE.has(op.type)) return piece;
  hash.reset().string(op.type);
  hash.attrs(op.attrs);
  for (const input of op.inputs) hash.int(piece.leaves.indexOf(input));
  for (const { dtype, shape } of [...piece.leaves, ...op.outputs]) {
    hash.string(dtype);
    hash.int(shape.length);
  }
  return { ...piece, key: `any.${hash.key}`, anySize: true };
}
