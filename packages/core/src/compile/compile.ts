import * as tf from '@tensorflow/tfjs-core';

export interface CompileOptions {
  /** Name of the step in messages. Default: the function's name. */
  name?: string;
  /**
   * Every n-th call is traced anew and compared with the compiled graph; a difference is a `CompileError` that names
   * the operation where the traces part. 0, the default, never. `setCompileCheck` changes the default.
   */
  check?: number;
  /**
   * Variables whose values a backend may compile in, which makes products and convolutions with them faster and costs
   * a copy in each compiled program: `'frozen'`, the default, are the parameters that `Module.freeze()` has switched
   * off, and the buffers of a step that reads no others; a list adds these variables to them; `'none'` leaves even the
   * frozen ones out. What the step assigns is never compiled in, and what changes all the same is noticed at the next
   * call, and read at every call from then on.
   */
  constants?: 'frozen' | 'none' | readonly tf.Variable[];
}

/** How a backend compiles: returns a function that does what `step` does, without running its JavaScript each time. */
export type StepCompiler = <A extends unknown[], R>(
  step: (...args: A) => R,
  options: Required<CompileOptions>,
) => (...args: A) => R;

interface Compilers {
  byBackend: Map<string, StepCompiler>;
  check: number;
}

// On globalThis, so that a backend that registered with one copy of core is found by the other.
const COMPILERS = Symbol.for('poiesis.compilers');

function compilers(): Compilers {
  const holder = globalThis as { [COMPILERS]?: Compilers };
  holder[COMPILERS] ??= { byBackend: new Map(), check: 0 };
  return holder[COMPILERS];
}

/** Registers how the tfjs backend `name` compiles steps. Backends without a compiler run them as they are. */
export function registerCompiler(name: string, compiler: StepCompiler): void {
  compilers().byBackend.set(name, compiler);
}

/** Sets the default of `CompileOptions.check` for steps compiled from now on. Tests set it to a small number. */
export function setCompileCheck(every: number): void {
  compilers().check = every;
}

/**
 * Makes a step replayable, as `jax.jit` does: the first call runs and records it, later calls run the recorded graph.
 *
 * The recording holds for arguments of the same kind: tensors by shape and type, keys by being keys, everything else by
 * value. What varies from call to call must reach the step through its arguments, through variables, or through
 * `fromHost`; a JavaScript number that the step closes over is frozen at its first value (`check` finds that out).
 * A step that reads a value in its middle cannot be recorded and runs as it is, with a warning.
 *
 * On a backend without a compiler (cpu, wasm) the step simply runs, in a tidy.
 *
 * @returns a function with the step's signature. The caller owns the tensors that it returns.
 */
export function compile<A extends unknown[], R>(
  step: (...args: A) => R,
  options: CompileOptions = {},
): (...args: A) => R {
  const { name = step.name || 'step', check = compilers().check, constants = 'frozen' } = options;
  const compiled = new Map<string, (...args: A) => R>();
  return (...args) => {
    const backend = tf.getBackend();
    let run = compiled.get(backend);
    if (!run) {
      const compiler = compilers().byBackend.get(backend);
      run = compiler
        ? compiler(step, { name, check, constants })
        : (...a) => tf.tidy(() => step(...a) as tf.TensorContainer) as R;
      compiled.set(backend, run);
    }
    return run(...args);
  };
}
