/**
 * Small WebAssembly modules, made where they are used: functions of a few dozen SIMD instructions over a memory that
 * JavaScript gives them. The encoding is that of the WebAssembly Core Specification 2.0, chapter 5.
 */

export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;

export interface WasmFunction {
  name: string;
  /** Types of the parameters, which are the locals 0, 1, … */
  parameters: readonly number[];
  /** Types of the other locals, which follow them. */
  locals: readonly number[];
  /** Instructions, without the closing end. */
  body: readonly number[];
}

/** A module that exports these functions, which return nothing, and imports `js.memory`. */
export function assembleModule(functions: readonly WasmFunction[]): Uint8Array {
  const codes = functions.map(({ locals, body }) => {
    const code = [...list(locals.map((type) => [1, type])), ...body, 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(functions.map(({ parameters }) => [0x60, ...list(parameters.map((p) => [p])), 0]))),
    ...section(2, [1, ...text('js'), ...text('memory'), 2, 0, 1]),
    ...section(3, list(functions.map((_, i) => unsigned(i)))),
    ...section(7, list(functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)]))),
    ...section(10, list(codes)),
  ]);
}

/** Pushes a local. */
export function get(local: number): number[] {
  return [0x20, ...unsigned(local)];
}

/** Pops into a local. */
export function set(local: number): number[] {
  return [0x21, ...unsigned(local)];
}

/**
 * Repeats the body while the i32 local `position`, which grows by `step` after it, is below the i32 local `end`
 * (unsigned); at least once.
 */
export function loop(position: number, step: number, end: number, body: readonly number[]): number[] {
  const grown = [...get(position), 0x41, ...signed(step), 0x6a, 0x22, ...unsigned(position)];
  return [0x03, 0x40, ...body, ...grown, ...get(end), 0x49, 0x0d, 0, 0x0b];
}

/** Pushes the sum of two i32 locals. */
export function sum(a: number, b: number): number[] {
  return [...get(a), ...get(b), 0x6a];
}

/** Pushes an i32. */
export function i32(value: number): number[] {
  return [0x41, ...signed(value)];
}

/** A vector instruction, by the number that follows its prefix. */
export function vector(opcode: number, ...immediates: number[]): number[] {
  return [0xfd, ...unsigned(opcode), ...immediates];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [...unsigned(bytes.length), ...bytes];
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest ? low | 0x80 : low);
  } while (rest);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; ) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = rest === (low & 0x40 ? -1 : 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}
