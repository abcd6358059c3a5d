import { adamW, muon, partition, sgd } from '@poiesis/core';
import { loadFixture } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { gradientsAt, parametersOf, stepWith, type Values, valuesOf } from './helpers';

const fixture: {
  shapes: Record<string, number[]>;
  initial: Values;
  grads: Values[];
  cases: { name: string; options: object; snapshots: Record<string, Values> }[];
} = loadFixture(import.meta.url, '../../fixtures/muon.json');

describe('muon', () => {
  it.each(fixture.cases)('does twenty updates as PyTorch does them: $name', ({ options, snapshots }) => {
    const parameters = parametersOf(fixture.shapes, fixture.initial);
    const optimizer = muon(options);
    for (const [step, grads] of fixture.grads.entries()) {
      stepWith(optimizer, parameters, grads);
      for (const [name, values] of Object.entries(snapshots[step + 1] ?? {}))
        expect(parameters[name]!, `${name} after ${step + 1} updates`).toBeAllClose(values, 1e-5);
    }
    expect(optimizer.count).toBe(20);
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('moves a weight equally far in all directions, whatever the size of its gradient', () => {
    const shapes = { w: [4, 6] };
    const moved = (size: number) => {
      const parameters = parametersOf(shapes, { w: new Array(24).fill(0) });
      const optimizer = muon({ lr: 1, weightDecay: 0 });
      const { w } = gradientsAt(3, shapes);
      stepWith(optimizer, parameters, { w: w!.map((x, i) => size * (x + Math.cos(i * i))) });
      const gram = tf.tidy(() => [...tf.matMul(parameters.w!, parameters.w!, false, true).dataSync()]);
      optimizer.dispose();
      tf.dispose(parameters);
      return gram;
    };
    const gram = moved(1);
    for (const [i, value] of gram.entries()) {
      const diagonal = i % 5 === 0;
      // Singular values of 0.7 to 1.2.
      if (diagonal) expect(value).toBeGreaterThan(0.4);
      expect(Math.abs(value - (diagonal ? 1 : 0))).toBeLessThan(0.6);
    }
    for (const [i, value] of moved(1e-3).entries()) expect(value).toBeCloseTo(gram[i]!, 4);
  });

  it('stays where it is at a gradient of zeros', () => {
    const shapes = { w: [2, 3] };
    const parameters = parametersOf(shapes, { w: [1, 2, 3, 4, 5, 6] });
    const optimizer = muon({ weightDecay: 0 });
    stepWith(optimizer, parameters, { w: new Array(6).fill(0) });
    expect(valuesOf(parameters)).toEqual({ w: [1, 2, 3, 4, 5, 6] });
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('refuses what is no matrix, before anything is changed', () => {
    const shapes = { a: [2, 2], bias: [2] };
    const parameters = parametersOf(shapes, { a: [1, 2, 3, 4], bias: [5, 6] });
    const optimizer = muon();
    const grads = gradientsAt(0, shapes);
    expect(() => stepWith(optimizer, parameters, grads)).toThrow(
      'muon.step(bias): expected a matrix [out, in]; others are for partition(), got [2]',
    );
    expect(valuesOf(parameters)).toEqual({ a: [1, 2, 3, 4], bias: [5, 6] });
    expect(optimizer.count).toBe(0);
    optimizer.dispose();
    const stacked = muon({ stacked: 3 });
    expect(() => stepWith(stacked, parameters, { a: grads.a! })).toThrow('a matrix [3 · out, in]');
    stacked.dispose();
    tf.dispose(parameters);
  });

  it.each([
    [{ momentum: 1 }, 'options.momentum'],
    [{ weightDecay: -1 }, 'options.weightDecay'],
    [{ nesterov: 1 as never }, 'options.nesterov'],
    [{ steps: 0 }, 'options.steps'],
    [{ stacked: 1.5 }, 'options.stacked'],
    [{ adjust: 'both' as never }, 'options.adjust'],
  ])('refuses %o', (options, argument) => {
    expect(() => muon(options)).toThrow(`muon(${argument})`);
  });
});

describe('partition', () => {
  const shapes = { 'body.weight': [3, 4], 'body.bias': [3], 'head.weight': [2, 3] };
  const initial = gradientsAt(9, shapes);
  const parts = () =>
    partition([{ match: /^body\.weight$/g, optimizer: muon({ lr: 0.1 }) }], adamW({ lr: 0.01 }));

  it('updates every parameter as its optimizer alone does', () => {
    const train = (optimizer: ReturnType<typeof muon>, names: string[]) => {
      const parameters = parametersOf(shapes, initial);
      for (let step = 0; step < 4; step++) {
        const grads = gradientsAt(step, shapes);
        stepWith(optimizer, parameters, Object.fromEntries(names.map((name) => [name, grads[name]!])));
      }
      const values = valuesOf(parameters);
      optimizer.dispose();
      tf.dispose(parameters);
      return values;
    };
    const together = train(parts(), Object.keys(shapes));
    expect(together).toEqual({
      ...train(adamW({ lr: 0.01 }), ['body.bias', 'head.weight']),
      'body.weight': train(muon({ lr: 0.1 }), ['body.weight'])['body.weight'],
    });
  });

  it('is saved and resumed, to the bit', async () => {
    const parameters = parametersOf(shapes, initial);
    const first = parts();
    for (let step = 0; step < 3; step++) stepWith(first, parameters, gradientsAt(step, shapes));
    const state = await first.stateDict();
    expect(Object.keys(state).sort()).toEqual([
      '0.count',
      '0.momentum_buffer.body.weight',
      'rest.count',
      'rest.exp_avg.body.bias',
      'rest.exp_avg.head.weight',
      'rest.exp_avg_sq.body.bias',
      'rest.exp_avg_sq.head.weight',
    ]);
    const copies = parametersOf(shapes, valuesOf(parameters));
    const second = parts();
    second.loadStateDict(state);
    expect([second.count, second.learningRate()]).toEqual([3, 0.01]);
    for (let step = 3; step < 6; step++) {
      stepWith(first, parameters, gradientsAt(step, shapes));
      stepWith(second, copies, gradientsAt(step, shapes));
    }
    expect(valuesOf(copies)).toEqual(valuesOf(parameters));
    first.dispose();
    second.dispose();
    tf.dispose([parameters, copies]);
  });

  it('refuses a state of other parts', async () => {
    const optimizer = parts();
    const two = partition(
      [
        { match: /weight/, optimizer: muon() },
        { match: /bias/, optimizer: sgd({ lr: 1 }) },
      ],
      adamW(),
    );
    const state = await two.stateDict();
    expect(() => optimizer.loadStateDict(state)).toThrow('1.count');
    const { 'rest.count': _, ...less } = await optimizer.stateDict();
    expect(() => optimizer.loadStateDict(less)).toThrow('count');
    optimizer.loadStateDict(state, { strict: false });
    optimizer.dispose();
    two.dispose();
  });

  it('leaves a part alone that none of the gradients is for', () => {
    const parameters = parametersOf(shapes, initial);
    const optimizer = parts();
    stepWith(optimizer, parameters, { 'head.weight': gradientsAt(0, shapes)['head.weight']! });
    expect(optimizer.count).toBe(1);
    expect(valuesOf(parameters)['body.weight']).toEqual(initial['body.weight']!.map(Math.fround));
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('refuses one optimizer for two parts, and what is no match', () => {
    const one = sgd({ lr: 1 });
    expect(() => partition([{ match: /a/, optimizer: one }], one)).toThrow('partition(parts)');
    expect(() => partition([{ match: 'a' as never, optimizer: one }], sgd({ lr: 1 }))).toThrow(
      'partition(parts[0].match)',
    );
  });
});
