import { ArgumentError, checkArgument, PoiesisError } from '@poiesis/core';
import { backend, dispose, type TensorContainer, tidy } from '@tensorflow/tfjs-core';
import { OnnxBackend } from '../backend';
import { Explanation, type FallbackCount } from './explanation';
import { ProgramWatch } from './program-watch';

export interface ExplainOptions {
  /** How often each program runs again after its first run, for its times. Default 5. */
  runs?: number;
}

/**
 * Runs `f` once and reports what the backend made of it: the programs that it compiled, what the passes rewrote, where
 * the time went by operator, what ran outside of ONNX Runtime, what crossed the border.
 *
 * `f` runs in a tidy and has its effects: a training step updates its variables. What it returns is computed, then
 * disposed of. Everything is compiled anew and nothing of it kept, so a compiled step is recorded once more. Call a step
 * that makes its state at the first call (moments of an optimizer) once before.
 *
 * @throws ArgumentError if the current backend is not this one, or `f` returns a promise.
 */
export async function explain(
  f: () => TensorContainer,
  { runs = 5 }: ExplainOptions = {},
): Promise<Explanation> {
  checkArgument(Number.isSafeInteger(runs) && runs >= 0, 'explain', 'options.runs', 'an integer ≥ 0', runs);
  const onnx = backend();
  if (!(onnx instanceof OnnxBackend)) {
    throw new ArgumentError({
      fn: 'explain',
      argument: 'f',
      expected: "a program on the backend 'onnx' (call useBackend('onnx') before)",
      received: onnx.constructor.name,
    });
  }
  const { programs } = onnx;
  if (programs.watch) throw new PoiesisError({ code: 'explain', message: 'explain: it is running already' });
  // What was pending before belongs to somebody else.
  await onnx.flush();
  const before = new Map(onnx.fallbacks);
  const watch = new ProgramWatch(onnx.runtime.openProfiler?.(), runs);
  programs.watch = watch;
  const start = performance.now();
  let watched: ReturnType<ProgramWatch['finish']> = [];
  let ms: number;
  try {
    const result = tidy(f);
    checkArgument(!(result instanceof Promise), 'explain', 'f', 'a function that returns no promise', result);
    await onnx.flush();
    ms = performance.now() - start;
    dispose(result);
  } finally {
    programs.watch = null;
    watched = watch.finish();
  }
  const fallbacks: FallbackCount[] = [];
  for (const [kernel, count] of onnx.fallbacks) {
    const more = count - (before.get(kernel) ?? 0);
    if (more > 0) fallbacks.push({ kernel, count: more });
  }
  const cache = { ...programs.statistics, size: programs.size, limit: programs.limit };
  return new Explanation(watched, fallbacks, cache, ms);
}
