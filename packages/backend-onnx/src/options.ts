import { checkArgument } from '@poiesis/core';
import type { Runtime, SessionOptions } from './runtime/session';

export interface OnnxBackendOptions extends SessionOptions {
  /** Compiled programs kept at most. Default 256. */
  cacheSize?: number;
  /** Recorded operations that are run at the latest, even if nobody reads them. Default 20,000. */
  maxPending?: number;
  /** Called with every model that is compiled, for example to write it to a `.onnx` file. */
  onModel?: (model: Uint8Array) => void;
  /** Folder to which every model that is compiled is written as a `.onnx` file, for Netron. Node only. */
  dump?: string;
}

/** @throws ArgumentError for options that no runtime, or not this one, could follow. */
export function checkOptions(options: OnnxBackendOptions, runtime: Runtime): void {
  const check = (ok: boolean, name: keyof OnnxBackendOptions, expected: string) =>
    checkArgument(ok, 'OnnxBackend', `options.${name}`, expected, options[name]);
  for (const name of ['threads', 'cacheSize', 'maxPending'] as const) {
    const n = options[name];
    check(n === undefined || (Number.isSafeInteger(n) && n >= 1), name, 'an integer ≥ 1');
  }
  const { executionProviders: wanted, onModel, dump } = options;
  const has = runtime.executionProviders;
  check(
    wanted === undefined ||
      (Array.isArray(wanted) && wanted.length > 0 && wanted.every((p) => has.includes(p))),
    'executionProviders',
    `some of those that ONNX Runtime ${runtime.version} has here (${has.join(', ')})`,
  );
  check(onModel === undefined || typeof onModel === 'function', 'onModel', 'a function');
  check(dump === undefined || (typeof dump === 'string' && dump !== ''), 'dump', 'the path of a folder');
}
