import { backend_util, type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { record, Value, type ValueType } from '../trace/graph';
import { type KernelCall, kernel, rawKernel } from './register';

/** tfjs kernel → intermediate operator, for functions of one float tensor. */
const FLOAT_UNARY: Record<string, string> = {
  Acos: 'Acos',
  Acosh: 'Acosh',
  Asin: 'Asin',
  Asinh: 'Asinh',
  Atan: 'Atan',
  Atanh: 'Atanh',
  Cos: 'Cos',
  Cosh: 'Cosh',
  Elu: 'Elu',
  Erf: 'Erf',
  Exp: 'Exp',
  Expm1: 'Expm1',
  Log: 'Log',
  Log1p: 'Log1p',
  Reciprocal: 'Reciprocal',
  Rsqrt: 'Rsqrt',
  Selu: 'Selu',
  Sigmoid: 'Sigmoid',
  Sin: 'Sin',
  Sinh: 'Sinh',
  Softplus: 'Softplus',
  Sqrt: 'Sqrt',
  Tan: 'Tan',
  Tanh: 'Tanh',
};
/** Functions that keep integers integers. */
const ANY_UNARY: Record<string, string> = {
  Abs: 'Abs',
  Neg: 'Neg',
  Sign: 'Sign',
  Square: 'Square',
  Relu: 'Relu',
  Relu6: 'Relu6',
};
/** Roundings, which leave integers alone. */
const ROUNDING: Record<string, string> = { Ceil: 'Ceil', Floor: 'Floor', Round: 'Round' };
const ARITHMETIC: Record<string, string> = {
  Add: 'Add',
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'Div',
  Maximum: 'Max',
  Minimum: 'Min',
  Pow: 'Pow',
  Mod: 'Mod',
  FloorDiv: 'FloorDiv',
  SquaredDifference: 'SquaredDifference',
};
const COMPARISON: Record<string, string> = {
  Equal: 'Equal',
  NotEqual: 'NotEqual',
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
};

export function castValue(value: Value, dtype: ValueType, origin = 'Cast'): Value {
  return value.dtype === dtype ? value : record('Cast', origin, [value], {}, value.shape, dtype);
}

/** Records `op` on x in `via`, and gives the result tfjs's dtype for it. */
function unary(call: KernelCall, op: string, attrs = {}, via?: ValueType): Value {
  const x = call.value('x');
  if (x.dtype === 'bool') return castValue(unaryOn(call, op, castValue(x, 'int32'), attrs, via), 'bool');
  return unaryOn(call, op, x, attrs, via);
}

function unaryOn(call: KernelCall, op: string, x: Value, attrs: object, via?: ValueType): Value {
  const input = castValue(x, via ?? x.dtype);
  const y = call.record(op, [input], { ...attrs }, x.shape, input.dtype);
  return castValue(y, x.dtype);
}

function broadcastShape(a: Value, b: Value): number[] {
  return backend_util.assertAndGetBroadcastShape([...a.shape], [...b.shape]);
}

export function registerElementwise(): void {
  for (const [name, op] of Object.entries(FLOAT_UNARY)) {
    kernel(name, (call) =>
      call.record(op, [castValue(call.value('x'), 'float32')], {}, call.info('x').shape, 'float32'),
    );
  }
  for (const [name, op] of Object.entries(ANY_UNARY)) kernel(name, (call) => unary(call, op));
  for (const [name, op] of Object.entries(ROUNDING)) {
    kernel(name, (call) =>
      call.info('x').dtype === 'float32' ? unary(call, op) : call.backend.share(call.info('x')),
    );
  }
  for (const [name, op] of Object.entries(ARITHMETIC)) {
    kernel(name, (call) => {
      const [a, b] = [call.value('a'), call.value('b')];
      const dtype = a.dtype === 'bool' ? 'int32' : a.dtype;
      if (a.dtype !== b.dtype) return undefined;
      // Quotients and powers of integers are defined through floats in tfjs.
      const via = dtype === 'int32' && (op === 'Div' || op === 'Pow') ? 'float32' : dtype;
      const y = call.record(op, [castValue(a, via), castValue(b, via)], {}, broadcastShape(a, b), via);
      return castValue(y, a.dtype);
    });
  }
  for (const [name, op] of Object.entries(COMPARISON)) {
    kernel(name, (call) => {
      const [a, b] = [call.value('a'), call.value('b')];
      if (a.dtype !== b.dtype) return undefined;
      const via = a.dtype === 'bool' ? 'int32' : a.dtype;
      return call.record(op, [castValue(a, via), castValue(b, via)], {}, broadcastShape(a, b), 'bool');
    });
  }
  kernel('Atan2', (call) => {
    const [a, b] = [call.value('a'), call.value('b')];
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return undefined;
    return call.record('Atan2', [a, b], {}, broadcastShape(a, b), 'float32');
  });
  kernel('BitwiseAnd', (call) => {
    const [a, b] = [call.value('a'), call.value('b')];
    if (a.dtype !== 'int32' || b.dtype !== 'int32') return undefined;
    return call.record('BitwiseAnd', [a, b], {}, broadcastShape(a, b), 'int32');
  });
  for (const [name, op] of [
    ['LogicalAnd', 'And'],
    ['LogicalOr', 'Or'],
  ] as const) {
    kernel(name, (call) => {
      const [a, b] = [castValue(call.value('a'), 'bool'), castValue(call.value('b'), 'bool')];
      return call.record(op, [a, b], {}, broadcastShape(a, b), 'bool');
    });
  }
  kernel('LogicalNot', (call) =>
    call.record('Not', [castValue(call.value('x'), 'bool')], {}, call.info('x').shape, 'bool'),
  );
  for (const [name, op] of [
    ['IsNan', 'IsNaN'],
    ['IsInf', 'IsInf'],
    ['IsFinite', 'IsFinite'],
  ] as const) {
    kernel(name, (call) =>
      call.record(op, [castValue(call.value('x'), 'float32')], {}, call.info('x').shape, 'bool'),
    );
  }
  kernel('Step', (call) => unary(call, 'Step', { alpha: call.attr<number>('alpha') ?? 0 }, 'float32'));
  kernel('LeakyRelu', (call) => {
    const x = castValue(call.value('x'), 'float32');
    return call.record('LeakyRelu', [x], { alpha: call.attr<number>('alpha') }, x.shape, 'float32');
  });
  kernel('Prelu', (call) => {
    const [x, alpha] = [castValue(call.value('x'), 'float32'), castValue(call.value('alpha'), 'float32')];
    return call.record('Prelu', [x, alpha], {}, x.shape, 'float32');
  });
  kernel('EluGrad', (call) =>
    call.record('EluGrad', [call.value('dy'), call.value('y')], {}, call.info('y').shape, 'float32'),
  );
  kernel('ClipByValue', (call) => {
    const [min, max] = [call.attr<number>('clipValueMin'), call.attr<number>('clipValueMax')];
    if (Number.isFinite(min) && Number.isFinite(max)) return unary(call, 'Clip', { min, max });
    const x = call.value('x');
    if (x.dtype === 'bool') return undefined;
    // Without a limit on one side.
    const bound = (value: Value, op: string, limit: number) =>
      Number.isFinite(limit)
        ? call.record(op, [value, constant(limit, [], x.dtype)], {}, x.shape, x.dtype)
        : value;
    const clipped = bound(bound(x, 'Max', min), 'Min', max);
    return clipped === x ? call.record('Identity', [x], {}, x.shape, x.dtype) : clipped;
  });
  kernel('AddN', (call) => {
    const values = call.list().map((info) => call.backend.traced(info));
    return values.reduce((a, b) => call.record('Add', [a, b], {}, a.shape, a.dtype));
  });
  kernel('Select', (call) => {
    const [condition, t, e] = [castValue(call.value('condition'), 'bool'), call.value('t'), call.value('e')];
    if (t.dtype !== e.dtype) return undefined;
    // A vector condition chooses whole rows.
    const rows = condition.shape.length === 1 && t.shape.length > 1;
    const c = rows ? condition.reshaped([condition.shape[0]!, ...t.shape.slice(1).map(() => 1)]) : condition;
    const via = t.dtype === 'bool' ? 'int32' : t.dtype;
    return castValue(
      call.record('Select', [c, castValue(t, via), castValue(e, via)], {}, t.shape, via),
      t.dtype,
    );
  });
  rawKernel('Cast', castKernel);
  rawKernel('Identity', (call) => call.backend.share(call.info('x')));
}

function castKernel(call: KernelCall): TensorInfo {
  const { backend } = call;
  const x = call.info('x');
  const dtype = call.attr<DataType>('dtype');
  if (dtype === 'complex64') {
    if (x.dtype === 'complex64') return backend.share(x);
    const real =
      x.dtype === 'float32' ? backend.share(x) : backend.tensorInfo(castValue(backend.traced(x), 'float32'));
    const imag = backend.tensorInfo(constant(0, x.shape, 'float32'));
    const result = backend.complexInfo(real, imag);
    backend.disposeData(real.dataId);
    backend.disposeData(imag.dataId);
    return result;
  }
  if (x.dtype === 'complex64') {
    const { real } = backend.partsOf(x);
    return backend.tensorInfo(castValue(backend.traced({ ...real, shape: x.shape }), dtype as ValueType));
  }
  if (x.dtype === 'string' || dtype === 'string') {
    if (x.dtype === dtype) return backend.share(x);
    throw new Error(`Error in Cast: failed to cast ${x.dtype} to ${dtype}`);
  }
  if (!util.hasEncodingLoss(x.dtype, dtype)) {
    // Widening keeps the numbers; the storage still has to change its type.
    return x.dtype === dtype
      ? backend.share(x)
      : backend.tensorInfo(castValue(backend.traced(x), dtype as ValueType));
  }
  return backend.tensorInfo(castValue(backend.traced(x), dtype as ValueType));
}

/** A tensor of one value, held as a single number until something needs it in full. */
export function constant(splat: number, shape: readonly number[], dtype: ValueType): Value {
  const data = dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint8Array;
  const scalar = Value.leaf(data.of(splat), [], dtype);
  return shape.length === 0 ? scalar : record('Expand', 'Fill', [scalar], {}, shape, dtype);
}
