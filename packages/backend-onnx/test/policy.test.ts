import { compile } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OnnxBackend } from '../src/backend';
import { RunError } from '../src/run-error';
import { loadNodeRuntime } from '../src/runtime/node-runtime';
import { numbers, onCpu } from './on-cpu';

const onnx = () => tf.backend() as OnnxBackend;
const compiledBy = (body: () => void) => {
  const before = onnx().programs.statistics.compiled;
  body();
  return onnx().programs.statistics.compiled - before;
};
/** Sizes that no other test uses, so that no program is known already. */
let size = 20;
afterEach(() => void size++);

/** A regression that a plain tfjs program trains: `step` records one step and gives its loss. */
function regression(optimizer: tf.Optimizer = tf.train.adam(0.01)) {
  const w = tf.variable(numbers([size, 3], 1));
  const b = tf.variable(tf.zeros([3]));
  const x = numbers([4, size], 2) as tf.Tensor2D;
  const y = numbers([4, 3], 3);
  const loss = () =>
    tf.mean(
      tf.squaredDifference(tf.tanh(tf.add(tf.matMul(x, w as unknown as tf.Tensor2D), b)), y),
    ) as tf.Scalar;
  return { w, step: () => optimizer.minimize(loss, true)! };
}

/** Runs `steps` steps and reads the loss of every `every`-th. */
function train(step: () => tf.Scalar, steps: number, every: number): number[] {
  const read: number[] = [];
  for (let i = 1; i <= steps; i++) {
    const loss = step();
    if (i % every === 0) read.push(loss.dataSync()[0]!);
    loss.dispose();
  }
  return read;
}

describe('a training loop that is not compiled', () => {
  it.each([
    ['adam', () => tf.train.adam(0.01)],
    ['sgd', () => tf.train.sgd(0.01)],
    ['momentum', () => tf.train.momentum(0.01, 0.9)],
    ['rmsprop', () => tf.train.rmsprop(0.01)],
    ['adagrad', () => tf.train.adagrad(0.01)],
  ])('compiles nothing for another cadence of reading: %s', (_, optimizer) => {
    const { step } = regression(optimizer());
    // Warm-up: a step that is read, steps that are not, and the first steps, whose state begins as constants.
    train(step, 4, 1);
    train(step, 4, 2);
    expect(
      compiledBy(() => {
        train(step, 5, 1);
        train(step, 21, 7);
        train(step, 200, 100);
        train(step, 11, 3);
      }),
    ).toBe(0);
  });

  it('keeps no more than two steps pending', () => {
    const { step } = regression();
    train(step, 3, 10);
    const before = pendingOperations();
    train(step, 50, 100);
    expect(pendingOperations()).toBeLessThanOrEqual(2 * before);
  });

  it('gives the same losses, whoever reads when', () => {
    const often = regression();
    const seldom = regression();
    const all = train(often.step, 30, 1);
    expect(train(seldom.step, 30, 10)).toEqual([all[9], all[19], all[29]]);
    expect([...seldom.w.dataSync()]).toEqual([...often.w.dataSync()]);
  });

  it('may be inside of one tidy', () => {
    const { step } = regression();
    train(step, 4, 1);
    train(step, 4, 2);
    expect(compiledBy(() => void tf.tidy(() => train(step, 60, 20)))).toBeLessThanOrEqual(1);
  });

  it('may change its learning rate at every step', () => {
    const optimizer = tf.train.sgd(0.1);
    const { step } = regression(optimizer);
    const scheduled = (i: number) => {
      optimizer.setLearningRate(0.1 / i);
      const loss = step();
      loss.dataSync();
      loss.dispose();
    };
    for (let i = 1; i < 4; i++) scheduled(i);
    expect(
      compiledBy(() => {
        for (let i = 4; i < 20; i++) scheduled(i);
      }),
    ).toBe(0);
  });

  it('may take its batches as slices of a data set', () => {
    const data = tf.tensor(
      Float32Array.from({ length: 40 * size }, (_, i) => Math.sin(i)),
      [40, size],
    );
    const w = tf.variable(tf.ones([size, 1]));
    const optimizer = tf.train.sgd(0.1);
    const step = (i: number) => {
      const x = tf.slice(data, [2 * i, 0], [2, size]) as tf.Tensor2D;
      const loss = optimizer.minimize(
        () => tf.mean(tf.square(tf.matMul(x, w as unknown as tf.Tensor2D))) as tf.Scalar,
        true,
      )!;
      tf.dispose([x, loss]);
    };
    for (let i = 0; i < 5; i++) step(i);
    expect(
      compiledBy(() => {
        for (let i = 5; i < 20; i++) step(i);
      }),
    ).toBe(0);
  });
});

describe('a loop without variables', () => {
  it('that keeps its state in tensors, a tidy for each step', () => {
    const target = numbers([size, size], 1) as tf.Tensor2D;
    let state = numbers([size, size], 2) as tf.Tensor2D;
    const step = () => {
      const next = tf.tidy(() => {
        const gradient = tf.grad((s) => tf.mean(tf.square(tf.sub(tf.sigmoid(s), target))))(state);
        return tf.sub(state, tf.mul(gradient, 0.1)) as tf.Tensor2D;
      });
      state.dispose();
      state = next;
    };
    const run = (steps: number, every: number) => {
      for (let i = 1; i <= steps; i++) {
        step();
        if (i % every === 0) state.dataSync();
      }
    };
    run(4, 1);
    run(6, 3);
    expect(compiledBy(() => run(200, 50))).toBe(0);
    expect(compiledBy(() => run(70, 7))).toBe(0);
    expect(compiledBy(() => run(5, 1))).toBe(0);
  });

  it('that collects predictions', () => {
    const layers = [1, 2, 3].map((seed) => numbers([size, size], seed) as tf.Tensor2D);
    const predict = (x: tf.Tensor) =>
      tf.tidy(() => layers.reduce((h, w) => tf.tanh(tf.add(tf.matMul(h as tf.Tensor2D, w), 0.1)), x));
    const all = (n: number) => {
      const predictions = Array.from({ length: n }, (_, i) => predict(numbers([1, size], i)));
      return tf.tidy(() => [...tf.sum(tf.concat(predictions), 1).dataSync()]);
    };
    all(4);
    // What is different is how many are put together.
    expect(compiledBy(() => void all(40))).toBeLessThanOrEqual(2);
  });

  it('that is one long scope, which is cut where it repeats', () => {
    const bounded = new OnnxBackend(loadNodeRuntime(), { maxPending: 300 });
    tf.registerBackend('onnx-paced', () => bounded);
    for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('onnx'))
      tf.registerKernel({ kernelName, kernelFunc, backendName: 'onnx-paced' });
    tf.setBackend('onnx-paced');
    try {
      const decay = (steps: number) =>
        tf.tidy(() => {
          let x: tf.Tensor = tf.tensor([1, 2, 3]);
          for (let i = 0; i < steps; i++) {
            const force = tf.add(tf.sin(x), tf.mul(tf.cos(x), 0.5));
            x = tf.sub(x, tf.mul(force, 0.01));
          }
          return x.dataSync();
        });
      decay(2000);
      // One for the first piece, one for those that follow, one for the rest.
      expect(bounded.programs.statistics.compiled).toBeLessThanOrEqual(4);
      expect(bounded.programs.statistics.hits).toBeGreaterThan(10);
    } finally {
      tf.setBackend('onnx');
      tf.removeBackend('onnx-paced');
    }
  });
});

describe('shapes that change at nearly every run', () => {
  afterEach(() => void vi.restoreAllMocks());

  /** One token of attention over a sequence that grows, with most kinds of operations around it. */
  function attend(x: tf.Tensor, cache: tf.Tensor | null): { y: tf.Tensor; cache: tf.Tensor } {
    const rows = cache ? tf.concat([cache, x]) : x;
    const scores = tf.mul(tf.matMul(x as tf.Tensor2D, rows as tf.Tensor2D, false, true), 0.25);
    const weights = tf.softmax(tf.where(tf.greater(scores, -10), scores, tf.zerosLike(scores)));
    const mixed = tf.matMul(weights as tf.Tensor2D, rows as tf.Tensor2D);
    const centered = tf.sub(mixed, tf.mean(rows, 0, true));
    const scaled = tf.div(centered, tf.sqrt(tf.add(tf.sum(tf.square(rows)), 1)));
    const turned = tf.transpose(tf.reshape(scaled, [2, -1]));
    return {
      y: tf.reshape(tf.tanh(tf.gather(turned, tf.tensor1d([0, 1, 2], 'int32'))), [1, -1]),
      cache: rows,
    };
  }

  const sequence = (length: number) => {
    const values: number[] = [];
    let cache = null as tf.Tensor | null;
    for (let i = 0; i < length; i++) {
      const next: { y: tf.Tensor; cache: tf.Tensor } = tf.tidy(() =>
        attend(numbers([1, size * 2], i + 1), cache),
      );
      values.push(...next.y.dataSync());
      cache?.dispose();
      next.y.dispose();
      cache = next.cache;
    }
    cache!.dispose();
    return values;
  };

  it('are run operation by operation, by programs for any size, with a warning', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    tf.setBackend('cpu');
    const expected = sequence(24);
    tf.setBackend('onnx');
    const actual = sequence(14);
    const compiled = compiledBy(() => actual.push(...sequence(24).slice(actual.length)));
    expect(actual).toHaveLength(expected.length);
    for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
    // Sums are written for one size each.
    expect(compiled).toBeLessThanOrEqual(40);
    // tfjs itself greets with a warning.
    const warnings = warn.mock.calls.map(String).filter((message) => message.startsWith('onnx:'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/an input of \w+ is of shape \[\d+,\d+\] now and was/);
  });

  it('compute the same at every size, also where an axis of length 1 came first', () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const turn = (n: number) =>
      tf.tidy(() => {
        const x = tf.mul(numbers([n, 3], n), 2);
        return Array.from(tf.add(tf.transpose(x), 1).dataSync());
      });
    // Shapes that do not settle, until the operations run one by one: first with one row, then with more.
    for (const n of [2, 3, 4, 5, 6, 7, 8, 9, 1, 10, 11, 1, 12]) {
      tf.setBackend('cpu');
      const expected = turn(n);
      tf.setBackend('onnx');
      expect(turn(n)).toEqual(expected);
    }
  });

  it('are compiled as a whole where they come back', () => {
    const lengths = Array.from({ length: 12 }, (_, i) => i + 2);
    const work = (n: number) => tf.tidy(() => tf.sum(tf.exp(tf.mul(tf.ones([n, size]), 0.5))).dataSync()[0]!);
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    for (let round = 0; round < 5; round++) lengths.forEach(work);
    const hits = onnx().programs.statistics.hits;
    expect(compiledBy(() => lengths.forEach(work))).toBe(0);
    expect(onnx().programs.statistics.hits - hits).toBe(lengths.length);
  });
});

describe('slices', () => {
  it('of known data are the same as on cpu, wherever they begin', () => {
    const of = (begin: number[], sizes: number[]) => () =>
      tf.tidy(() => tf.mul(tf.slice(numbers([5, 4, 3]), begin, sizes), 2));
    for (const [begin, sizes] of [
      [
        [1, 0, 0],
        [3, 4, 3],
      ],
      [
        [2, 1, 0],
        [1, 2, 3],
      ],
      [
        [4, 3, 1],
        [1, 1, 2],
      ],
      [
        [0, 1, 0],
        [5, 2, 3],
      ],
      [
        [1, 1, 1],
        [2, 2, 2],
      ],
    ] as const) {
      const body = of([...begin], [...sizes]);
      expect([...body().dataSync()]).toEqual([...onCpu(body)]);
    }
  });

  it('that begin somewhere else each time are not compiled each time', () => {
    const image = tf.tensor(
      Float32Array.from({ length: size * size }, (_, i) => Math.sin(i)),
      [size, size],
    );
    const crop = (i: number) => tf.tidy(() => tf.sum(tf.slice(tf.mul(image, 2), [i % 7, i % 11], [6, 6])));
    const expected = (i: number) => onCpu(() => crop(i))[0];
    for (let i = 0; i < 12; i++) crop(i).dataSync();
    expect(
      compiledBy(() => {
        for (let i = 12; i < 40; i++) expect(crop(i).dataSync()[0]).toBeCloseTo(expected(i)!, 4);
      }),
    ).toBe(0);
  });

  it('are read as copies of their own, so that their buffer is theirs', () => {
    const rows = tf.slice(tf.tensor([1, 2, 3, 4], [2, 2]), [1, 0], [1, 2]);
    expect([...new Float32Array(rows.dataSync().buffer)]).toEqual([3, 4]);
  });
});

describe('an operation that fails when it runs', () => {
  const outOfBounds = () =>
    tf.gather(
      tf.tensor([1, 2, 3]),
      tf.add(tf.tensor([1, 2], [2], 'int32'), tf.scalar(7, 'int32')) as tf.Tensor1D,
    );

  it('is named by a typed error', () => {
    const failing = outOfBounds();
    let error: unknown;
    try {
      failing.dataSync();
    } catch (e) {
      error = e;
    }
    expect(RunError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ code: 'run', operation: 'GatherV2' });
    expect((error as RunError).message).toMatch(
      /^GatherV2 failed when it ran: indices element out of data bounds/,
    );
    failing.dispose();
  });

  it('is named by a compiled step too', () => {
    const run = compile((t: tf.Tensor, index: tf.Tensor) => tf.gather(t, index as tf.Tensor1D), { check: 0 });
    const at = (...index: number[]) =>
      tf.tidy(() => [...run(tf.tensor([1, 2, 3]), tf.tensor(index, [1], 'int32')).dataSync()]);
    expect([at(0), at(2)]).toEqual([[1], [3]]);
    expect(() => at(5)).toThrow(/^GatherV2 failed when it ran/);
    expect(at(1)).toEqual([2]);
  });

  it('fails for those who need it, now and later, and for nobody else', async () => {
    const failing = outOfBounds();
    const dependent = tf.mul(failing, 2);
    const other = tf.exp(tf.tensor([0, 0]));
    expect(() => dependent.dataSync()).toThrow(/GatherV2/);
    expect([...other.dataSync()]).toEqual([1, 1]);
    expect(() => failing.dataSync()).toThrow(/GatherV2/);
    await expect(dependent.data()).rejects.toThrow(/GatherV2/);
    expect(() => tf.add(dependent, 1)).toThrow(/GatherV2/);
    tf.dispose([failing, dependent, other]);
  });
});

/** Operations that the pending values of live tensors depend on. */
function pendingOperations(): number {
  const seen = new Set([...onnx().liveValues()].flatMap(({ op }) => op ?? []));
  for (const { inputs } of seen) for (const { op } of inputs) if (op) seen.add(op);
  return seen.size;
}
