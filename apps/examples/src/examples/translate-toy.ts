// From data to decoding: a Transformer learns to copy, to reverse or to sort rows of digits, in less than a minute.
// Nothing tells it what the task is but pairs of rows; it is asked about rows that it has never seen.
import { greedy, preNorm, SequenceBatches, sequenceLoss, Transformer } from '@poiesis/attention';
import { adam, cosine, hostIntegers, type Key, randomKey, supervised } from '@poiesis/core';
import * as v from 'valibot';
import { integer } from '../cli/values';
import { trainingExample } from '../run/training';

type Row = readonly number[];

export const tasks = {
  copy: (row: Row): Row => row,
  reverse: (row: Row): Row => [...row].reverse(),
  sort: (row: Row): Row => [...row].sort((a, b) => a - b),
};

/** A sequence is made of tokens: three that mean padding, start and end, then the digits. */
const SPECIAL = 3;
const VOCAB = SPECIAL + 10;
export const tokens = (digits: Row) => digits.map((digit) => digit + SPECIAL);
export const digits = (tokens: Row) => tokens.map((token) => token - SPECIAL);

/** Rows of 2 to `longest` digits, every length as often as any other. The same key gives the same rows. */
export function rowsOfDigits(key: Key, count: number, longest: number): Row[] {
  return Array.from({ length: count }, (_, i) => {
    const [forLength, forDigits] = key.fold(i).split(2) as [Key, Key];
    const [length] = hostIntegers(forLength, 1, { min: 2, max: longest + 1 });
    return Array.from(hostIntegers(forDigits, length!, { max: 10 }));
  });
}

/** Rows to learn from, and others to ask about. */
export function toyData({ seed, longest }: { seed: number; longest: number }): {
  seen: Row[];
  unseen: Row[];
} {
  const [first, second] = randomKey(seed).split(2) as [Key, Key];
  const unseen = rowsOfDigits(first, 200, longest);
  const kept = new Set(unseen.map((row) => row.join()));
  return { unseen, seen: rowsOfDigits(second, 20_000, longest).filter((row) => !kept.has(row.join())) };
}

export function toyModel({ seed }: { seed: number }): Transformer {
  const sizes = { sourceVocab: VOCAB, targetVocab: VOCAB, dim: 32, heads: 4, layers: 2 };
  return new Transformer({ ...sizes, dropout: 0, residual: preNorm }, { seed });
}

/** Under this name the model's file tells what it has learned. */
export const TOY_ENTRY = 'poiesis.translate-toy';

export const translateToy = trainingExample({
  name: 'translate-toy',
  summary: 'Transformer on rows of digits: learns to copy, reverse or sort them',
  description:
    'The smallest whole program for sequence to sequence; its source is a good one to start from:\n' +
    'apps/examples/src/examples/translate-toy.ts. heldOutAccuracy in metrics.json is the share of rows, none of\n' +
    'them seen in training, that come out without a mistake.',
  defaults: { backend: 'auto', steps: 1500, batch: 64, seed: 1, task: 'reverse', length: 8 },
  entries: {
    task: v.picklist(['copy', 'reverse', 'sort']),
    /** Most digits in a row. */
    length: v.pipe(v.number(), v.integer(), v.minValue(4), v.maxValue(32)),
  },
  options: (command) =>
    command
      .option('--task <name>', 'what to learn: copy, reverse or sort (default: reverse)')
      .option('--length <n>', 'most digits in a row, 4 to 32 (default: 8)', integer),

  async setUp({ config: { task: name, length: longest, steps, batch, seed }, console }) {
    // 1. Data: pairs of sequences, put into batches. Start and end are added, shorter rows filled up.
    const task = tasks[name];
    const { seen, unseen } = toyData({ seed, longest });
    const pairs = seen.map((row) => ({ source: tokens(row), target: tokens(task(row)) }));

    // 2. The model, and what it is to become better at: the next token, given the source and the tokens before.
    const model = toyModel({ seed });
    const lr = cosine(5e-3, { steps, warmup: Math.floor(steps / 10) });
    const step = supervised(model, sequenceLoss(), adam({ lr, beta2: 0.98 }));
    const batches = new SequenceBatches(pairs, {
      ...model.config,
      rows: batch,
      lengths: [longest + 1],
      seed,
    });

    // 3. The exam: rows that it has not seen, decoded token by token.
    const answers = async () =>
      (await greedy(model, unseen.map(tokens), { maxLength: longest + 1 })).map((found) =>
        digits(found.tokens),
      );
    const isRight = (answer: Row, i: number) => answer.join() === task(unseen[i]!).join();
    const share = (found: Row[]) => found.filter(isRight).length / found.length;

    return {
      step,
      batches,
      weights: () => model.stateDict(),
      metadata: { [TOY_ENTRY]: JSON.stringify({ task: name, length: longest }) },
      checkpointEvery: 200,
      evaluate: async () => ({ accuracy: share(await answers()) }),
      evaluateEvery: 100,
      async figures() {
        const found = await answers();
        for (const [i, answer] of found.slice(0, 6).entries()) {
          const said = `${unseen[i]!.join(' ').padEnd(2 * longest)} →  ${answer.join(' ')}`;
          console.say(isRight(answer, i) ? said : `${said}  (wrong: ${task(unseen[i]!).join(' ')})`);
        }
        return { task: name, heldOutAccuracy: share(found), parameters: model.parameterCount() };
      },
    };
  },

  next: (model) => `Look inside: npm start -- attention-map --model ${model}`,
});
