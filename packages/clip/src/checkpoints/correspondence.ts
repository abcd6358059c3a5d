import { type HostTensor, type StateDict, StateDictError } from '@poiesis/core';

/** One of our tensors, and those of another layout that it is made of. */
export interface Correspondence {
  readonly ours: string;
  /** Laid one below the other along the first axis: queries, keys and values, which we hold as one. */
  readonly theirs: readonly string[];
  /** How the rows are shared among `theirs`. Default: evenly. */
  readonly shares?: readonly number[];
  /** A matrix that lies the other way round there. */
  readonly transposed?: boolean;
  /** Shapes of the same numbers, where they differ; −1 is what is left. */
  readonly shapes?: { readonly ours: readonly number[]; readonly theirs: readonly number[] };
}

/**
 * Our state dict of another layout's. Nothing is converted but names and shapes; types stay as they are.
 * @param ignored names that carry no weights.
 * @throws StateDictError that lists, in their names, what is missing and what is left over.
 */
export function fromTheirs(
  fn: string,
  state: StateDict,
  table: readonly Correspondence[],
  ignored: RegExp,
): StateDict {
  const names = table.flatMap(({ theirs }) => theirs);
  const known = new Set(names);
  const missing = names.filter((name) => !(name in state));
  const extra = Object.keys(state).filter((name) => !known.has(name) && !ignored.test(name));
  if (missing.length > 0 || extra.length > 0) throw new StateDictError({ fn, missing, extra });
  return Object.fromEntries(table.map((entry) => [entry.ours, joined(fn, entry, state)]));
}

/** The reverse: another layout's state dict of ours. */
export function toTheirs(fn: string, state: StateDict, table: readonly Correspondence[]): StateDict {
  const missing = table.flatMap(({ ours }) => (ours in state ? [] : [ours]));
  const known = new Set(table.map(({ ours }) => ours));
  const extra = Object.keys(state).filter((name) => !known.has(name));
  if (missing.length > 0 || extra.length > 0) throw new StateDictError({ fn, missing, extra });
  return Object.fromEntries(table.flatMap((entry) => parted(entry, state[entry.ours]!)));
}

function joined(
  fn: string,
  { ours, theirs, transposed, shapes }: Correspondence,
  state: StateDict,
): HostTensor {
  const parts = theirs.map((name) => state[name]!);
  const first = parts[0]!;
  if (parts.length > 1) {
    for (const [i, { dtype, shape }] of parts.entries()) {
      const like = dtype === first.dtype && shape.slice(1).join() === first.shape.slice(1).join();
      if (like && shape.length > 0) continue;
      const problem = `${dtype} [${shape.join(', ')}] beside ${first.dtype} [${first.shape.join(', ')}] of ${theirs[0]}`;
      throw new StateDictError({ fn, values: [{ key: theirs[i]!, problem }] });
    }
  }
  const whole = parts.length > 1 ? stacked(parts) : first;
  if (transposed) {
    if (whole.shape.length === 2) return transpose(whole);
    throw new StateDictError({
      fn,
      values: [{ key: ours, problem: `[${whole.shape.join(', ')}] is no matrix` }],
    });
  }
  return shapes ? reshaped(whole, shapes.ours) : whole;
}

function parted(
  { theirs, shares = theirs.map(() => 1), transposed, shapes }: Correspondence,
  tensor: HostTensor,
): [name: string, tensor: HostTensor][] {
  if (transposed) return [[theirs[0]!, transpose(tensor)]];
  if (shapes) return [[theirs[0]!, reshaped(tensor, shapes.theirs)]];
  const total = shares.reduce((sum, share) => sum + share, 0);
  const { dtype, shape, bytes } = tensor;
  let from = 0;
  return theirs.map((name, i) => {
    const rows = ((shape[0] ?? 1) * shares[i]!) / total;
    const length = (bytes.byteLength * shares[i]!) / total;
    const part = bytes.subarray(from, from + length);
    from += length;
    return [name, theirs.length === 1 ? tensor : { dtype, shape: [rows, ...shape.slice(1)], bytes: part }];
  });
}

function stacked(parts: readonly HostTensor[]): HostTensor {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part.bytes, at);
    at += part.bytes.byteLength;
  }
  const { dtype, shape } = parts[0]!;
  const rows = parts.reduce((sum, part) => sum + part.shape[0]!, 0);
  return { dtype, shape: [rows, ...shape.slice(1)], bytes };
}

/** The same bytes under a shape with as many numbers; a shape that does not fit is left for the loader to name. */
function reshaped(tensor: HostTensor, wanted: readonly number[]): HostTensor {
  const size = tensor.shape.reduce((product, n) => product * n, 1);
  const known = wanted.reduce((product, n) => (n < 0 ? product : product * n), 1);
  const shape = wanted.map((n) => (n < 0 ? size / known : n));
  const fits = shape.reduce((product, n) => product * n, 1) === size && shape.every(Number.isInteger);
  return fits ? { ...tensor, shape } : tensor;
}

function transpose({ dtype, shape, bytes }: HostTensor): HostTensor {
  const [rows, columns] = shape as [number, number];
  const width = bytes.byteLength / (rows * columns);
  const turned = new Uint8Array(bytes.byteLength);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = (row * columns + column) * width;
      const to = (column * rows + row) * width;
      for (let i = 0; i < width; i++) turned[to + i] = bytes[from + i]!;
    }
  }
  return { dtype, shape: [columns, rows], bytes: turned };
}
