import type { LowerContext, Lowering } from './context';

/** Operators that ONNX Runtime has under the same name and that broadcast as tfjs does. */
const SAME_BINARY = [
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Pow',
  'Max',
  'Min',
  'Equal',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'And',
  'Or',
  'BitwiseAnd',
];
const SAME_UNARY = [
  'Abs',
  'Acos',
  'Acosh',
  'Asin',
  'Asinh',
  'Atan',
  'Atanh',
  'Ceil',
  'Cos',
  'Cosh',
  'Erf',
  'Exp',
  'Floor',
  'Log',
  'Neg',
  'Reciprocal',
  'Relu',
  'Round',
  'Sigmoid',
  'Sin',
  'Sinh',
  'Softplus',
  'Sqrt',
  'Tan',
  'Tanh',
  'Not',
  'IsNaN',
  'IsInf',
];

const binary =
  (op: string): Lowering =>
  (c) => {
    // One scalar operand may stay a scalar; with two the output would lose its shape.
    const a = c.splat(1) === undefined || c.shape(1).length > 0 ? c.in(0) : c.broadcast(0);
    return c.op(op, scalarOperands(c, a));
  };

/** Names of the two operands; a constant one is a scalar where the other already has the output's shape. */
function scalarOperands(c: LowerContext, fallback: string): [string, string] {
  const full = c.out.shape.join();
  const aScalar = c.splat(0) !== undefined && c.shape(1).join() === full;
  const bScalar = c.splat(1) !== undefined && c.shape(0).join() === full;
  if (aScalar) return [c.broadcast(0), c.in(1)];
  if (bScalar) return [c.in(0), c.broadcast(1)];
  return [fallback, c.in(1)];
}

export const elementwise: Record<string, Lowering> = {
  ...Object.fromEntries(SAME_BINARY.map((op) => [op, binary(op)])),
  ...Object.fromEntries(SAME_UNARY.map((op) => [op, (c: LowerContext) => c.op(op, [c.in(0)])])),

  NotEqual: (c) => c.op('Not', [c.op('Equal', scalarOperands(c, c.in(0)))]),
  FloorDiv: (c) => {
    const [a, b] = scalarOperands(c, c.in(0));
    if (c.out.dtype === 'float32') return c.op('Floor', [c.op('Div', [a, b])]);
    // Integer Div truncates toward zero; doubles hold every int32 quotient exactly enough to floor it.
    const quotient = c.op('Div', [c.cast(a, 'float64'), c.cast(b, 'float64')]);
    return c.cast(c.op('Floor', [quotient]), 'int32');
  },
  /** Remainder with the sign of the divisor. */
  Mod: (c) => {
    const [a, b] = scalarOperands(c, c.in(0));
    if (c.out.dtype === 'int32') return c.op('Mod', [a, b]);
    const remainder = c.op('Mod', [a, b], { fmod: 1 });
    return c.op('Mod', [c.op('Add', [remainder, b]), b], { fmod: 1 });
  },
  SquaredDifference: (c) => {
    const d = c.op('Sub', scalarOperands(c, c.in(0)));
    return c.op('Mul', [d, d]);
  },
  /** tfjs gives 0 for NaN. */
  Sign: (c) => {
    const sign = c.op('Sign', [c.in(0)]);
    return c.out.dtype === 'int32' ? sign : c.op('Where', [c.op('IsNaN', [c.in(0)]), c.g.scalar(0), sign]);
  },
  Square: (c) => c.op('Mul', [c.in(0), c.in(0)]),
  Rsqrt: (c) => c.op('Reciprocal', [c.op('Sqrt', [c.in(0)])]),
  /** exp(x) − 1 = tanh(x/2)·(exp(x) + 1), which keeps its digits near 0. */
  Expm1: (c) => {
    const half = c.op('Tanh', [c.op('Mul', [c.in(0), c.g.scalar(0.5)])]);
    const exp = c.op('Exp', [c.in(0)]);
    const accurate = c.op('Mul', [half, c.op('Add', [exp, c.g.scalar(1)])]);
    // Beyond the range where digits cancel, the plain form also gets infinities right.
    const large = c.op('Greater', [c.op('Abs', [c.in(0)]), c.g.scalar(1)]);
    return c.op('Where', [large, c.op('Sub', [exp, c.g.scalar(1)]), accurate]);
  },
  /** log(1 + x) with Kahan's correction: u = 1 + x; log(u)·x/(u − 1). */
  Log1p: (c) => {
    const one = c.g.scalar(1);
    const u = c.op('Add', [c.in(0), one]);
    const log = c.op('Log', [u]);
    const d = c.op('Sub', [u, one]);
    const plain = c.op('Greater', [c.op('Abs', [c.in(0)]), c.g.scalar(0.5)]);
    const exact = c.op('Equal', [d, c.g.scalar(0)]);
    const safe = c.op('Where', [exact, one, d]);
    const corrected = c.op('Where', [exact, c.in(0), c.op('Div', [c.op('Mul', [log, c.in(0)]), safe])]);
    return c.op('Where', [plain, log, corrected]);
  },
  Elu: (c) => c.op('Elu', [c.in(0)]),
  Selu: (c) => c.op('Selu', [c.in(0)]),
  Relu6: (c) => c.op('Clip', [c.in(0), c.g.scalar(0, c.dtype(0)), c.g.scalar(6, c.dtype(0))]),
  Clip: (c) =>
    c.op('Clip', [c.in(0), c.g.scalar(c.number('min'), c.dtype(0)), c.g.scalar(c.number('max'), c.dtype(0))]),
  LeakyRelu: (c) => c.op('LeakyRelu', [c.in(0)], { alpha: { float: c.number('alpha') } }),
  Prelu: (c) => {
    const [x, alpha] = [c.in(0), c.broadcast(1)];
    const zero = c.g.scalar(0);
    return c.op('Add', [c.op('Max', [x, zero]), c.op('Mul', [alpha, c.op('Min', [x, zero])])]);
  },
  /**
   * 1 where x > 0, else alpha; NaN passes through, as in tfjs. A clamp takes a third of the time of selections, and is
   * exact but for positive denormals.
   */
  Step: (c) => {
    const alpha = c.number('alpha');
    if (alpha >= 0 && alpha <= 1) {
      return c.op('Clip', [c.op('Mul', [c.in(0), c.g.scalar(3e38)]), c.g.scalar(alpha), c.g.scalar(1)]);
    }
    const mask = c.op('Where', [c.op('Greater', [c.in(0), c.g.scalar(0)]), c.g.scalar(1), c.g.scalar(alpha)]);
    return c.op('Where', [c.op('IsNaN', [c.in(0)]), c.in(0), mask]);
  },
  ReluMask: (c) => c.op('HardSigmoid', [c.in(0)], { alpha: { float: 1e30 }, beta: { float: 0 } }),
  LeakyMask: (c) =>
    c.op('Clip', [c.op('Mul', [c.in(0), c.g.scalar(1e30)]), c.g.scalar(c.number('alpha')), c.g.scalar(1)]),
  /** Derivative of ELU from its output: dy·(1 where y ≥ 0, else y + 1). */
  EluGrad: (c) => {
    const grown = c.op('Add', [c.op('Min', [c.in(1), c.g.scalar(0)]), c.g.scalar(1)]);
    return c.op('Mul', [c.in(0), grown]);
  },
  IsFinite: (c) => c.op('Not', [c.op('Or', [c.op('IsNaN', [c.in(0)]), c.op('IsInf', [c.in(0)])])]),
  Cast: (c) => (c.dtype(0) === c.out.dtype ? c.op('Identity', [c.in(0)]) : c.cast(c.in(0), c.out.dtype)),
  Select: (c) => c.op('Where', [c.in(0), c.broadcast(1), c.in(2)]),
  Identity: (c) => c.op('Identity', [c.in(0)]),
};
