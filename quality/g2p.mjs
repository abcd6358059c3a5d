// `node quality/g2p.mjs --data FILE --test FILE [--out runs/g2p-quality] [--steps N] [--batch N] [--seed N] [--resume] …`
// Trains the example app's g2p with the recipe below, tests it once at the end, and compares its word error rate with
// the published Transformer's on that split (PRONALSYL 2007, CMUdict without stress, 12,000 test words: 20.6 %; phoneme
// error rate beside it: 4.16 %). Further options go to `npm start -- g2p`, and so does `--resume` after an interruption.
// Without files it trains on the npm package's dictionary, whose scores compare with nobody's.
//
// To tune: leave out --test, or give a slice of the training data; the split's own test set is for the end. Several models
// can be tested together: `npm start -- g2p test --model DIR DIR --test FILE`.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib/workspace.mjs';

const PUBLISHED = { wordErrorRate: 20.6, phonemeErrorRate: 4.16 };

// Of the app's own config. --steps is for the time there is: the rate falls to 0 over all of them.
const recipe = {
  dim: '192',
  heads: '4',
  layers: '3',
  dropout: '0.15',
  positions: 'rotary',
  analogies: '3',
  ngrams: '7',
  'ngram-dropout': '0.2',
  batch: '48',
  steps: '16000',
  lr: '1.5e-3',
  warmup: '600',
  schedule: 'cosine',
  smoothing: '0.1',
  beams: '4',
  'evaluate-every': '1000',
};

const { values, tokens } = parseArgs({
  strict: false,
  tokens: true,
  args: process.argv.slice(2),
  options: {
    data: { type: 'string' },
    test: { type: 'string' },
    out: { type: 'string', default: 'runs/g2p-quality' },
  },
});

const out = resolve(String(values.out));
const given = new Set(tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : [])));
// A resumed run has its recipe from its config.
const own = Object.entries(recipe).filter(([name]) => !given.has('resume') && !given.has(name));
const args = [...process.argv.slice(2), ...(given.has('out') ? [] : ['--out', out])];

const code = await new Promise((done) => {
  const flags = own.flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(process.execPath, [join(root, 'scripts/start.mjs'), 'g2p', ...flags, ...args], {
    stdio: 'inherit',
  });
  // Ctrl-C reaches the app too, which writes a checkpoint first.
  process.on('SIGINT', () => {});
  child.on('close', (code) => done(code ?? 1));
});
if (code !== 0) process.exit(code);

const metrics = JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8'));
const { wordErrorRate, phonemeErrorRate, testWords, parameters, steps, seconds, beams } = metrics;
console.log(`word error rate     ${wordErrorRate} % (published: ${PUBLISHED.wordErrorRate} %)`);
console.log(`phoneme error rate  ${phonemeErrorRate} % (published: ${PUBLISHED.phonemeErrorRate} %)`);
console.log(
  `${testWords} test words, ${beams} beams, ${parameters} parameters, ${steps} steps in ${(seconds / 3600).toFixed(2)} hours`,
);
const comparable = values.data !== undefined && values.test !== undefined;
if (!comparable) console.log('Another split than the published one: the figures do not compare.');
process.exitCode = comparable && wordErrorRate > PUBLISHED.wordErrorRate ? 1 : 0;
