// One run, which may be killed at any time: node dcgan-run.js FOLDER STEPS BACKEND. It resumes what the folder holds.
// Prints `start STEP`, and at the end `state HASH` of everything in the step's state.
import '@poiesis/backend-onnx';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { train, useBackend, withReaders } from '@poiesis/core';
import { jsonlLog } from '@poiesis/core/node';
import { smallDcgan } from './small-dcgan';

const [folder = '', steps = '', backend = ''] = process.argv.slice(2);
await useBackend(backend);
const { step, batches } = smallDcgan();
const events = train(step, batches, {
  steps: Number(steps),
  seed: 4,
  checkpoints: join(folder, 'checkpoints'),
  checkpointEvery: 5,
  resume: true,
  lag: 1,
});
for await (const event of withReaders(events, [jsonlLog(join(folder, 'events.jsonl'))])) {
  if (event.type === 'start') process.stdout.write(`start ${event.step}\n`);
}
const hash = createHash('sha256');
for (const [owner, stateful] of Object.entries(step.state)) {
  const tensors = Object.entries(await stateful.stateDict()).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { bytes }] of tensors) hash.update(`${owner}.${name}`).update(bytes);
}
process.stdout.write(`state ${hash.digest('hex')}\n`);
