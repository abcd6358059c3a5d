import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArgumentError } from '@poiesis/core';
import { OnnxBackend } from './backend';
import type { OnnxBackendOptions } from './options';
import { loadNodeRuntime } from './runtime/node-runtime';

/** The backend on onnxruntime-node. */
export function createNodeBackend(options: OnnxBackendOptions = {}): OnnxBackend {
  const runtime = loadNodeRuntime();
  const { dump, onModel } = options;
  if (dump === undefined) return new OnnxBackend(runtime, options);
  const write = modelWriter(dump);
  const both = (model: Uint8Array) => {
    write(model);
    onModel?.(model);
  };
  return new OnnxBackend(runtime, { ...options, onModel: both });
}

/** Writes models as `program-0001.onnx` and so on, after those that are in the folder already. */
function modelWriter(folder: string): (model: Uint8Array) => void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const expected = `a folder that can be made (${error instanceof Error ? error.message : error})`;
    throw new ArgumentError({ fn: 'OnnxBackend', argument: 'options.dump', expected, received: folder });
  }
  const numbers = readdirSync(folder).map((name) => Number(/^program-(\d+)\.onnx$/.exec(name)?.[1] ?? 0));
  let last = Math.max(0, ...numbers);
  return (model) => writeFileSync(join(folder, `program-${`${++last}`.padStart(4, '0')}.onnx`), model);
}
