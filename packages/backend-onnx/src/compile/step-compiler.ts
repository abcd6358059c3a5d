import type { CompileOptions, StepCompiler } from '@poiesis/core';
import type { OnnxBackend } from '../backend';
import { describe, type Trace } from '../trace/program';
import { rebindAll, takeApart } from './arguments';
import { CompileError } from './compile-error';
import { ConstantVariables } from './constant-variables';
import { askHost } from './host-events';
import { plain, type Recording, recordStep, type Source } from './recording';
import { Recordings } from './recordings';
import { replay } from './replay';
import { SpareRoom } from './spare-room';

/** Compiles steps for one backend: record once, then feed the session directly. */
export function stepCompiler(backend: () => OnnxBackend): StepCompiler {
  return <A extends unknown[], R>(step: (...args: A) => R, options: Required<CompileOptions>) => {
    const constant = new ConstantVariables(options.constants);
    const recordings = new Recordings(constant);
    const spare = new SpareRoom();
    let impure = false;
    let calls = 0;
    const giveUp = (reason: string) => {
      impure = true;
      recordings.dispose();
      console.warn(`compile(${options.name}): ${reason}`);
    };

    const run = (...args: A): R => {
      const onnx = backend();
      if (impure || !onnx.runtime.synchronous) return plain(step, args);
      const { tensors, keys, signature } = takeApart(args);
      // Under `explain()` a step is recorded anew, for the programs that belong to the watch.
      const watched = onnx.programs.watch !== null;
      const known = watched ? [] : recordings.get(onnx, signature);
      for (const { roots } of known) rebindAll(roots, keys);
      const { found, answers } = known.length ? askHost(known, spare.room) : { answers: [] };
      const compares = found && options.check > 0 && ++calls % options.check === 0;
      const lent = spare.take();
      if (found && !compares) {
        recordings.used();
        const result = replay(onnx, found, tensors, answers) as R;
        lent.giveBack();
        return result;
      }

      const recorded = recordStep(onnx, step, args, {
        tensors,
        answers,
        constant,
        memoryOf: (layout) => recordings.memoryOf(layout),
        checked: options.check > 0,
        compiles: !compares,
      });
      const { result, recording } = recorded as { result: R; recording?: Recording };
      if (recorded.impure !== undefined) {
        giveUp(`not recorded, runs as it is: ${recorded.impure}`);
      } else if (compares) {
        if (!recorded.trace) return result;
        compare(options.name, found, recorded.trace, recorded.sources!);
        return replay(onnx, found, tensors, answers) as R;
      } else if (recording && !watched) {
        const varying = recordings.add(signature, recording);
        if (varying)
          giveUp(`recorded at nearly every call, runs as it is from now on: what varies is ${varying}`);
      }
      return result;
    };
    return run;
  };
}

/** Throws where a new trace is not what was recorded: another operation, or another constant. */
function compare(name: string, recording: Recording, trace: Trace, sources: readonly Source[]): void {
  if (trace.key !== recording.key) throw new CompileError(name, recording.text, describe(trace));
  recording.sources.forEach((before, i) => {
    const now = sources[i]!;
    if (before.from !== 'constant' || now.from !== 'constant') return;
    const [a, b] = [before.value.data!, now.value.data!];
    const at = a.findIndex((x: number | bigint, k: number) => !Object.is(x, b[k]));
    if (at < 0) return;
    const reader = trace.ops.find((op) => op.inputs.includes(trace.leaves[i]!));
    const of = `a constant of ${reader?.origin ?? 'its result'}`;
    throw new CompileError(name, `\n${of}: ${a[at]}`, `\n${of}: ${b[at]}`);
  });
}
