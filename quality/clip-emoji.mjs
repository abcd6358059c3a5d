// `node quality/clip-emoji.mjs [--seeds 1,2,3] [--steps 600] [--batch 256] [--python python3] [--data-dir DIR] [--out runs/clip-emoji]`
// Trains the example app's CLIP on emoji, and beside it open_clip's in PyTorch: the same architecture, the same pictures
// and captions in every step, the same optimizer. Compares recall on emoji that neither has seen, and in a style that
// neither has seen. Fails where ours is lower by more than chance explains: two standard errors of the difference.
//
// Needs a Python with torch==2.13.0, open_clip_torch==3.3.0 and numpy, and 1 GB in --out while it runs.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { run, runNode } from '../scripts/lib/process.mjs';
import { root } from '../scripts/lib/workspace.mjs';
import { bundled } from './launch.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    steps: { type: 'string', default: '600' },
    batch: { type: 'string', default: '256' },
    python: { type: 'string', default: 'python3' },
    'data-dir': { type: 'string', default: 'runs/clip-emoji/data' },
    out: { type: 'string', default: 'runs/clip-emoji' },
  },
});
const out = resolve(values.out);
const dataDir = resolve(values['data-dir']);

/** @typedef {Record<string, Record<string, Record<string, number>>>} Recall */
/** @type {{ seed: string, ours: Recall, theirs: Recall }[]} */
const results = [];
for (const seed of values.seeds.split(',')) {
  const folder = join(out, `seed-${seed}`);
  const ours = join(folder, 'poiesis');
  const shared = join(folder, 'shared');
  await mkdir(shared, { recursive: true });
  const size = ['--steps', values.steps, '--batch', values.batch];
  const flags = ['--seed', seed, ...size, '--data-dir', dataDir, '--out', ours, '--quiet'];
  await must(runNode(join(root, 'scripts/start.mjs'), ['clip', ...flags], { cwd: root }));
  const paths = ['--run', ours, '--data-dir', dataDir, '--out', shared];
  await must(runNode(await bundled('clip-emoji-export'), paths));
  const pytorch = await must(
    run(values.python, [join(root, 'quality/pytorch/clip_emoji.py'), shared], { output: 'capture' }),
  );
  await rm(shared, { recursive: true });
  const metrics = JSON.parse(await readFile(join(ours, 'metrics.json'), 'utf8'));
  const theirs = JSON.parse(pytorch.stdout);
  await writeFile(join(folder, 'pytorch.json'), `${JSON.stringify(theirs, null, 2)}\n`);
  if (metrics.parameters !== theirs.parameters) {
    throw new Error(`${metrics.parameters} parameters of ours, ${theirs.parameters} of PyTorch's`);
  }
  results.push({ seed, ours: metrics.recall, theirs: theirs.recall });
  const losses = `last loss ${metrics.losses.loss.toFixed(3)}, PyTorch ${theirs.loss.toFixed(3)}`;
  const times = `${Math.round(metrics.seconds)} s, PyTorch ${Math.round(theirs.seconds)} s`;
  console.log(`seed ${seed}: ${losses}; ${times}; ${metrics.parameters} parameters`);
}

console.log('\nrecall, per cent             ours           PyTorch');
for (const test of ['unseenEmoji', 'unseenStyle']) {
  for (const way of ['textToImage', 'imageToText']) {
    for (const at of ['at1', 'at5', 'at10']) {
      const of = (/** @type {'ours' | 'theirs'} */ who) =>
        results
          .map((result) =>
            (100 * /** @type {number} */ (result[who][test]?.[way]?.[at])).toFixed(1).padStart(5),
          )
          .join('');
      console.log(`${`${test} ${way} ${at}`.padEnd(28)}${of('ours')}${of('theirs')}`);
    }
  }
}
const differences = results.map(({ ours, theirs }) => mean(figures(ours)) - mean(figures(theirs)));
const difference = mean(differences);
const spread = Math.sqrt(
  mean(differences.map((d) => (d - difference) ** 2)) / Math.max(1, results.length - 1),
);
console.log(
  `\nmean of all: ours − PyTorch ${percent(difference)}, standard error ${percent(spread)} (points)`,
);
process.exitCode = difference < -2 * spread ? 1 : 0;

/** @param {Recall} recall */
function figures(recall) {
  return Object.values(recall).flatMap((ways) => Object.values(ways).flatMap((at) => Object.values(at)));
}

/** @param {number[]} list */
function mean(list) {
  return list.reduce((sum, x) => sum + x, 0) / list.length;
}

/** @param {number} share */
function percent(share) {
  return (100 * share).toFixed(2);
}

/**
 * @template {{ code: number, stderr: string }} T
 * @param {Promise<T>} program
 */
async function must(program) {
  const result = await program;
  if (result.code === 0) return result;
  console.error(result.stderr);
  process.exit(1);
}
