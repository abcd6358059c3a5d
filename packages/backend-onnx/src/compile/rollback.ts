import { setStateRecorder } from '@poiesis/core';
import { scalar, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from '../backend';
import type { Value } from '../trace/graph';

/** Remembers what variables hold, so that a step that was traced can be undone: nothing of it has been computed. */
export class Rollback {
  /** The first values of the variables that the step made and told of. */
  private readonly first = new Map<Variable, Value>();
  /** Tensors with a greater number are the step's. */
  private readonly newest: number;

  /** @param before the values of all variables, which are computed. */
  constructor(
    private readonly onnx: OnnxBackend,
    private readonly before: ReadonlyMap<Variable, Value>,
  ) {
    const marker = scalar(0);
    this.newest = marker.id;
    marker.dispose();
  }

  /** Runs `body` while the step says what state it makes. */
  watch<T>(body: () => T): T {
    const recorder = setStateRecorder((made) => {
      for (const variable of made) this.first.set(variable, this.onnx.recordedAs(variable));
    });
    try {
      return body();
    } finally {
      setStateRecorder(recorder);
    }
  }

  /** Whether every variable can have its value back: those from before are there, and others told their first one. */
  covers(variables: readonly Variable[]): boolean {
    return (
      [...this.before.keys()].every((v) => !v.isDisposed) &&
      variables.every((v) => this.before.has(v) || this.first.has(v))
    );
  }

  /** Gives all variables their values back and frees the results that the step made. */
  undo(results: readonly Tensor[]): void {
    const { onnx } = this;
    // What is pending is let go, not run.
    const watch = onnx.watchFlushes();
    try {
      for (const [variable, value] of [...this.before, ...this.first])
        if (!variable.isDisposed && onnx.recordedAs(variable) !== value) onnx.restore(variable, value);
      for (const tensor of results) if (tensor.id > this.newest && !tensor.isDisposed) tensor.dispose();
    } finally {
      watch.stop();
    }
    onnx.programs.once(() => onnx.flushSync());
  }
}
