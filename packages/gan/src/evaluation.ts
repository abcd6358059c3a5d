import type { Module } from '@poiesis/core';

/** Runs `fn` with the module in evaluation mode, and leaves every part of it in the mode that it was in. */
export function inEvaluation<T>(module: Module, fn: () => T): T {
  const modes = [...module.modules()].map(([, part]) => [part, part.training] as const);
  module.eval();
  try {
    return fn();
  } finally {
    for (const [part, training] of modes) part.training = training;
  }
}
