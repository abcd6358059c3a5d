import { checkArgument } from '@poiesis/core';
import type { Runtime, SessionOptions } from './runtime/session';

export interface OnnxBackendOptions extends SessionOptions {
  /** Compiled programs kept at most. Default 256. */
  cacheSize?: number;
  /** Recorded operations after which they are run, even if nobody reads them. Default 10,000. */
  maxPending?: number;
  /** Called with every model that is compiled, for example to write it to a `.onnx` file. */
  onModel?: (model: Uint8Array) => void;
  /** Address of the folder that serves onnxruntime-web's files, where a bundler does not place them. Browsers only. */
  runtimePath?: string;
  /** Folder to which every model that is compiled is written as a `.onnx` file, for Netron. Node only. */
  dump?: string;
}

declare module '@poiesis/core' {
  interface BackendOptions extends OnnxBackendOptions {}
}

/** @throws ArgumentError for options that no runtime could follow. */
export function checkOptions(options: OnnxBackendOptions): void {
  for (const name of ['threads', 'cacheSize', 'maxPending'] as const) {
    const n = options[name];
    check(options, n === undefined || (Number.isSafeInteger(n) && n >= 1), name, 'an integer ≥ 1');
  }
  const { executionProviders: wanted, onModel } = options;
  const list = wanted === undefined || (Array.isArray(wanted) && wanted.length > 0);
  check(options, list, 'executionProviders', 'a list of names');
  check(options, onModel === undefined || typeof onModel === 'function', 'onModel', 'a function');
  for (const [name, what] of [
    ['dump', 'the path of a folder'],
    ['runtimePath', 'the address of a folder'],
  ] as const) {
    const value = options[name];
    check(options, value === undefined || (typeof value === 'string' && value !== ''), name, what);
  }
}

/** @throws ArgumentError for options that this runtime cannot follow. */
export function checkAgainst(runtime: Runtime, options: OnnxBackendOptions): void {
  const has = runtime.executionProviders;
  const { executionProviders: wanted = has } = options;
  const expected = `some of those that ONNX Runtime ${runtime.version} has here (${has.join(', ')})`;
  check(
    options,
    wanted.every((name) => has.includes(name)),
    'executionProviders',
    expected,
  );
}

function check(
  options: OnnxBackendOptions,
  ok: boolean,
  name: keyof OnnxBackendOptions,
  expected: string,
): void {
  checkArgument(ok, 'OnnxBackend', `options.${name}`, expected, options[name]);
}
