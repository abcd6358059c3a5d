import {
  ArgumentError,
  adam,
  compile,
  hostTensor,
  randomKey,
  type StateDict,
  supervised,
  toFloat32,
} from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  averageStates,
  padTokens,
  type SequenceBatch,
  SequenceBatches,
  type SequenceBatchesOptions,
  type SequencePair,
  sequenceLoss,
  shiftTarget,
  Transformer,
} from '../../src';

const small = { sourceVocab: 8, targetVocab: 9, dim: 16, heads: 2, layers: 1 } as const;
const special = { pad: 0, start: 1, end: 2 };

describe('shiftTarget', () => {
  it('gives all but the last, and all but the first', () => {
    const { input, expected } = shiftTarget(
      padTokens([
        [1, 5, 6, 2],
        [1, 7, 2],
      ]),
    );
    expect(input.arraySync()).toEqual([
      [1, 5, 6],
      [1, 7, 2],
    ]);
    expect(expected.arraySync()).toEqual([
      [5, 6, 2],
      [7, 2, 0],
    ]);
    expect(() => shiftTarget(tf.ones([2, 1], 'int32'))).toThrow('of at least 2 tokens, got "int32 [2, 1]"');
  });
});

describe('sequenceLoss', () => {
  const model = new Transformer({ ...small, dropout: 0 }, { seed: 1 });
  const source = padTokens([[3, 4, 5], [6]]);
  const target = padTokens([
    [1, 5, 6, 2],
    [1, 7, 2],
  ]);
  const probabilities = () => {
    const logits = model.forward(source, [
      [1, 5, 6],
      [1, 7, 2],
    ]);
    return tf.logSoftmax(logits).arraySync() as number[][][];
  };

  it('is the mean over the tokens that are no padding', () => {
    const p = probabilities();
    const said = [p[0]![0]![5], p[0]![1]![6], p[0]![2]![2], p[1]![0]![7], p[1]![1]![2]] as number[];
    const mean = -said.reduce((sum, x) => sum + x, 0) / 5;
    expect(sequenceLoss()(model, { source, target }).dataSync()[0]).toBeCloseTo(mean, 4);
  });

  it('spreads some of the target over the vocabulary', () => {
    const p = probabilities();
    const rows = [p[0]![0]!, p[0]![1]!, p[0]![2]!, p[1]![0]!, p[1]![1]!];
    const said = [5, 6, 2, 7, 2];
    const losses = rows.map((row, i) => -0.9 * row[said[i]!]! - (0.1 / 9) * row.reduce((a, b) => a + b, 0));
    const mean = losses.reduce((sum, x) => sum + x, 0) / 5;
    const loss = sequenceLoss({ labelSmoothing: 0.1 })(model, { source, target });
    expect(loss.dataSync()[0]).toBeCloseTo(mean, 4);
  });

  it('does not count rows of padding', () => {
    const one = { source: padTokens([[3, 4, 5]]), target: padTokens([[1, 5, 6, 2]]) };
    const filled = {
      source: tf.concat([one.source, tf.zeros([2, 3], 'int32')]),
      target: tf.concat([one.target, tf.zeros([2, 4], 'int32')]),
    };
    expect(sequenceLoss()(model, filled)).toBeAllClose(sequenceLoss()(model, one));
  });

  it('names a share that is none', () => {
    expect(() => sequenceLoss({ labelSmoothing: 1 })).toThrow(
      'options.labelSmoothing): expected a number in [0, 1)',
    );
  });
});

describe('SequenceBatches', () => {
  const pairs: SequencePair[] = Array.from({ length: 23 }, (_, i) => ({
    source: Array.from({ length: 1 + (i % 10) }, () => 3 + (i % 5)),
    target: Array.from({ length: i % 12 }, () => 3 + (i % 6)),
  }));
  const make = (options: Partial<SequenceBatchesOptions>) =>
    new SequenceBatches(pairs, { ...special, sourceVocab: 8, targetVocab: 9, ...options });

  /** Takes an epoch: its shapes, and its pairs as they were. */
  async function taken(batches: AsyncIterable<SequenceBatch>) {
    const shapes: string[] = [];
    const seen: string[] = [];
    for await (const { source, target } of batches) {
      shapes.push(`${source.shape} ${target.shape}`);
      const [sources, targets] = [source.arraySync(), target.arraySync()] as [number[][], number[][]];
      for (const [i, row] of sources.entries()) {
        const whole = targets[i]!.filter((token) => token !== 0);
        if (row.every((token) => token === 0)) continue;
        expect([whole[0], whole.at(-1)]).toEqual([1, 2]);
        seen.push(`${row.filter((token) => token !== 0)} → ${whole.slice(1, -1)}`);
      }
      tf.dispose([source, target]);
    }
    return { shapes, seen };
  }
  const given = pairs.map(({ source, target }) => `${Array.from(source)} → ${Array.from(target)}`);

  it('holds every pair once, in few shapes', async () => {
    const batches = make({ tokens: 32 });
    const { shapes, seen } = await taken(batches);
    expect([...seen].sort()).toEqual([...given].sort());
    expect(shapes).toHaveLength(batches.length);
    expect([...new Set(shapes)].sort()).toEqual(['2,12 2,13', '4,8 4,9']);
    expect(batches.shapes).toEqual([
      [4, 8],
      [2, 12],
    ]);
  });

  it('is shuffled anew in each epoch, and the same for the same seed', async () => {
    const epochs = async (seed: number) => {
      const batches = make({ rows: 4, seed });
      return [(await taken(batches)).seen.join('; '), (await taken(batches)).seen.join('; ')];
    };
    const [first, second] = await epochs(1);
    expect(first).not.toBe(second);
    expect(await epochs(1)).toEqual([first, second]);
    expect((await epochs(2))[0]).not.toBe(first);
    const straight = await taken(make({ rows: 50, shuffle: false, lengths: [12] }));
    expect(straight.seen).toEqual(given);
    expect(straight.shapes).toEqual(['50,12 50,13']);
  });

  it('goes on from any cursor', async () => {
    const batches = make({ rows: 4 });
    const placed: string[] = [];
    const cursors: { epoch: number; index: number }[] = [];
    const read = async (from: { epoch: number; index: number }, count: number) => {
      const found: string[] = [];
      for await (const { batch, epoch, cursor } of batches.batches({ from })) {
        found.push(`${epoch}: ${(batch.source.arraySync() as number[][]).join(' ')}`);
        cursors.push(cursor);
        tf.dispose([batch.source, batch.target]);
        if (found.length === count) break;
      }
      return found;
    };
    placed.push(...(await read({ epoch: 0, index: 0 }, 2 * batches.length)));
    const [middle] = [cursors[2]!];
    expect(await read(middle, 4)).toEqual(placed.slice(3, 7));
    expect(cursors[batches.length - 1]).toEqual({ epoch: 1, index: 0 });
    expect(placed[batches.length]).toMatch(/^1: /);
  });

  it('leaves out what is not full, on request', async () => {
    const { seen } = await taken(make({ rows: 4, dropLast: true, lengths: [12] }));
    expect(seen).toHaveLength(20);
    const none = make({ rows: 100, dropLast: true });
    await expect(none.batches().next()).rejects.toThrow('enough for one full batch');
  });

  it('has labels of source tokens beside them, where pairs have some', async () => {
    const labelled = pairs.map((pair) => ({
      ...pair,
      labels: Array.from(pair.source, (token) => 10 * token),
    }));
    const batches = new SequenceBatches(labelled, { ...special, rows: 4 });
    let rows = 0;
    for await (const { source, target, labels } of batches) {
      expect(labels).toBeAllClose(tf.mul(source, 10), 0);
      rows += labels!.shape[0]!;
      tf.dispose([source, target, labels!]);
    }
    expect(rows).toBeGreaterThan(pairs.length);
    for await (const batch of make({ rows: 50 })) expect(batch).not.toHaveProperty('labels');
  });

  it('leaves no tensor behind', async () => {
    await expectNoLeak(() => taken(make({ tokens: 32 })));
  });

  const wrong = (source: number[], target: number[], options: Partial<SequenceBatchesOptions> = {}) => {
    return () =>
      new SequenceBatches([{ source, target }], { ...special, rows: 2, sourceVocab: 8, ...options });
  };
  it.each<[string, () => unknown, string]>([
    [
      'no pairs',
      () => new SequenceBatches([], { ...special, rows: 1 }),
      'pairs): expected at least one, got 0',
    ],
    ['an empty source', wrong([], [3]), 'pairs[0].source): expected at least one token'],
    [
      'a token out of vocabulary',
      wrong([3, 8], [3]),
      'pairs[0].source[1]): expected a token in [0, 8), got 8',
    ],
    [
      'a target that no length holds',
      wrong([3], [3, 3, 3, 3], { lengths: [2, 4] }),
      'pairs[0]): expected at most 4',
    ],
    [
      'a source token without a label',
      () => new SequenceBatches([{ source: [3, 4], target: [3], labels: [5] }], { ...special, rows: 2 }),
      'pairs[0].labels): expected 2 labels, got 1',
    ],
    [
      'labels that the first pair has not',
      () =>
        new SequenceBatches([pairs[1]!, { source: [3], target: [3], labels: [5] }], { ...special, rows: 2 }),
      'pairs[1].labels): expected no labels, got 1',
    ],
    ['rows and tokens', wrong([3], [3], { tokens: 4 }), 'expected either tokens or rows, got [4, 2]'],
    ['no rows', wrong([3], [3], { rows: 0 }), 'options.rows): expected an integer ≥ 1, got 0'],
    [
      'falling lengths',
      wrong([3], [3], { lengths: [4, 2] }),
      'options.lengths): expected rising integers > 0',
    ],
  ])('names %s', (_, run, message) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(message);
  });
});

describe('averageStates', () => {
  const state = (value: number, count: bigint): StateDict => ({
    weight: hostTensor(Float32Array.of(value, 2 * value), [2]),
    count: hostTensor(BigInt64Array.of(count), []),
  });

  it('is the mean of floats, and the last of what is counted', () => {
    const { weight, count } = averageStates([state(1, 1n), state(2, 2n), state(6, 3n)]);
    expect(Array.from(toFloat32(weight!))).toEqual([3, 6]);
    expect(count).toEqual(state(0, 3n).count);
  });

  it('loads into a model', async () => {
    const [a, b] = [1, 2].map((seed) => new Transformer({ ...small }, { seed }));
    const mean = averageStates([await a!.stateDict(), await b!.stateDict()]);
    const weights = [a, b].map((model) => tf.clone(model!.output.weight as tf.Tensor));
    a!.loadStateDict(mean);
    expect(a!.output.weight as tf.Tensor).toBeAllClose(tf.div(tf.add(weights[0]!, weights[1]!), 2));
  });

  it('names states that are not alike', () => {
    expect(() => averageStates([])).toThrow('averageStates(states): expected at least one state dict');
    const { weight } = state(1, 1n);
    expect(() => averageStates([state(1, 1n), { weight: weight! }])).toThrow(
      'averageStates(states[1]["count"]): expected I64 [], got "nothing"',
    );
  });
});

describe('a Transformer', () => {
  it('trains with dropout as a compiled step, which draws anew each time', () => {
    const model = new Transformer({ ...small, dropout: 0.2 }, { seed: 1 });
    const loss = sequenceLoss({ labelSmoothing: 0.1 });
    const step = supervised(model, loss, adam({ lr: 1e-3 }));
    const run = compile((batch: SequenceBatch, key) => step.run(batch, key as never), { check: 2 });
    const batch = {
      source: padTokens([[3, 4, 5], [6]]),
      target: padTokens([
        [1, 5, 6, 2],
        [1, 7, 2],
      ]),
    };
    const losses = [1, 2, 3, 4].map((seed) => {
      const { loss } = run(batch, randomKey(seed)) as { loss: tf.Scalar };
      return loss.dataSync()[0]!;
    });
    expect(new Set(losses).size).toBe(4);
    expect(losses.every(Number.isFinite)).toBe(true);
  });
});
