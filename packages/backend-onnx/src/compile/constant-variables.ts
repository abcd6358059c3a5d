import { type CompileOptions, isParameter } from '@poiesis/core';
import type { Variable } from '@tensorflow/tfjs-core';

/** Which variables the programs of one step may hold as constants. */
export class ConstantVariables {
  private readonly changed = new WeakSet<Variable>();
  private readonly declared: ReadonlySet<Variable> | undefined;

  constructor(private readonly constants: Required<CompileOptions>['constants']) {
    if (typeof constants !== 'string') this.declared = new Set(constants);
  }

  has(variable: Variable): boolean {
    if (this.constants === 'none' || this.changed.has(variable)) return false;
    return this.declared?.has(variable) || (isParameter(variable) && !variable.trainable);
  }

  /** One that changed once will change again. */
  remove(variable: Variable): void {
    this.changed.add(variable);
  }
}
