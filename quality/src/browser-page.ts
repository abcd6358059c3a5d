// A page that trains in a browser and sends what a step took to the server that it came from: see ../browser.mjs.
import { useBackend } from '@poiesis/core';
import type { Workload } from '../../bench/src/workload';
import { dcganTrain } from '../../bench/src/workloads/dcgan-train';
import { mlpTrain } from '../../bench/src/workloads/mlp-train';
import { tell } from './tell';

const workloads: Record<string, Workload> = { 'mlp-train': mlpTrain, 'dcgan-train': dcganTrain };

async function measure(query: URLSearchParams) {
  const backend = query.get('backend')!;
  const threads = Number(query.get('threads'));
  const start = performance.now();
  if (backend.startsWith('onnx')) await import('@poiesis/backend-onnx/web');
  const { device } = await useBackend(backend === 'onnx-webgpu' ? 'onnx' : backend, {
    threads,
    ...(backend === 'onnx-webgpu' && { executionProviders: ['webgpu'] }),
    runtimePath: '/onnxruntime-web/',
    wasmPaths: '/tfjs-wasm/',
  });
  const loadMs = performance.now() - start;
  const { step } = await workloads[query.get('workload')!]!.prepare();
  const seconds = Number(query.get('seconds'));
  const times: number[] = [];
  let loss = 0;
  const since = performance.now();
  do {
    const before = performance.now();
    loss = await step(times.length);
    times.push(performance.now() - before);
  } while (times.length < 4 || (performance.now() - since < seconds * 1000 && times.length < 500));
  const [firstMs, ...later] = times;
  // The first call makes the optimizer's state, the second one records the step.
  const warm = later.slice(1).sort((a, b) => a - b);
  const [minMs, medianMs, maxMs] = [warm[0], warm[warm.length >> 1], warm.at(-1)];
  return { device, loadMs, firstMs, minMs, medianMs, maxMs, steps: times.length, loss };
}

await tell(() => measure(new URLSearchParams(location.search)));
