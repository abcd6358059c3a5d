import { type CompileOptions, isBuffer, isParameter } from '@poiesis/core';
import type { Variable } from '@tensorflow/tfjs-core';

/** Which variables the programs of one step may hold as constants. */
export class ConstantVariables {
  private readonly changed = new WeakSet<Variable>();
  private readonly declared: ReadonlySet<Variable> | undefined;

  constructor(private readonly constants: Required<CompileOptions>['constants']) {
    if (typeof constants !== 'string') this.declared = new Set(constants);
  }

  /**
   * Those of `read`, the variables that a step reads and does not write. Beside frozen parameters these are the buffers
   * of a step that reads no trainable one: the statistics of a normalization, which then become part of a convolution.
   */
  among(read: readonly Variable[]): Set<Variable> {
    if (this.constants === 'none') return new Set();
    const frozen = !read.some((v) => isParameter(v) && v.trainable);
    const constant = (v: Variable) =>
      this.declared?.has(v) || (isParameter(v) && !v.trainable) || (frozen && isBuffer(v));
    return new Set(read.filter((v) => !this.changed.has(v) && constant(v)));
  }

  /** One that changed once will change again. */
  remove(variable: Variable): void {
    this.changed.add(variable);
  }
}
