// node coloured-shapes.js STEPS BACKEND SEED: a small CLIP learns 4 colours × 4 shapes from pictures and captions, and has
// to label all of 1,600 pictures that it never saw. The last line is the verdict.
import '@poiesis/backend-onnx';
import { useBackend } from '@poiesis/core';
import { runShapes } from '../../packages/clip/test/training/shapes-run';

const [steps = '', backend = '', seed = ''] = process.argv.slice(2);
await useBackend(backend);
const start = performance.now();
let inSteps = 0;
const { accuracy, findings, parameters } = await runShapes({
  size: 24,
  layers: 4,
  steps: Number(steps),
  test: 1600,
  seed: Number(seed),
  onStep({ step, seconds, losses }, accuracy) {
    inSteps += seconds;
    if (step % 250 === 0)
      console.log(`step ${step}  loss ${losses.loss!.toFixed(3)}  held out ${accuracy()}`);
  },
});
const total = (performance.now() - start) / 1000;
console.log(`${parameters} parameters, ${inSteps.toFixed(0)} s in steps, ${total.toFixed(0)} s in all`);
for (const { sentence } of findings) console.log(sentence);
const good = accuracy === 1 && findings.length === 0;
console.log(`held out: ${(accuracy * 100).toFixed(2)} %${good ? '' : ' – not good enough'}`);
process.exitCode = good ? 0 : 1;
