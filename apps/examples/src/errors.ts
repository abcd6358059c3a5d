/** A failure that the user can understand and mend: its message is the one line that they see. */
export class ExampleError extends Error {
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ExampleError';
    this.exitCode = options.exitCode ?? exitCodes.failed;
  }
}

export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** What came out of a try, as one line. */
export function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().split(/\r?\n/)[0] || 'unknown error';
}
