import { ArgumentError } from '@poiesis/core';
import { OnnxBackend } from './backend';
import { checkOptions, type OnnxBackendOptions } from './options';
import { loadWebRuntime } from './runtime/web-runtime';

/** The backend on onnxruntime-web. */
export async function createWebBackend(options: OnnxBackendOptions = {}): Promise<OnnxBackend> {
  checkOptions(options);
  if (options.dump !== undefined) {
    throw new ArgumentError({
      fn: 'OnnxBackend',
      argument: 'options.dump',
      expected: 'none in a browser, which has no folders: take the models with onModel',
      received: options.dump,
    });
  }
  return new OnnxBackend(await loadWebRuntime(options), options);
}
