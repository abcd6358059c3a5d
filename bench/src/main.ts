import '@poiesis/backend-onnx';
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { useBackend } from '@poiesis/core';
import { measure, type Row } from './measure';
import type { Workload } from './workload';
import { dcganTrain } from './workloads/dcgan-train';

// --workload LIST   names, with commas; all by default
// --backend LIST    backends, with commas: onnx, wasm, cpu; wasm by default
// PyTorch beside them: python bench/pytorch/dcgan_train.py (bench/pytorch/requirements.txt)
// --rounds N        steps that are timed, 7 by default
// --warmup N        steps before them, 2 by default
// --json FILE       also writes the rows there, as a JSON array; - is standard output, with nothing else on it

const workloads: readonly Workload[] = [dcganTrain];

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: workloads.map((w) => w.name).join(',') },
    backend: { type: 'string', default: 'wasm' },
    rounds: { type: 'string', default: '7' },
    warmup: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const say = (line: string) => (values.json === '-' ? process.stderr : process.stdout).write(`${line}\n`);

const chosen = values.workload.split(',').map((name) => {
  const workload = workloads.find((w) => w.name === name);
  if (!workload)
    throw new Error(`no workload "${name}"; there are ${workloads.map((w) => w.name).join(', ')}`);
  return workload;
});
const [rounds, warmup] = [values.rounds, values.warmup].map((text) => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 0)
    throw new Error(`--rounds and --warmup are whole numbers, not "${text}"`);
  return n;
}) as [number, number];

const load = loadavg().map((x) => x.toFixed(1));
say(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}, load ${load.join(' ')}`);
const rows: Row[] = [];
for (const backend of values.backend.split(',')) {
  const { device } = await useBackend(backend);
  const threads = Number(/(\d+) threads?/.exec(device)?.[1] ?? 1);
  for (const workload of chosen) {
    const row = await measure(workload, {
      contender: backend === 'onnx' ? 'onnx' : `tfjs-${backend}`,
      threads,
      rounds,
      warmup,
    });
    rows.push(row);
    const { median_ms, min_ms, max_ms, rss_mb } = row;
    say(
      `${workload.name}  ${row.contender} (${device})  ` +
        `median ${median_ms} ms, ${min_ms} to ${max_ms} in ${rounds} steps, ${rss_mb} MB`,
    );
  }
}
if (values.json === '-') process.stdout.write(`${JSON.stringify(rows)}\n`);
else if (values.json) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`);
