import { PoiesisError } from '@poiesis/core';

/** A value was asked for at once that has not been computed, of a runtime that only answers later (WebGPU). */
export class AsynchronousReadError extends PoiesisError {
  /** The kernel without an ONNX form that asked, where it was not the program. */
  readonly kernel: string | undefined;

  constructor(version: string, kernel: string | undefined) {
    const who = kernel ? `${kernel} has no ONNX form here and reads its inputs, but ` : '';
    const fix = kernel
      ? 'await the data of its inputs before'
      : 'read with `await tensor.data()`, not `dataSync()`';
    super({
      code: 'asynchronous-read',
      message: `${who}this ONNX Runtime (${version}) runs asynchronously only: ${fix}`,
    });
    this.kernel = kernel;
  }

  static override isInstance(error: unknown): error is AsynchronousReadError {
    return PoiesisError.isInstance(error) && error.code === 'asynchronous-read';
  }
}
