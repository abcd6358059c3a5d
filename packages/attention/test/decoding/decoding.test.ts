import { ArgumentError, setCompileCheck } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { beamSearch, greedy, type Hypothesis, sample, Transformer } from '../../src';
import { draw } from '../../src/decoding/token-by-token';

setCompileCheck(0); // it is counted how often steps are traced

const [PAD, START, END] = [0, 1, 2];
const small = { sourceVocab: 6, targetVocab: 5, dim: 8, heads: 2, layers: 1, hidden: 12 } as const;
const source = [3, 4, 5, 3];
const others = [source, [5, 3], [4, 4, 4, 3, 5, 5]];

/** A model with distributions that are far from even. */
function sharp(seed = 1): Transformer {
  const model = new Transformer({ ...small }, { seed });
  tf.tidy(() => model.output.weight.assign(tf.mul(model.output.weight, 6)));
  return model;
}

/** Logarithms of the probabilities of each token of a target, by the whole model, without a cache. */
function scored(model: Transformer, source: readonly number[], tokens: readonly number[]): number[] {
  return tf.tidy(() => {
    const logits = model.forward([source], [[START, ...tokens.slice(0, -1)]]);
    const rows = (tf.logSoftmax(logits).arraySync() as number[][][])[0]!;
    return tokens.map((token, i) => rows[i]![token]!);
  });
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, x) => total + x, 0);

describe('greedy', () => {
  it('takes the most probable token at each place, until the end', async () => {
    const model = sharp(3).eval();
    const { tokens, logProb, finished } = await greedy(model, source, { maxLength: 6 });
    for (let n = 0; n <= tokens.length; n++) {
      if (n === 6) break;
      const rest = [3, 4, END].map((token) => scored(model, source, [...tokens.slice(0, n), token])[n]!);
      const taken = n < tokens.length ? tokens[n]! : END;
      expect([3, 4, END][rest.indexOf(Math.max(...rest))]).toBe(taken);
    }
    const whole = finished ? [...tokens, END] : tokens;
    expect(logProb).toBeCloseTo(sum(scored(model, source, whole)), 4);
  });

  it('decodes several sources as it does each of them', async () => {
    const model = sharp(3);
    const together = await greedy(model, others, { maxLength: 6 });
    for (const [i, hypothesis] of together.entries()) {
      const { tokens, logProb, finished } = await greedy(model, others[i]!, { maxLength: 6 });
      expect([hypothesis.tokens, hypothesis.finished]).toEqual([tokens, finished]);
      expect(hypothesis.logProb).toBeCloseTo(logProb, 4);
    }
    const tensor = tf.tensor1d(source, 'int32');
    expect((await greedy(model, tensor, { maxLength: 6 })).tokens).toEqual(together[0]!.tokens);
  });
});

/** All targets of at most `length` tokens, end included, with their probability; cut ones only of the full length. */
function everyTarget(
  model: Transformer,
  source: readonly number[],
  length: number,
  alpha: number,
): Hypothesis[] {
  const all: Hypothesis[] = [];
  const penalty = (n: number) => ((5 + n) / 6) ** alpha;
  const grow = (tokens: number[]) => {
    if (tokens.length < length) {
      const logProb = sum(scored(model, source, [...tokens, END]));
      all.push({ tokens, logProb, score: logProb / penalty(tokens.length + 1), finished: true });
      for (const token of [3, 4]) grow([...tokens, token]);
    }
  };
  grow([]);
  return all.sort((a, b) => b.score - a.score);
}

describe('beamSearch', () => {
  it.each([0, 0.6, 2])(
    'with enough beams finds the best of all targets (length penalty %s)',
    async (alpha) => {
      const model = sharp(2).eval();
      const length = 4;
      const expected = everyTarget(model, source, length, alpha);
      expect(expected).toHaveLength(15);
      const found = await beamSearch(model, source, {
        beams: 16,
        best: 6,
        lengthPenalty: alpha,
        maxLength: length,
      });
      expect(found).toHaveLength(6);
      for (const [i, { tokens, logProb, score, finished }] of found.entries()) {
        expect(finished).toBe(true);
        expect(tokens).toEqual(expected[i]!.tokens);
        expect(logProb).toBeCloseTo(expected[i]!.logProb, 4);
        expect(score).toBeCloseTo(expected[i]!.score, 4);
      }
    },
  );

  it('with one beam is greedy', async () => {
    const model = sharp(3);
    const options = { maxLength: 6 };
    const [one] = await beamSearch(model, source, { beams: 1, earlyStopping: true, ...options });
    const taken = await greedy(model, source, options);
    expect(one!.tokens).toEqual(taken.tokens);
    expect(one!.logProb).toBeCloseTo(taken.logProb, 4);
  });

  it('searches several sources as it does each of them', async () => {
    const model = sharp(4);
    const options = { beams: 3, maxLength: 6 };
    const together = await beamSearch(model, others, options);
    expect(together).toHaveLength(3);
    for (const [i, hypotheses] of together.entries()) {
      const alone = await beamSearch(model, others[i]!, options);
      expect(hypotheses.map(({ tokens }) => tokens)).toEqual(alone.map(({ tokens }) => tokens));
      for (const [j, { score }] of hypotheses.entries()) expect(score).toBeCloseTo(alone[j]!.score, 4);
    }
  });

  it('is never worse with more beams than greedy, and stops early on request', async () => {
    const model = sharp(5);
    const [best] = await beamSearch(model, source, { beams: 8, lengthPenalty: 0, maxLength: 6 });
    const taken = await greedy(model, source, { maxLength: 6 });
    if (taken.finished) expect(best!.logProb).toBeGreaterThanOrEqual(taken.logProb - 1e-4);
    const early = await beamSearch(model, source, { beams: 2, earlyStopping: true, maxLength: 6 });
    expect(early.length).toBeLessThanOrEqual(2);
  });

  it('cuts what does not end', async () => {
    const model = new Transformer({ ...small }, { seed: 1 });
    tf.tidy(() => model.output.bias.assign(tf.tensor1d([0, 0, -100, 0, 0])));
    const found = await beamSearch(model, source, { beams: 2, maxLength: 3 });
    expect(found.map(({ tokens, finished }) => [tokens.length, finished])).toEqual([
      [3, false],
      [3, false],
    ]);
    expect((await greedy(model, source, { maxLength: 3 })).finished).toBe(false);
  });
});

describe('sample', () => {
  it('draws by its seed', async () => {
    const model = new Transformer({ ...small }, { seed: 1 });
    const drawn = async (seed: number) =>
      (await sample(model, others, { seed, maxLength: 8 })).map((h) => h.tokens);
    expect(await drawn(1)).toEqual(await drawn(1));
    expect(await drawn(1)).not.toEqual(await drawn(2));
  });

  it('is greedy where one token may be drawn', async () => {
    const model = sharp(3);
    const options = { maxLength: 6, seed: 1 };
    const taken = await greedy(model, source, { maxLength: 6 });
    for (const only of [{ topK: 1 }, { topP: 1e-6 }, { temperature: 1e-4 }]) {
      expect((await sample(model, source, { ...options, ...only })).tokens).toEqual(taken.tokens);
    }
  });

  it('draws in proportion', () => {
    const logProbs = [0.1, 0.2, 0.3, 0.4].map(Math.log);
    const shares = (options: { temperature?: number; topK?: number; topP?: number }) => {
      const counts = [0, 0, 0, 0];
      for (let i = 0; i < 1000; i++) {
        const all = { temperature: 1, topK: Number.POSITIVE_INFINITY, topP: 1, ...options };
        counts[draw(logProbs, (i + 0.5) / 1000, all)]!++;
      }
      return counts.map((count) => count / 1000);
    };
    expect(shares({})).toEqual([0.1, 0.2, 0.3, 0.4]);
    expect(shares({ topK: 2 }).map((x) => x.toFixed(2))).toEqual(['0.00', '0.00', '0.43', '0.57']);
    expect(shares({ topP: 0.6 }).map((x) => x.toFixed(2))).toEqual(['0.00', '0.00', '0.43', '0.57']);
    const squared = [1, 4, 9, 16].map((x) => (x / 30).toFixed(2));
    expect(shares({ temperature: 0.5 }).map((x) => x.toFixed(2))).toEqual(squared);
  });
});

it('traces a step once, however long the target grows', async () => {
  let traced = 0;
  class Counted extends Transformer {
    override step(...args: Parameters<Transformer['step']>): ReturnType<Transformer['step']> {
      traced += 1;
      return super.step(...args);
    }
  }
  const model = new Counted({ ...small }, { seed: 1 });
  tf.tidy(() => model.output.bias.assign(tf.tensor1d([0, 0, -100, 0, 0]))); // it never ends
  const compiles = tf.getBackend() === 'onnx';
  await greedy(model, source, { maxLength: 12 });
  expect(traced).toBe(compiles ? 1 : 12);
  await greedy(model, [4, 5], { maxLength: 12 }); // of another length, but not of another shape
  expect(traced).toBe(compiles ? 1 : 24);
  traced = 0;
  await beamSearch(model, source, { beams: 2, maxLength: 12 });
  expect(traced).toBe(compiles ? 1 : 12);
});

it('decodes with the weights as they are, also after they have changed', async () => {
  const model = sharp(3);
  const logProb = async () => {
    const { tokens, logProb, finished } = await greedy(model, source, { maxLength: 4 });
    const whole = finished ? [...tokens, END] : tokens;
    expect(logProb).toBeCloseTo(sum(scored(model.eval(), source, whole)), 4);
    return logProb;
  };
  const before = await logProb();
  expect(await logProb()).toBeCloseTo(before, 5);
  model.loadStateDict(await sharp(4).stateDict());
  expect(await logProb()).not.toBeCloseTo(before, 3);
  model.loadStateDict(await sharp(3).stateDict());
  expect(await logProb()).toBeCloseTo(before, 4);
});

it('leaves the model in the mode that it was in, and no tensor behind', async () => {
  const model = sharp();
  model.encoder.eval();
  await expectNoLeak(async () => {
    await greedy(model, others, { maxLength: 4 });
    await sample(model, source, { seed: 1, maxLength: 4 });
    await beamSearch(model, others, { maxLength: 4 });
  });
  expect([model.training, model.encoder.training, model.decoder.training]).toEqual([true, false, true]);
  await expect(greedy(model, [99])).rejects.toThrow(ArgumentError);
  expect(model.training).toBe(true);
});

describe('wrong input is named', () => {
  const model = sharp();
  it.each<[string, () => Promise<unknown>, string]>([
    ['no source', () => greedy(model, []), 'greedy(source): expected tokens, or arrays of tokens'],
    ['an empty source', () => beamSearch(model, [[3], []]), 'none of them empty'],
    ['tokens as floats', () => greedy(model, tf.tensor1d([3, 4])), 'got "float32 [2]"'],
    [
      'no beams',
      () => beamSearch(model, source, { beams: 0 }),
      'options.beams): expected an integer ≥ 1, got 0',
    ],
    [
      'more results than beams',
      () => beamSearch(model, source, { best: 5 }),
      'an integer from 1 to 4, got 5',
    ],
    ['no room', () => greedy(model, source, { maxLength: 0 }), "from 1 to 1024, the model's own, got 0"],
    ['too much room', () => greedy(model, source, { maxLength: 1025 }), 'options.maxLength): expected'],
    ['a temperature of 0', () => sample(model, source, { seed: 1, temperature: 0 }), 'a number > 0, got 0'],
    [
      'no candidates',
      () => sample(model, source, { seed: 1, topK: 0 }),
      'options.topK): expected an integer ≥ 1',
    ],
    ['no probability', () => sample(model, source, { seed: 1, topP: 0 }), 'a number in (0, 1], got 0'],
  ])('%s', async (_, run, message) => {
    await expect(async () => run()).rejects.toThrow(message);
  });
});

it('knows its special tokens', () => {
  expect(PAD).toBe(new Transformer({ ...small }, { seed: 1 }).config.pad);
});
