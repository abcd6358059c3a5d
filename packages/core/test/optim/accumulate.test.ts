import {
  accumulate,
  adam,
  hostTensor,
  type Optimizer,
  type StateDict,
  StateDictError,
  setHostChoiceRecorder,
  sgd,
} from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parameter } from '../../src/nn/leaf';
import { gradientsAt, parametersOf, plain, stepWith, type Values, valuesOf } from './helpers';

const shapes = { w: [2, 2], b: [2] };
const initial = { w: [1, -2, 3, -4], b: [0.5, -0.5] };

function run(optimizer: Optimizer, grads: Values[]): Values {
  const parameters = parametersOf(shapes, initial);
  for (const g of grads) stepWith(optimizer, parameters, g);
  const values = valuesOf(parameters);
  optimizer.dispose();
  tf.dispose(parameters);
  return values;
}

describe('accumulate', () => {
  it('updates every n-th call', () => {
    const parameters = parametersOf(shapes, initial);
    const optimizer = accumulate(sgd({ lr: (count) => 1 / (1 + count) }), 3);
    const counts: number[] = [];
    let changes = 0;
    for (let i = 0; i < 7; i++) {
      const before = valuesOf(parameters);
      stepWith(optimizer, parameters, gradientsAt(i, shapes));
      counts.push(optimizer.count);
      if (JSON.stringify(before) !== JSON.stringify(valuesOf(parameters))) changes += 1;
    }
    expect([counts, changes, optimizer.learningRate()]).toEqual([[0, 0, 1, 1, 1, 2, 2], 2, 1 / 3]);
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('on n equal micro-batches is one step', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(100), (n, seed) => {
        const grads = gradientsAt(seed, shapes);
        const one = run(adam({ lr: 0.1 }), [grads]);
        const many = run(accumulate(adam({ lr: 0.1 }), n), Array(n).fill(grads));
        for (const name of Object.keys(one)) expect(many[name]!).toBeAllClose(one[name]!, 1e-6);
        // Sums of two and four, and their quotients, are exact.
        if ([1, 2, 4].includes(n)) expect(many).toEqual(one);
      }),
      { numRuns: 20, seed: 6 },
    );
  });

  it('uses the mean of different gradients, zero where one lacks', () => {
    const values = run(accumulate(sgd({ lr: 1 }), 3), [
      { w: [3, 0, 0, 0], b: [9, 0] },
      { w: [3, 3, 0, 0] },
      { w: [3, 0, 0, -3] },
    ]);
    expect(values).toEqual({ w: [-2, -3, 3, -3], b: [-2.5, -0.5] });
    // A parameter whose only gradient comes last, and one with a sum of a round before.
    const later = run(accumulate(sgd({ lr: 1 }), 2), [
      { w: [2, 2, 2, 2], b: [2, 2] },
      { w: [2, 2, 2, 2] },
      { w: [0, 0, 0, 0] },
      { b: [4, 4] },
    ]);
    expect(later).toEqual({ w: [-1, -4, 1, -6], b: [-2.5, -3.5] });
  });

  it('clips the mean, not its parts', () => {
    const grads = [{ w: [10, 0, 0, 0] }, { w: [-10, 0.5, 0, 0] }];
    expect(run(accumulate(sgd({ lr: 1, clip: { norm: 1 } }), 2), grads).w).toEqual([1, -2.25, 3, -4]);
  });

  it.each([0, 1, 2, 3, 4, 5])('resumes after %i calls to the bit', async (calls) => {
    const make = () => accumulate(adam({ lr: 0.1 }), 3);
    const parametersWithLayout = () => ({
      w: parameter(tf.tensor(initial.w, shapes.w), { permute: [1, 0] }),
      b: parameter(tf.tensor(initial.b, shapes.b)),
    });
    const first = make();
    const parameters = parametersWithLayout();
    for (let i = 0; i < calls; i++) stepWith(first, parameters, gradientsAt(i, shapes));
    const state = await first.stateDict();
    expect(Object.keys(state).some((key) => key.startsWith('accumulated.'))).toBe(calls % 3 !== 0);

    const second = make();
    second.loadStateDict(state);
    expect(plain(await second.stateDict())).toEqual(plain(state));
    const copies = parametersWithLayout();
    for (const name of ['w', 'b'] as const) copies[name].assign(parameters[name] as tf.Tensor);
    for (let i = calls; i < calls + 5; i++) {
      stepWith(first, parameters, gradientsAt(i, shapes));
      stepWith(second, copies, gradientsAt(i, shapes));
    }
    expect(valuesOf(copies)).toEqual(valuesOf(parameters));
    expect(plain(await second.stateDict())).toEqual(plain(await first.stateDict()));
    first.dispose();
    second.dispose();
    tf.dispose([parameters, copies]);
  });

  it('leaves nothing behind', async () => {
    await expectNoLeak(() =>
      run(
        accumulate(adam(), 3),
        [0, 1, 2, 3, 4].map((i) => gradientsAt(i, shapes)),
      ),
    );
  });

  it('passes over frozen parameters', () => {
    const parameters = parametersOf(shapes, initial);
    parameters.b!.trainable = false;
    const optimizer = accumulate(sgd({ lr: 1 }), 2);
    for (let i = 0; i < 2; i++) stepWith(optimizer, parameters, { w: [1, 1, 1, 1], b: [1, 1] });
    expect(valuesOf(parameters)).toEqual({ w: [0, -3, 2, -5], b: [0.5, -0.5] });
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('tells a compiler that which call it is, is a choice', () => {
    const choices: (() => number)[] = [];
    const parameters = parametersOf(shapes, initial);
    const optimizer = accumulate(sgd(), 3);
    const before = setHostChoiceRecorder((choose) => {
      choices.push(choose);
      return choose();
    });
    stepWith(optimizer, parameters, gradientsAt(0, shapes));
    setHostChoiceRecorder(before);
    // The replay of a micro-batch calls the choice again, which counts it.
    expect([choices[0]!(), choices[0]!(), choices[0]!()]).toEqual([1, 2, 0]);
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('refuses what does not fit', async () => {
    expect(() => accumulate(sgd(), 0)).toThrow('accumulate(n): expected an integer ≥ 1, got 0');
    const optimizer = accumulate(sgd(), 2);
    const count = hostTensor([4], [], 'I64');
    expect(() => optimizer.loadStateDict({ count })).toThrow(
      'accumulate.loadStateDict: 1 missing key (micro)',
    );
    expect(() => optimizer.loadStateDict({ count, micro: hostTensor([2], [], 'I64') })).toThrow(
      StateDictError,
    );
    expect(() => optimizer.loadStateDict({ micro: hostTensor([1], [], 'I64') })).toThrow(StateDictError);
    expect(optimizer.count).toBe(0);

    const parameters = parametersOf(shapes, initial);
    const zero = hostTensor([0], [], 'I64');
    const one = hostTensor([1], [], 'I64');
    const resume = (sums: StateDict) => optimizer.loadStateDict({ count: zero, micro: one, ...sums });
    const step = () => stepWith(optimizer, parameters, { w: [0, 0, 0, 0] });
    resume({ 'accumulated.x': hostTensor([1, 1], [2]) });
    expect(step).toThrow('accumulate.step: 1 extra key (accumulated.x)');
    resume({ 'accumulated.b': hostTensor([1], [1]) });
    expect(step).toThrow('accumulated.b: expected [2], got [1]');
    // One of several that is not handed over any more is no mistake.
    resume({ 'accumulated.x': hostTensor([1, 1], [2]), 'accumulated.b': hostTensor([2, 2], [2]) });
    step();
    expect(parameters.b!).toBeAllClose([0.499, -0.501]);
    optimizer.dispose();
    tf.dispose(parameters);
  });
});
