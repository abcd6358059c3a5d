import type { HostTensor, StateDict, Stateful } from '../checkpoint';
import type { NonFiniteTensor } from '../errors';
import { isModule } from '../nn/module';
import { batchTensors } from './batch-tensors';

/** The saved state of a step, by the names of `TrainStep.state`. */
export type SavedState = Record<string, StateDict>;

/** Which tensors of the state hold NaN or infinities, parameters first. */
export function scanState(saved: SavedState, state: Readonly<Record<string, Stateful>>): NonFiniteTensor[] {
  const found: NonFiniteTensor[] = [];
  for (const [owner, dict] of Object.entries(saved)) {
    const stateful = state[owner];
    const buffers = isModule(stateful) ? stateful.namedBuffers() : {};
    const own = isModule(stateful) ? 'parameter' : 'state';
    for (const [key, tensor] of Object.entries(dict)) {
      const { nan, infinite, size } = countNonFinite(tensor);
      if (nan + infinite === 0) continue;
      found.push({ name: `${owner}.${key}`, kind: key in buffers ? 'buffer' : own, nan, infinite, size });
    }
  }
  const rank = { parameter: 0, buffer: 1, state: 2, batch: 3 };
  return found.sort((a, b) => rank[a.kind] - rank[b.kind]);
}

/** Which tensors of a batch hold NaN or infinities. */
export async function scanBatch(batch: unknown): Promise<NonFiniteTensor[]> {
  const found: NonFiniteTensor[] = [];
  for (const [name, tensor] of batchTensors(batch)) {
    if (tensor.dtype !== 'float32' || tensor.isDisposed) continue;
    const counts = count(await tensor.data<'float32'>());
    if (counts.nan + counts.infinite > 0) found.push({ name, kind: 'batch', ...counts });
  }
  return found;
}

/** NaN and infinities of a tensor on the host; integers have none. */
export function countNonFinite({ dtype, bytes }: HostTensor): Counts {
  switch (dtype) {
    case 'F32':
      return count(view(Float32Array, bytes));
    case 'F64':
      return count(view(Float64Array, bytes));
    // Both are cut-down float32s; all that is asked is whether all exponent bits are set, and any bit after them.
    case 'F16':
      return countBits(view(Uint16Array, bytes), 0x7c00, 0x03ff);
    case 'BF16':
      return countBits(view(Uint16Array, bytes), 0x7f80, 0x007f);
    default:
      return { nan: 0, infinite: 0, size: bytes.length };
  }
}

type Counts = Pick<NonFiniteTensor, 'nan' | 'infinite' | 'size'>;

function count(values: Float32Array | Float64Array): Counts {
  let nan = 0;
  let infinite = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // x − x is 0 for every finite x and NaN for the rest: one test in the common case.
    if (value - value === 0) continue;
    if (Number.isNaN(value)) nan += 1;
    else infinite += 1;
  }
  return { nan, infinite, size: values.length };
}

function countBits(values: Uint16Array, exponent: number, fraction: number): Counts {
  let nan = 0;
  let infinite = 0;
  for (const bits of values) {
    if ((bits & exponent) !== exponent) continue;
    if (bits & fraction) nan += 1;
    else infinite += 1;
  }
  return { nan, infinite, size: values.length };
}

/** A view of the bytes where their place in memory allows one, else a copy. */
function view<T>(
  Type: { new (buffer: ArrayBufferLike, offset: number, length: number): T; BYTES_PER_ELEMENT: number },
  bytes: Uint8Array,
): T {
  const { BYTES_PER_ELEMENT: width } = Type;
  const { buffer, byteOffset } = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return new Type(buffer, byteOffset, Math.floor(bytes.byteLength / width));
}
