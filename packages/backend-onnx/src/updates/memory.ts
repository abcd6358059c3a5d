import type { TensorData } from '../runtime/session';
import { compileKernel, type Kernel, type KernelSource, kernelKey } from './kernel';

const PAGE = 65_536;

/**
 * The memory that updates work in, with the kernels that are bound to it. All recordings of a step that update the
 * same variables in the same way share one, whatever the shapes of their batches: the variables stay where they are.
 */
export class UpdateMemory {
  private readonly memory: WebAssembly.Memory;
  private readonly views = new Map<string, Float32Array>();
  private readonly kernels = new Map<string, Kernel>();

  /** @param layout says which variable lies where, and what is computed of it. */
  constructor(
    readonly layout: string,
    bytes: number,
  ) {
    this.memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(bytes / PAGE)) });
  }

  /** The same array at every call: a variable is at home where its data is this very array. */
  view(start: number, size: number): Float32Array {
    const key = `${start}:${size}`;
    let view = this.views.get(key);
    if (!view) {
      view = new Float32Array(this.memory.buffer, start, size);
      this.views.set(key, view);
    }
    return view;
  }

  kernel(source: KernelSource): Kernel {
    const key = kernelKey(source);
    let kernel = this.kernels.get(key);
    if (!kernel) {
      kernel = compileKernel(source, this.memory);
      this.kernels.set(key, kernel);
    }
    return kernel;
  }

  holds(data: TensorData | null): boolean {
    return data?.buffer === this.memory.buffer;
  }
}
