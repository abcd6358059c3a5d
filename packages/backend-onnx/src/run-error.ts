import { PoiesisError } from '@poiesis/core';

/** ONNX Runtime could not run a program: an index out of bounds, memory that is not there. */
export class RunError extends PoiesisError {
  /** The tfjs operation that recorded the node which failed, where ONNX Runtime names one. */
  readonly operation: string | undefined;
  /** What ONNX Runtime says of it. */
  readonly detail: string;

  constructor(operation: string | undefined, detail: string, cause?: unknown) {
    super({ code: 'run', message: `${operation ?? 'a program'} failed when it ran: ${detail}`, cause });
    this.operation = operation;
    this.detail = detail;
  }

  /** Nodes are named `operation#index/operator`. */
  static from(error: unknown): RunError {
    if (RunError.isInstance(error)) return error;
    const message = error instanceof Error ? error.message : String(error);
    const operation = /Name:'([^'#]+)#/.exec(message)?.[1];
    const detail = /Status Message: (.*)/s.exec(message)?.[1] ?? message;
    return new RunError(operation, detail.trim(), error);
  }

  static override isInstance(error: unknown): error is RunError {
    return PoiesisError.isInstance(error) && error.code === 'run';
  }
}
