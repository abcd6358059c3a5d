import { backend_util } from '@tensorflow/tfjs-core';
import { sizeOf, type Value } from '../trace/graph';
import { mul, product, sum, transpose } from './compose';
import { type KernelCall, kernel } from './register';

/** A value with a letter for each axis. */
interface Labelled {
  value: Value;
  labels: string;
}

/** Einsum by batched matrix products, two operands at a time; a product that sums nothing is elementwise. */
export function registerEinsum(): void {
  kernel('Einsum', (call) => {
    const equation = call.attr<string>('equation').replace(/\s/g, '');
    const infos = call.list();
    // tfjs's messages for equations that it rejects.
    const { allDims, idDims } = backend_util.decodeEinsumEquation(equation, infos.length);
    backend_util.checkEinsumDimSizes(allDims.length, idDims, infos as never);
    const [left, output] = equation.split('->') as [string, string];
    const values = infos.map((info) => call.backend.traced(info));
    if (values.some((v) => v.dtype !== values[0]!.dtype || v.dtype === 'bool' || sizeOf(v.shape) === 0))
      return undefined;
    const operands = left.split(',').map((labels, i) => ({ labels, value: values[i]! }));
    let result = operands[0]!;
    for (const next of operands.slice(1)) result = contract(call, result, next, output);
    result = sumOut(call, result, output);
    const ordered = transpose(call, result.value, order(result.labels, output));
    return ordered === values[0]
      ? call.record('Identity', [ordered], {}, ordered.shape, ordered.dtype)
      : ordered;
  });
}

function contract(call: KernelCall, left: Labelled, right: Labelled, kept: string): Labelled {
  const a = sumOut(call, left, kept + right.labels);
  const b = sumOut(call, right, kept + left.labels);
  const size = (label: string) =>
    a.value.shape[a.labels.indexOf(label)] ?? b.value.shape[b.labels.indexOf(label)]!;
  const shared = [...a.labels].filter((l) => b.labels.includes(l));
  const batch = shared.filter((l) => kept.includes(l)).join('');
  const summed = shared.filter((l) => !kept.includes(l)).join('');
  const freeA = [...a.labels].filter((l) => !shared.includes(l)).join('');
  const freeB = [...b.labels].filter((l) => !shared.includes(l)).join('');
  const labels = batch + freeA + freeB;
  const count = (group: string) => sizeOf([...group].map(size));

  if (summed === '' || (freeA === '' && freeB === '')) {
    const all = labels + summed;
    const widen = ({ value, labels: own }: Labelled) => {
      const perm = order(own, [...all].filter((l) => own.includes(l)).join(''));
      const shape = [...all].map((l) => (own.includes(l) ? size(l) : 1));
      return transpose(call, value, perm).reshaped(shape);
    };
    const elementwise = mul(call, widen(a), widen(b));
    const axes = [...summed].map((_, i) => labels.length + i);
    return { value: sum(call, elementwise, axes), labels };
  }
  // Whichever of the two orders needs no copy; the product transposes for free.
  const matrix = ({ value, labels: own }: Labelled, rows: string, columns: string) => {
    const flipped = own === batch + columns + rows;
    const target = flipped ? own : batch + rows + columns;
    const [m, n] = flipped ? [count(columns), count(rows)] : [count(rows), count(columns)];
    return { flipped, value: transpose(call, value, order(own, target)).reshaped([count(batch), m, n]) };
  };
  const [lhs, rhs] = [matrix(a, freeA, summed), matrix(b, summed, freeB)];
  const y = product(call, lhs.value, rhs.value, lhs.flipped, rhs.flipped);
  return { value: y.reshaped([...labels].map(size)), labels };
}

function sumOut(call: KernelCall, { value, labels }: Labelled, kept: string): Labelled {
  const axes = [...labels].flatMap((label, i) => (kept.includes(label) ? [] : [i]));
  return { value: sum(call, value, axes), labels: [...labels].filter((l) => kept.includes(l)).join('') };
}

function order(from: string, to: string): number[] {
  return [...to].map((label) => from.indexOf(label));
}
