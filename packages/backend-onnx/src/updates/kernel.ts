import { wasmCode } from '@poiesis/core';

const { assembleModule, F32, get, I32, loop, set, sum, V128, vector } = wasmCode;

/**
 * An elementwise function of float32 tensors as WebAssembly with 128-bit SIMD: one pass over the data, whatever the
 * number of operations. The arithmetic is IEEE's, operation by operation with nothing fused, so the results are bit for
 * bit those of the same operators one after the other.
 */

/** Where an instruction finds an operand. */
export type Operand =
  | { kind: 'tensor'; index: number }
  | { kind: 'scalar'; index: number }
  | { kind: 'number'; value: number }
  | { kind: 'step'; index: number };

/** One operation on operands that are there already. */
export interface Step {
  type: string;
  attrs: Readonly<Record<string, unknown>>;
  operands: readonly Operand[];
  /** Which of the kernel's results it is. */
  result?: number;
}

export interface KernelSource {
  tensors: number;
  scalars: number;
  results: number;
  steps: readonly Step[];
}

/**
 * `(bytes, ...addresses of the tensors, ...addresses of the results, ...scalars)`: reads and writes `bytes` bytes at
 * each address, a multiple of 16. A result may have the address of a tensor.
 */
export type Kernel = (bytes: number, ...addressesAndScalars: number[]) => void;

/** Opcodes with the SIMD prefix. */
const SIMD = {
  load: 0x00,
  store: 0x0b,
  constant: 0x0c,
  splat: 0x13,
  less: 0x43,
  greater: 0x44,
  and: 0x4e,
  abs: 0xe0,
  neg: 0xe1,
  sqrt: 0xe3,
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  min: 0xe8,
  max: 0xe9,
};

/** What an operation puts on the stack, from instructions that put its operands there. */
const OPERATIONS: Record<string, (operands: number[][], attrs: Step['attrs']) => number[]> = {
  Abs: ([x]) => [...x!, ...simd('abs')],
  Add: ([a, b]) => [...a!, ...b!, ...simd('add')],
  Clip: ([x], { min, max }) => [
    ...x!,
    ...constant(min as number),
    ...simd('max'),
    ...constant(max as number),
    ...simd('min'),
  ],
  Div: ([a, b]) => [...a!, ...b!, ...simd('div')],
  Max: ([a, b]) => [...a!, ...b!, ...simd('max')],
  Min: ([a, b]) => [...a!, ...b!, ...simd('min')],
  Mul: ([a, b]) => [...a!, ...b!, ...simd('mul')],
  Neg: ([x]) => [...x!, ...simd('neg')],
  Reciprocal: ([x]) => [...constant(1), ...x!, ...simd('div')],
  Rsqrt: ([x]) => [...constant(1), ...x!, ...simd('sqrt'), ...simd('div')],
  Sign: ([x]) => [...sign(x!, 'greater'), ...sign(x!, 'less'), ...simd('sub')],
  Sqrt: ([x]) => [...x!, ...simd('sqrt')],
  Square: ([x]) => [...x!, ...x!, ...simd('mul')],
  Sub: ([a, b]) => [...a!, ...b!, ...simd('sub')],
};

/** 1 where `x > 0` (or `x < 0`), else 0, also for NaN. */
function sign(x: number[], comparison: 'greater' | 'less'): number[] {
  return [...x, ...constant(0), ...simd(comparison), ...constant(1), ...simd('and')];
}

/** Equal for equal kernels only. */
export function kernelKey(source: KernelSource): string {
  // JSON has no words for infinities and the negative zero.
  return JSON.stringify(source, (_, value) => (typeof value === 'number' ? numberKey(value) : value));
}

function numberKey(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

export function compileKernel(source: KernelSource, memory: WebAssembly.Memory): Kernel {
  const module = new WebAssembly.Module(assembleModule([functionOf(source)]) as BufferSource);
  return new WebAssembly.Instance(module, { js: { memory } }).exports.run as Kernel;
}

function functionOf({ tensors, scalars, results, steps }: KernelSource) {
  const addresses = tensors + results;
  const parameters = [...new Array<number>(1 + addresses).fill(I32), ...new Array<number>(scalars).fill(F32)];
  const position = parameters.length;
  const [scalarAt, tensorAt] = [position + 1, position + 1 + scalars];
  const stepAt = tensorAt + tensors;

  const read = (operand: Operand): number[] => {
    if (operand.kind === 'number') return constant(operand.value);
    const first = { tensor: tensorAt, scalar: scalarAt, step: stepAt }[operand.kind];
    return get(first + operand.index);
  };
  const address = (i: number) => sum(1 + i, position);
  const splats = range(scalars).flatMap((i) => [
    ...get(1 + addresses + i),
    ...simd('splat'),
    ...set(scalarAt + i),
  ]);
  const loads = range(tensors).flatMap((i) => [...address(i), ...simd('load', 4, 0), ...set(tensorAt + i)]);
  const operations = steps.flatMap(({ type, attrs, operands }, i) => [
    ...OPERATIONS[type]!(operands.map(read), attrs),
    ...set(stepAt + i),
  ]);
  const stores = steps.flatMap(({ result }, i) =>
    result === undefined ? [] : [...address(tensors + result), ...get(stepAt + i), ...simd('store', 4, 0)],
  );
  return {
    name: 'run',
    parameters,
    locals: [I32, ...new Array<number>(scalars + tensors + steps.length).fill(V128)],
    body: [...splats, ...loop(position, 16, 0, [...loads, ...operations, ...stores])],
  };
}

function simd(op: keyof typeof SIMD, ...immediates: number[]): number[] {
  return vector(SIMD[op], ...immediates);
}

function constant(value: number): number[] {
  const bytes = [...new Uint8Array(Float32Array.of(value).buffer)];
  return [...simd('constant'), ...bytes, ...bytes, ...bytes, ...bytes];
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
