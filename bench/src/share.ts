// `npm run share -- [WORKLOAD …]` in bench/: how much of a step on the onnx backend is spent outside of ONNX Runtime's
// sessions (JavaScript, random draws, and the updates that run as WebAssembly beside them), and how long the first step
// takes, which compiles. Without names: every workload, and a GPT-2 of 124 million parameters that trains.
import '@poiesis/backend-onnx';
import type { OnnxBackend } from '@poiesis/backend-onnx';
import { useBackend } from '@poiesis/core';
import { backend } from '@tensorflow/tfjs-core';
import { median } from './row';
import type { Workload } from './workload';
import { workloadNamed, workloads } from './workloads';
import { gpt2Train } from './workloads/gpt-train';

const WARM_UP = 3;
const STEPS = 20;

const names = process.argv.slice(2);
const chosen: readonly Workload[] = names.length
  ? names.map((name) => (name === gpt2Train.name ? gpt2Train : workloadNamed(name)))
  : [...workloads, gpt2Train];

await useBackend('onnx', { threads: 2 });
const { runtime } = backend() as OnnxBackend;
let inSessions = 0;
const compileSync = runtime.compileSync!.bind(runtime);
runtime.compileSync = (...args) => {
  const session = compileSync(...args);
  const runSync = session.runSync!.bind(session);
  session.runSync = (...given) => {
    const start = performance.now();
    const result = runSync(...given);
    inSessions += performance.now() - start;
    return result;
  };
  return session;
};

for (const { name, prepare } of chosen) {
  const { step, dispose } = await prepare();
  const times: { all: number; rest: number }[] = [];
  for (let i = 0; i < WARM_UP + STEPS; i++) {
    inSessions = 0;
    const start = performance.now();
    await step(i);
    const all = performance.now() - start;
    times.push({ all, rest: all - inSessions });
  }
  const steady = times.slice(WARM_UP);
  const all = median(steady.map((t) => t.all));
  const rest = median(steady.map((t) => t.rest));
  const share = ((100 * rest) / all).toFixed(1);
  process.stdout.write(
    `${name}: first step ${(times[0]!.all / 1000).toFixed(2)} s; then ${all.toFixed(2)} ms, ` +
      `of which outside of sessions ${rest.toFixed(2)} ms, ${share} %\n`,
  );
  dispose();
}
