// `node quality/g2p.mjs --data FILE --test FILE [--out runs/g2p-quality] [--steps N] [--batch N] [--resume] …`
// Trains two models of the example app's g2p with the recipe below, side by side, each with half of the cores: one says
// the first phone first, the other the last. Tests once at the end what both say together, and compares its word error
// rate with the published Transformer's on that split (PRONALSYL 2007, CMUdict without stress, 12,000 test words:
// 20.6 %; phoneme error rate beside it: 4.16 %). Further options go to both trainings, and so does `--resume` after an
// interruption. Without files they learn from the npm package's dictionary, whose scores compare with nobody's.
//
// To tune: give a slice of the training data as --test; the split's own test set is for the end.
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runNode } from '../scripts/lib/process.mjs';
import { ensureAppBuilt, ensureInstalled, fail } from '../scripts/lib/workspace.mjs';

const PUBLISHED = { wordErrorRate: 20.6, phonemeErrorRate: 4.16 };

// Of the app's own config.
const recipe = {
  dim: '192',
  heads: '4',
  layers: '3',
  dropout: '0.1',
  positions: 'rotary',
  analogies: '2',
  ngrams: '0',
  batch: '48',
  steps: '16000',
  lr: '1.5e-3',
  warmup: '600',
  schedule: 'cosine',
  smoothing: '0.1',
  'evaluate-every': '1000',
};

const members = [
  { name: 'forwards', flags: ['--seed', '31'] },
  { name: 'backwards', flags: ['--seed', '32', '--backwards'] },
];

const { values, tokens } = parseArgs({
  strict: false,
  tokens: true,
  args: process.argv.slice(2),
  options: {
    data: { type: 'string' },
    test: { type: 'string' },
    out: { type: 'string', default: 'runs/g2p-quality' },
    resume: { type: 'boolean' },
  },
});

const out = resolve(String(values.out));
const given = new Set(tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : [])));
const own = Object.entries(recipe)
  .filter(([name]) => !given.has(name))
  .flatMap(([name, value]) => [`--${name}`, value]);
const passed = tokens.flatMap((token) => {
  if (token.kind === 'positional') return [token.value];
  if (token.kind !== 'option' || ['out', 'resume'].includes(token.name)) return [];
  return token.value === undefined ? [token.rawName] : [`${token.rawName}=${token.value}`];
});

// The app can finish a step and write a checkpoint: Ctrl-C reaches it too.
process.on('SIGINT', () => {});
await ensureInstalled();
const main = await ensureAppBuilt();
mkdirSync(out, { recursive: true });

const threads = Math.max(1, Math.floor(availableParallelism() / members.length));
const trained = await Promise.all(
  members.map(async ({ name, flags }) => {
    const folder = join(out, name);
    const begun = values.resume && existsSync(join(folder, 'config.json'));
    if (begun && existsSync(join(folder, 'metrics.json'))) return folder;
    // A resumed run has its recipe from its config.
    const recipe = begun
      ? ['--resume', ...stepsOf(passed)]
      : [...own, ...flags, ...passed, '--test-words', '0'];
    const args = ['g2p', ...recipe, '--threads', String(threads), '--out', folder];
    const { code } = await runNode(main, args);
    if (code !== 0) process.exit(code);
    return folder;
  }),
);

const files = [
  ...(values.data === undefined ? [] : ['--data', String(values.data)]),
  ...(values.test === undefined ? [] : ['--test', String(values.test)]),
];
const { code, stdout, stderr } = await runNode(
  main,
  ['g2p', 'test', '--model', ...trained, ...files, '--json'],
  {
    output: 'capture',
  },
);
if (code !== 0) fail(`${stdout}${stderr}`);
const { wordErrorRate, phonemeErrorRate, testWords, parameters, seconds } = JSON.parse(stdout);
console.log(`word error rate     ${wordErrorRate} % (published: ${PUBLISHED.wordErrorRate} %)`);
console.log(`phoneme error rate  ${phonemeErrorRate} % (published: ${PUBLISHED.phonemeErrorRate} %)`);
console.log(
  `${testWords} test words in ${seconds} s, ${members.length} models, ${parameters} parameters in all`,
);
const comparable = values.data !== undefined && values.test !== undefined;
if (!comparable) console.log('Another split than the published one: the figures do not compare.');
process.exitCode = comparable && wordErrorRate > PUBLISHED.wordErrorRate ? 1 : 0;

/** Of options for a new run what a resumed one may change. @param {string[]} options */
function stepsOf(options) {
  const at = options.findIndex((option) => option.startsWith('--steps'));
  if (at < 0) return [];
  return options[at] === '--steps' ? options.slice(at, at + 2) : [options[at] ?? ''];
}
