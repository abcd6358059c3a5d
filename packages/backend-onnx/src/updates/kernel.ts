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

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;

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

export function compileKernel(source: KernelSource, memory: WebAssembly.Memory): Kernel {
  const module = new WebAssembly.Module(encode(source) as BufferSource);
  return new WebAssembly.Instance(module, { js: { memory } }).exports.run as Kernel;
}

function encode({ tensors, scalars, results, steps }: KernelSource): Uint8Array {
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
  const address = (i: number) => [...get(1 + i), ...get(position), 0x6a];
  const body = [
    ...range(scalars).flatMap((i) => [...get(1 + addresses + i), ...simd('splat'), ...set(scalarAt + i)]),
    ...[0x03, 0x40], // loop
    ...range(tensors).flatMap((i) => [...address(i), ...simd('load', 4, 0), ...set(tensorAt + i)]),
    ...steps.flatMap(({ type, attrs, operands }, i) => [
      ...OPERATIONS[type]!(operands.map(read), attrs),
      ...set(stepAt + i),
    ]),
    ...steps.flatMap(({ result }, i) =>
      result === undefined ? [] : [...address(tensors + result), ...get(stepAt + i), ...simd('store', 4, 0)],
    ),
    ...[...get(position), 0x41, 16, 0x6a, 0x22, ...unsigned(position)], // position += 16
    ...[...get(0), 0x49, 0x0d, 0], // again while position < bytes
    0x0b,
    0x0b,
  ];
  const locals = [2, 1, I32, ...unsigned(scalars + tensors + steps.length), V128];
  const code = [...locals, ...body];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, ...list(parameters), 0]),
    ...section(2, [1, ...name('js'), ...name('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('run'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

function simd(op: keyof typeof SIMD, ...immediates: number[]): number[] {
  return [0xfd, ...unsigned(SIMD[op]), ...immediates];
}

function constant(value: number): number[] {
  const bytes = [...new Uint8Array(Float32Array.of(value).buffer)];
  return [...simd('constant'), ...bytes, ...bytes, ...bytes, ...bytes];
}

function get(local: number): number[] {
  return [0x20, ...unsigned(local)];
}

function set(local: number): number[] {
  return [0x21, ...unsigned(local)];
}

function section(id: number, content: number[]): number[] {
  return [id, ...list(content)];
}

function list(items: number[]): number[] {
  return [...unsigned(items.length), ...items];
}

function name(text: string): number[] {
  return list([...new TextEncoder().encode(text)]);
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest ? low | 0x80 : low);
  } while (rest);
  return bytes;
}
