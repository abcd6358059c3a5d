import type { Runtime, RuntimeTensor, TensorData } from '../runtime/session';
import { type Kernel, kernelKey } from './kernel';
import { UpdateMemory } from './memory';
import type { UpdatePlan, UpdateSource } from './plan';

const STRIDE = 16;

interface Group {
  kernel: Kernel;
  bytes: number;
  /** Where the kernel's tensors and results begin. */
  addresses: readonly number[];
  scalars: readonly UpdateSource[];
}

/** One stretch of the memory that is filled before the kernels run. */
interface Inlet {
  source: UpdateSource;
  view: Float32Array;
}

/** How updates find the memory of others that have the same layout. */
export interface Neighbours {
  /** Identity of the variable whose next value an output of the program is. */
  variableOf(output: number): number;
  memoryOf(layout: string): UpdateMemory | undefined;
}

/**
 * The updates of one recording of a step. The variables that they update live in their memory from the first replay on;
 * where one is found elsewhere, because it was assigned outside of the step, it is copied in.
 */
export class Updates {
  private readonly groups: Group[];
  private readonly inlets: Inlet[] = [];
  /** Where variables are that change in place. */
  private readonly residents: Array<{ leaf: number; view: Float32Array }> = [];
  private readonly homes = new Map<number, Float32Array>();
  readonly memory: UpdateMemory;
  /** Outputs of the session that it writes right here. */
  readonly into: Record<string, RuntimeTensor> = {};

  /** @param names of the session's outputs that the plan asks for, and their shapes. */
  constructor(
    plan: UpdatePlan,
    private readonly names: readonly string[],
    runtime: Runtime,
    { variableOf, memoryOf }: Neighbours,
  ) {
    const layout = layoutOf(plan);
    const words = inWords(plan, variableOf);
    const memory = memoryOf(words) ?? new UpdateMemory(words, layout.bytes);
    this.memory = memory;
    this.groups = plan.groups.map(({ kernel, scalars, members, inPlace }, g) => {
      const { bytes, starts, offsets } = layout.groups[g]!;
      members.forEach(({ size, tensors, results }, m) => {
        const viewOf = (slot: number) => memory.view(starts[slot]! + offsets[m]!, size);
        tensors.forEach((source, t) => {
          const view = viewOf(t);
          if (inPlace.includes(t)) {
            if (source.from === 'leaf') this.residents.push({ leaf: source.leaf, view });
            return;
          }
          const name = source.from === 'session' ? names[source.extra]! : undefined;
          if (name !== undefined && !this.into[name])
            this.into[name] = runtime.tensor(
              'float32',
              view,
              plan.extras[(source as { extra: number }).extra]!.shape,
            );
          else this.inlets.push({ source, view });
        });
        results.forEach((output, r) => {
          const slot = inPlace[r] ?? tensors.length + r;
          this.homes.set(output, viewOf(slot));
        });
      });
      const slots = [
        ...starts.slice(0, kernel.tensors),
        ...inPlace.map((t, r) => starts[t ?? kernel.tensors + r]!),
      ];
      return { kernel: memory.kernel(kernel), bytes, addresses: slots, scalars };
    });
  }

  has(output: number): boolean {
    return this.homes.has(output);
  }

  /** Where an output of the program comes to be. */
  home(output: number): Float32Array {
    return this.homes.get(output)!;
  }

  /** Before the session runs: the leaves as they are now, without variables that are here already. */
  load(dataOf: (leaf: number) => TensorData, residents = false): void {
    if (residents) for (const { leaf, view } of this.residents) view.set(dataOf(leaf) as Float32Array);
    for (const { source, view } of this.inlets) {
      if (source.from === 'leaf') view.set(dataOf(source.leaf) as Float32Array);
    }
  }

  /** After it: writes every output to its home. */
  run(values: Record<string, RuntimeTensor>, dataOf: (leaf: number) => TensorData): void {
    const given = (source: UpdateSource) =>
      source.from === 'leaf' ? dataOf(source.leaf) : values[this.names[source.extra]!]!.data;
    for (const { source, view } of this.inlets) {
      if (source.from === 'session') view.set(given(source) as Float32Array);
    }
    for (const { kernel, bytes, addresses, scalars } of this.groups) {
      kernel(bytes, ...addresses, ...scalars.map((source) => given(source)[0] as number));
    }
  }
}

/** One stretch for each tensor and each result of a kernel, in which its members follow one another. */
function layoutOf({ groups }: UpdatePlan) {
  let bytes = 0;
  const placed = groups.map(({ kernel, members, inPlace }) => {
    const offsets: number[] = [];
    let length = 0;
    for (const { size } of members) {
      offsets.push(length);
      length += Math.ceil((4 * size) / STRIDE) * STRIDE;
    }
    const starts = Array.from({ length: kernel.tensors + kernel.results }, (_, slot) => {
      if (inPlace[slot - kernel.tensors] !== undefined) return -1;
      bytes += length;
      return bytes - length;
    });
    return { bytes: length, starts, offsets };
  });
  return { bytes, groups: placed };
}

/** All that decides which variable lies where, and what becomes of it. */
function inWords({ groups }: UpdatePlan, variableOf: Neighbours['variableOf']): string {
  const parts = groups.map(({ kernel, inPlace, members }) => ({
    kernel: kernelKey(kernel),
    inPlace,
    members: members.map(({ size, results }) => [size, ...results.map(variableOf)]),
  }));
  return JSON.stringify(parts);
}
