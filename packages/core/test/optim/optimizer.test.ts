import {
  ArgumentError,
  adam,
  adamW,
  hostTensor,
  linearWarmup,
  lion,
  muon,
  type Optimizer,
  partition,
  StateDictError,
  sgd,
  valueAndGrad,
} from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parameter } from '../../src/nn/leaf';
import { gradientsAt, parametersOf, plain, recordInputs, stepWith, valuesOf } from './helpers';

const shapes = { 'a.weight': [2, 3], 'a.bias': [3] };
const initial = { 'a.weight': [1, -2, 3, -4, 5, -6], 'a.bias': [0.1, 0.2, 0.3] };
const start = () => parametersOf(shapes, initial);
const makers: [string, () => Optimizer][] = [
  ['sgd', () => sgd({ lr: 0.1 })],
  ['sgd with momentum', () => sgd({ lr: 0.1, momentum: 0.9, dampening: 0.3, weightDecay: 0.1 })],
  ['adam', () => adam({ lr: linearWarmup(0.1, { steps: 5 }), weightDecay: 0.1, amsgrad: true })],
  ['adamW', () => adamW({ lr: 0.1, clip: { norm: 1, value: 0.9 } })],
  ['lion', () => lion({ lr: 0.1, weightDecay: 0.1 })],
  [
    'muon and adamW',
    () => partition([{ match: /weight$/, optimizer: muon({ lr: 0.1 }) }], adamW({ lr: 0.1 })),
  ],
];

describe.each(makers)('%s', (_, make) => {
  it('leaves nothing behind', async () => {
    await expectNoLeak(async () => {
      const parameters = start();
      const optimizer = make();
      for (let i = 0; i < 3; i++) stepWith(optimizer, parameters, gradientsAt(i, shapes));
      optimizer.loadStateDict(await optimizer.stateDict());
      stepWith(optimizer, parameters, gradientsAt(3, shapes));
      optimizer.dispose();
      tf.dispose(parameters);
    });
  });

  it('keeps the number of tensors flat', () => {
    const parameters = start();
    const optimizer = make();
    stepWith(optimizer, parameters, gradientsAt(0, shapes));
    const { numTensors, numDataBuffers } = tf.memory();
    for (let i = 1; i < 10; i++) stepWith(optimizer, parameters, gradientsAt(i, shapes));
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('hands over at a replay what the next step would use, and counts it', () => {
    const [parameters, others] = [start(), start()];
    const [optimizer, reference] = [make(), make()];
    const step = (o: Optimizer, i: number) =>
      recordInputs(() => stepWith(o, o === optimizer ? parameters : others, gradientsAt(i, shapes)));
    step(optimizer, 0);
    const recorded = step(optimizer, 1);
    for (let i = 0; i < 2; i++) step(reference, i);
    // A compiler's replay: none of the optimizer's JavaScript runs but the recorded makes.
    for (let i = 2; i < 8; i++) {
      expect(recorded.map((input) => [...input.make()])).toEqual(
        step(reference, i).map(({ values }) => values),
      );
      expect([optimizer.count, optimizer.learningRate()]).toEqual([i + 1, reference.learningRate()]);
    }
    optimizer.dispose();
    reference.dispose();
    tf.dispose([parameters, others]);
  });
});

// Without the options that keep an optimizer from the minimum.
describe.each<[string, () => Optimizer]>([
  ['sgd', () => sgd({ lr: 0.1 })],
  ['sgd with momentum', () => sgd({ lr: 0.02, momentum: 0.9 })],
  ['adam', () => adam({ lr: 0.05, amsgrad: true })],
  ['adamW', () => adamW({ lr: 0.05, weightDecay: 0 })],
  ['lion', () => lion({ lr: 0.02 })],
])('%s', (_, make) => {
  it('finds the minimum of a quadratic from anywhere', () => {
    const optimum = [0.3, -0.2];
    fc.assert(
      fc.property(
        fc.tuple(fc.float({ min: -1, max: 1, noNaN: true }), fc.float({ min: -1, max: 1, noNaN: true })),
        (from) => {
          const parameters = parametersOf({ w: [2] }, { w: [...from] });
          const optimizer = make();
          for (let i = 0; i < 150; i++) {
            tf.tidy(() => {
              const loss = () =>
                tf.sum(tf.mul([1, 3], tf.square(tf.sub(parameters.w!, optimum)))) as tf.Scalar;
              optimizer.step(parameters, valueAndGrad(loss, parameters).grads);
            });
          }
          const found = valuesOf(parameters).w!;
          optimizer.dispose();
          tf.dispose(parameters);
          for (const [i, w] of found.entries()) expect(Math.abs(w - optimum[i]!)).toBeLessThan(0.05);
        },
      ),
      { numRuns: 5, seed: 4 },
    );
  });
});

it('descends the Rosenbrock valley', () => {
  const parameters = parametersOf({ x: [], y: [] }, { x: [-1.2], y: [1] });
  const { x, y } = parameters;
  const optimizer = adam({ lr: 0.1, beta2: 0.99 });
  let last = Number.NaN;
  for (let i = 0; i < 400; i++) {
    tf.tidy(() => {
      const { value, grads } = valueAndGrad(() => {
        const valley = tf.square(tf.sub(y!, tf.square(x!)));
        return tf.add(tf.square(tf.sub(1, x!)), tf.mul(100, valley)) as tf.Scalar;
      }, parameters);
      optimizer.step(parameters, grads);
      last = value.dataSync()[0]!;
    });
  }
  expect(last).toBeLessThan(1e-2);
  optimizer.dispose();
  tf.dispose(parameters);
});

describe('which parameters are updated', () => {
  it('passes over frozen ones and those without a gradient, and keeps their state', async () => {
    const parameters = start();
    const optimizer = adam();
    stepWith(optimizer, parameters, gradientsAt(0, shapes));
    const before = { values: valuesOf(parameters), state: await optimizer.stateDict() };
    parameters['a.bias']!.trainable = false;
    stepWith(optimizer, parameters, gradientsAt(1, shapes));
    parameters['a.bias']!.trainable = true;
    stepWith(optimizer, parameters, { 'a.weight': gradientsAt(2, shapes)['a.weight']! });
    expect(valuesOf(parameters)['a.bias']).toEqual(before.values['a.bias']);
    expect(valuesOf(parameters)['a.weight']).not.toEqual(before.values['a.weight']);
    const after = await optimizer.stateDict();
    expect(after['exp_avg.a.bias']).toEqual(before.state['exp_avg.a.bias']);
    expect(plain(after)['missed.a.bias']).toBe('I64 [] 2,0,0,0,0,0,0,0');
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('does nothing where all are frozen', () => {
    const parameters = start();
    for (const p of Object.values(parameters)) p.trainable = false;
    const optimizer = sgd({ lr: 1 });
    stepWith(optimizer, parameters, gradientsAt(0, shapes));
    expect([optimizer.count, valuesOf(parameters)['a.bias']!.length]).toEqual([0, 3]);
    expect(parameters['a.bias']!).toBeAllClose(initial['a.bias']);
    tf.dispose(parameters);
  });

  it('does not dispose gradients', () => {
    const parameters = parametersOf({ w: [1] }, { w: [1] });
    const grads = { w: tf.tensor1d([1]) };
    sgd().step(parameters, grads);
    expect(grads.w.isDisposed).toBe(false);
    tf.dispose([parameters, grads]);
  });

  it('refuses gradients of unknown names, other shapes, or none, before anything changes', () => {
    const parameters = start();
    const optimizer = sgd({ lr: 1, momentum: 0.9 });
    const weight = tf.ones([2, 3]);
    expect(() => optimizer.step(parameters, { 'a.weight': weight, b: weight })).toThrow(
      'sgd.step(grads): expected names of parameters, got "b"',
    );
    expect(() => optimizer.step(parameters, { 'a.weight': weight, 'a.bias': weight })).toThrow(
      'sgd.step(grads["a.bias"]): expected [3], got [2, 3]',
    );
    expect(() => optimizer.step(parameters, { toString: weight })).toThrow(ArgumentError);
    expect(() => optimizer.step(parameters, {})).toThrow('at least one gradient');
    expect(optimizer.count).toBe(0);
    expect(valuesOf(parameters)['a.weight']).toEqual(initial['a.weight']);
    tf.dispose([parameters, weight]);
  });
});

describe('groups', () => {
  it('gives the first matching group’s options, and a flag g in its RegExp changes nothing', () => {
    const parameters = parametersOf(
      { w1: [1], w2: [1], b1: [1], b2: [1] },
      { w1: [0], w2: [0], b1: [0], b2: [0] },
    );
    const optimizer = sgd({
      lr: 1,
      groups: [
        { match: (name) => name === 'b2', lr: () => 7 },
        { match: /b/g, lr: 3 },
      ],
    });
    stepWith(optimizer, parameters, { w1: [-1], w2: [-1], b1: [-1], b2: [-1] });
    expect(valuesOf(parameters)).toEqual({ w1: [1], w2: [1], b1: [3], b2: [7] });
    expect(optimizer.learningRate()).toBe(1);
    tf.dispose(parameters);
  });

  it('takes an option that is present but undefined for absent', () => {
    const parameters = parametersOf({ w: [1] }, { w: [1] });
    const optimizer = sgd({ lr: undefined, momentum: undefined });
    expect(optimizer.learningRate()).toBe(1e-3);
    tf.dispose(parameters);
  });

  it('refuses options out of range', () => {
    expect(() => adam({ beta1: 1 })).toThrow('adam(options.beta1): expected a number in [0, 1), got 1');
    expect(() => adamW({ groups: [{ match: /x/, eps: -1 }] })).toThrow('adamW(options.eps)');
    expect(() => sgd({ nesterov: true })).toThrow('sgd(options.nesterov)');
    expect(() => lion({ lr: -1 })).toThrow('lion(options.lr): expected a number ≥ 0 or a schedule, got -1');
    expect(() => sgd({ groups: [{ match: 'bias' as never }] })).toThrow('match');
  });

  it('refuses a schedule that gives no rate', () => {
    const parameters = parametersOf({ w: [1] }, { w: [1] });
    const optimizer = sgd({ lr: (count) => (count < 1 ? 0.1 : Number.NaN) });
    stepWith(optimizer, parameters, { w: [1] });
    expect(() => stepWith(optimizer, parameters, { w: [1] })).toThrow(
      'sgd(lr(1)): expected a number ≥ 0, got NaN',
    );
    tf.dispose(parameters);
  });
});

describe('state', () => {
  async function trained(steps = 3) {
    const parameters = start();
    const optimizer = adam();
    for (let i = 0; i < steps; i++) stepWith(optimizer, parameters, gradientsAt(i, shapes));
    const state = await optimizer.stateDict();
    return { parameters, optimizer, state };
  }

  it('has PyTorch’s names, the parameters’ layouts on disk, and an I64 count', async () => {
    const parameters = { w: parameter(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]), { permute: [1, 0] }) };
    const optimizer = adam({ amsgrad: true });
    stepWith(optimizer, parameters, { w: [1, 2, 3, 4, 5, 6] });
    const state = await optimizer.stateDict();
    expect(Object.keys(state).sort()).toEqual(['count', 'exp_avg.w', 'exp_avg_sq.w', 'max_exp_avg_sq.w']);
    expect(state['exp_avg.w']!.shape).toEqual([3, 2]);
    const first = new Float32Array(state['exp_avg.w']!.bytes.slice().buffer);
    expect(first).toBeAllClose([0.1, 0.4, 0.2, 0.5, 0.3, 0.6]);
    expect(plain({ c: state.count! })).toEqual({ c: 'I64 [] 1,0,0,0,0,0,0,0' });

    // And back, before a first step: the layout is known only at the step.
    const copy = { w: parameter(tf.tensor2d([...parameters.w.dataSync()], [2, 3]), { permute: [1, 0] }) };
    const other = adam({ amsgrad: true });
    other.loadStateDict(state);
    expect(plain(await other.stateDict())).toEqual(plain(state));
    for (const [o, p] of [
      [optimizer, parameters],
      [other, copy],
    ] as const)
      stepWith(o, p, { w: [6, 5, 4, 3, 2, 1] });
    expect(valuesOf(copy)).toEqual(valuesOf(parameters));
    optimizer.dispose();
    other.dispose();
    tf.dispose([parameters, copy]);
  });

  it('is a snapshot of its moment, though training goes on meanwhile', async () => {
    const { parameters, optimizer, state } = await trained();
    const before = plain(state);
    const later = optimizer.stateDict();
    stepWith(optimizer, parameters, gradientsAt(9, shapes));
    expect(plain(await later)).toEqual(before);
    expect(plain(state)).toEqual(before);
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('goes back to an earlier moment, also to before a parameter had any state', async () => {
    const parameters = start();
    const optimizer = adam();
    stepWith(optimizer, parameters, { 'a.weight': gradientsAt(0, shapes)['a.weight']! });
    const early = await optimizer.stateDict();
    const values = valuesOf(parameters);
    const go = () => {
      stepWith(optimizer, parameters, gradientsAt(1, shapes));
      return optimizer.stateDict();
    };
    const once = plain(await go());
    optimizer.loadStateDict(early);
    for (const [name, p] of Object.entries(parameters))
      tf.tidy(() => p.assign(tf.tensor(values[name]!, p.shape)));
    expect(plain(await optimizer.stateDict())).toEqual(plain(early));
    expect(plain(await go())).toEqual(once);
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('keeps the state of a parameter that is frozen after the resume', async () => {
    const { parameters, optimizer, state } = await trained();
    const other = adam();
    other.loadStateDict(state);
    parameters['a.bias']!.trainable = false;
    stepWith(other, parameters, gradientsAt(5, shapes));
    const saved = await other.stateDict();
    expect(saved['exp_avg.a.bias']).toEqual(state['exp_avg.a.bias']);
    expect(plain(saved)['missed.a.bias']).toBe('I64 [] 1,0,0,0,0,0,0,0');
    parameters['a.bias']!.trainable = true;
    stepWith(other, parameters, gradientsAt(6, shapes));
    optimizer.dispose();
    other.dispose();
    tf.dispose(parameters);
  });

  it('refuses what does not fit, and changes nothing then', async () => {
    const { parameters, optimizer, state } = await trained();
    const wrong = (change: object) => ({ ...state, ...change });
    const { count: _, ...withoutCount } = state;
    const { 'exp_avg_sq.a.bias': __, ...withoutOne } = state;
    const cases: [Record<string, never>, string][] = [
      [wrong({ 'exp_avgg.a.bias': state.count }) as never, '1 extra key (exp_avgg.a.bias)'],
      [withoutCount as never, '1 missing key (count)'],
      [withoutOne as never, '1 missing key (exp_avg_sq.a.bias)'],
      [wrong({ count: hostTensor([1, 2], [2]) }) as never, 'count: expected [], got [2]'],
      [wrong({ count: hostTensor([-1], [], 'I64') }) as never, 'a count'],
      [wrong({ count: hostTensor([1.5], []) }) as never, 'count'],
      [
        wrong({ 'exp_avg.a.bias': hostTensor([1, 2], [2]) }) as never,
        'exp_avg.a.bias: expected [3], got [2]',
      ],
      [
        {
          count: state.count,
          'exp_avg.x': hostTensor([1], [1]),
          'exp_avg_sq.x': hostTensor([1], [1]),
        } as never,
        'extra',
      ],
    ];
    for (const [bad, message] of cases) {
      expect(() => optimizer.loadStateDict(bad)).toThrow(StateDictError);
      expect(() => optimizer.loadStateDict(bad)).toThrow(message);
      expect(plain(await optimizer.stateDict())).toEqual(plain(state));
    }
    optimizer.loadStateDict(withoutCount, { strict: false });
    expect(optimizer.count).toBe(3);
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('refuses, at the first step, a loaded state of wrong shapes or of another model', async () => {
    const { parameters, optimizer, state } = await trained();
    await expectNoLeak(() => {
      const shaped = adam();
      shaped.loadStateDict({ ...state, 'exp_avg.a.bias': hostTensor([1, 2], [2]) });
      expect(() => stepWith(shaped, parameters, gradientsAt(0, shapes))).toThrow(
        'exp_avg.a.bias: expected [3], got [2]',
      );
      const foreign = adam();
      const key = (k: string) => k.replace('.a.', '.module.a.');
      foreign.loadStateDict(Object.fromEntries(Object.entries(state).map(([k, v]) => [key(k), v])));
      expect(() => stepWith(foreign, parameters, gradientsAt(0, shapes))).toThrow(StateDictError);
      expect(foreign.count).toBe(3);
    });
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it('refuses a parameter that changed its shape', () => {
    const parameters = parametersOf({ w: [2] }, { w: [1, 2] });
    const other = parametersOf({ w: [3] }, { w: [1, 2, 3] });
    const optimizer = adam();
    stepWith(optimizer, parameters, { w: [1, 1] });
    expect(() => stepWith(optimizer, other, { w: [1, 1, 1] })).toThrow(
      'adam.step(w): expected [2], as in the updates before, got [3]',
    );
    optimizer.dispose();
    tf.dispose([parameters, other]);
  });
});
