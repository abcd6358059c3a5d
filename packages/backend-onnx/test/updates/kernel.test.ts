import { describe, expect, it } from 'vitest';
import { compileKernel, kernelKey, type Operand, type Step } from '../../src/updates/kernel';

const tensor = (index: number): Operand => ({ kind: 'tensor', index });
const scalar = (index: number): Operand => ({ kind: 'scalar', index });
const step = (index: number): Operand => ({ kind: 'step', index });
const { fround } = Math;

/** Runs steps on these tensors; the last step is the result. */
function run(steps: Step[], tensors: number[][], scalars: number[] = []): number[] {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const length = Math.ceil(tensors[0]!.length / 4) * 4;
  const views = [...tensors, []].map((_, i) => new Float32Array(memory.buffer, i * length * 4, length));
  tensors.forEach((values, i) => void views[i]!.set(values));
  const last = steps.length - 1;
  const source = {
    tensors: tensors.length,
    scalars: scalars.length,
    results: 1,
    steps: steps.map((s, i) => (i === last ? { ...s, result: 0 } : s)),
  };
  compileKernel(source, memory)(length * 4, ...views.map((v) => v.byteOffset), ...scalars);
  return [...views.at(-1)!.subarray(0, tensors[0]!.length)];
}

const x = [1, -2, 0.5, 0, -0, 3.25, 1e-30, -7, Infinity].map(fround);
const y = [3, 0.1, -4, 2, 5, -0.75, 1e20, 9, 2].map(fround);

describe('compileKernel', () => {
  const unary: Record<string, [(v: number) => number, Step['attrs']?]> = {
    Abs: [Math.abs],
    Neg: [(v) => -v],
    Sqrt: [(v) => Math.sqrt(v)],
    Square: [(v) => v * v],
    Reciprocal: [(v) => 1 / v],
    Rsqrt: [(v) => 1 / fround(Math.sqrt(v))],
    Sign: [(v) => (v > 0 ? 1 : v < 0 ? -1 : 0)],
    Clip: [(v) => Math.min(Math.max(v, -1), 2), { min: -1, max: 2 }],
  };
  for (const [type, [f, attrs = {}]] of Object.entries(unary)) {
    it(`computes ${type}`, () => {
      const result = run([{ type, attrs, operands: [tensor(0)] }], [x]);
      expect(result.map((v) => v + 0)).toEqual(x.map((v) => fround(f(v)) + 0));
    });
  }

  const binary: Record<string, (a: number, b: number) => number> = {
    Add: (a, b) => a + b,
    Sub: (a, b) => a - b,
    Mul: (a, b) => a * b,
    Div: (a, b) => a / b,
    Max: Math.max,
    Min: Math.min,
  };
  for (const [type, f] of Object.entries(binary)) {
    it(`computes ${type}`, () => {
      const operands = [tensor(0), tensor(1)];
      expect(run([{ type, attrs: {}, operands }], [x, y])).toEqual(x.map((v, i) => fround(f(v, y[i]!))));
    });
  }

  it('chains steps with scalars and numbers, rounding after each', () => {
    const steps: Step[] = [
      { type: 'Mul', attrs: {}, operands: [tensor(0), scalar(1)] },
      { type: 'Add', attrs: {}, operands: [step(0), tensor(1)] },
      { type: 'Sub', attrs: {}, operands: [step(1), { kind: 'number', value: 0.1 }] },
      { type: 'Div', attrs: {}, operands: [step(2), scalar(0)] },
    ];
    const expected = x.map((v, i) => {
      const sum = fround(fround(v * fround(1.3)) + y[i]!);
      return fround(fround(sum - fround(0.1)) / 3);
    });
    expect(run(steps, [x, y], [3, 1.3])).toEqual(expected);
  });

  it('takes more operations and tensors than a byte counts', () => {
    const steps = Array.from(
      { length: 300 },
      (_, i): Step => ({
        type: 'Add',
        attrs: {},
        operands: [i === 0 ? tensor(0) : step(i - 1), tensor(i % 2)],
      }),
    );
    const whole = [1, 2, 3, 4, 5];
    expect(run(steps, [whole, [10, 20, 30, 40, 50]])).toEqual(whole.map((v) => v * (1 + 150 + 1500)));
  });
});

it('tells kernels apart by numbers that JSON has no words for', () => {
  const numbers = [0, -0, Infinity, -Infinity, Number.NaN, 1];
  const keys = numbers.map((value) => {
    const steps = [{ type: 'Add', attrs: {}, operands: [tensor(0), { kind: 'number' as const, value }] }];
    return kernelKey({ tensors: 1, scalars: 0, results: 1, steps });
  });
  expect(new Set(keys).size).toBe(numbers.length);
});
