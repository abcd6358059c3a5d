import { checkGradients, expectNoLeak, type Fixture, hashed, loadFixture, tensorOf } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import { GRU, LSTM } from '../../src/nn';
import { gru, lstm } from '../../src/ops';
import { randomKey } from '../../src/random';
import { hashedOnDisk } from './hashed';

const fixture = loadFixture(import.meta.url, '../../fixtures/rnn.json');
const key = randomKey(4);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe.each(['LSTM', 'GRU'] as const)('%s as PyTorch', (type) => {
  test.each<Fixture>(fixture[type])('$name', (c) => {
    const Type = { LSTM, GRU }[type];
    const model = new Type(c.inputSize, c.hiddenSize, { ...c.options, key });
    expect(Object.keys(model.namedParameters())).toEqual(c.order);
    const names = Object.keys(c.shapes);
    model.loadStateDict(
      Object.fromEntries(names.map((name, i) => [name, hashedOnDisk(c.shapes[name], 10 + i)])),
    );

    const shape = c.h.shape;
    const run = (
      x: tf.Tensor,
      h?: tf.Tensor,
      cell?: tf.Tensor,
    ): { output: tf.Tensor; h: tf.Tensor; c?: tf.Tensor } => {
      if (model instanceof GRU) return model.forward(x, { initial: h && { h } });
      return model.forward(x, { initial: h && cell && { h, c: cell } });
    };
    const inputs = [hashed(c.x, 1)];
    if (c.initial) inputs.push(hashed(shape, 2));
    if (c.initial && c.c) inputs.push(hashed(shape, 3));

    const result = run(inputs[0]!, inputs[1], inputs[2]);
    expect(result.output).toBeAllClose(tensorOf(c.output), 1e-5);
    expect(result.h).toBeAllClose(tensorOf(c.h), 1e-5);
    if (c.c) expect(result.c!).toBeAllClose(tensorOf(c.c), 1e-5);

    const loss = (...xs: tf.Tensor[]): tf.Scalar => {
      const y = run(xs[0]!, xs[1], xs[2]);
      const parts = [y.output, y.h, ...(y.c ? [y.c] : [])];
      return tf.addN(parts.map((part, i) => tf.sum(tf.mul(part, hashed(part.shape, 4 + i))))) as tf.Scalar;
    };
    const [dx, dh, dc] = tf.grads(loss)(inputs);
    expect(dx).toBeAllClose(tensorOf(c.dx), 1e-4);
    if (c.dh) expect(dh).toBeAllClose(tensorOf(c.dh), 1e-4);
    if (c.dc) expect(dc).toBeAllClose(tensorOf(c.dc), 1e-4);
    const parameters = model.namedParameters();
    const { grads } = tf.variableGrads(() => loss(...inputs), Object.values(parameters));
    for (const [name, p] of Object.entries(parameters)) {
      expect(grads[p.name], name).toBeAllClose(tensorOf(c.grads[name]), 1e-4);
    }
    model.dispose();
  });
});

describe('recurrent layers', () => {
  test('start uniform in ±1/√hidden', () => {
    const model = new LSTM(5, 100, { key });
    for (const p of Object.values(model.namedParameters())) {
      const w = p.dataSync();
      expect(Math.max(...w)).toBeLessThanOrEqual(0.1);
      expect(Math.max(...w)).toBeGreaterThan(0.09);
      expect(Math.min(...w)).toBeLessThan(-0.09);
    }
    expect(model.weight_ih_l0!.shape).toEqual([400, 5]);
    model.dispose();
  });

  test('drop out between layers in training, by the key', () => {
    const model = new GRU(3, 4, { layers: 2, dropout: 0.5, key });
    const x = hashed([2, 3, 3], 1);
    const run = (seed: number) => model.forward(x, { key: randomKey(seed) }).output;
    expect(run(1)).toBeAllClose(run(1), 0);
    expect(() => expect(run(1)).toBeAllClose(run(2), 1e-3)).toThrow('max relative error');
    expect(() => model.forward(x)).toThrow('GRU.forward(context.key)');
    model.eval();
    expect(model.forward(x).output).toBeAllClose(run(1), 0);
    model.dispose();
  });

  test('reverse: a sequence read backwards', () => {
    const weights = { weightIh: hashed([8, 3], 1), weightHh: hashed([8, 2], 2) };
    const x = hashed([2, 4, 3], 3);
    const backwards = lstm(tf.reverse(x, 1), weights);
    const reversed = lstm(x, weights, { reverse: true });
    expect(reversed.output).toBeAllClose(tf.reverse(backwards.output, 1), 1e-6);
    expect(reversed.c).toBeAllClose(backwards.c, 1e-6);
  });

  test('continue where the last state left off', () => {
    const model = new LSTM(3, 4, { layers: 2, key });
    const x = hashed([2, 5, 3], 1);
    const whole = model.forward(x);
    const first = model.forward(tf.slice(x, [0, 0, 0], [2, 2, 3]));
    const second = model.forward(tf.slice(x, [0, 2, 0], [2, 3, 3]), { initial: first });
    expect(tf.concat([first.output, second.output], 1)).toBeAllClose(whole.output, 1e-6);
    expect(second.c).toBeAllClose(whole.c, 1e-6);
    model.dispose();
  });

  test('are differentiable twice', () => {
    const weights = { weightIh: hashed([4, 2], 1), weightHh: hashed([4, 1], 2) };
    const gates3 = { weightIh: hashed([3, 2], 1), weightHh: hashed([3, 1], 2) };
    const runs = [(x: tf.Tensor) => lstm(x, weights).output, (x: tf.Tensor) => gru(x, gates3).output];
    for (const run of runs) {
      const penalty = (x: tf.Tensor) =>
        tf.sum(tf.square(tf.grad((input: tf.Tensor) => tf.sum(tf.square(run(input))))(x)));
      checkGradients((x) => penalty(x!), [hashed([1, 2, 2], 3)], { tolerance: 3e-2 });
    }
  });

  test('refuse wrong input', () => {
    const model = new LSTM(3, 4, { key });
    expect(() => model.forward(tf.zeros([2, 3, 4]))).toThrow(
      'LSTM.forward(x): expected [batch, seq, 3], got [2, 3, 4]',
    );
    expect(() => model.forward(tf.zeros([2, 0, 3]))).toThrow(ArgumentError);
    const initial = { h: tf.zeros([2, 4]), c: tf.zeros([2, 4]) };
    expect(() => model.forward(tf.zeros([2, 3, 3]), { initial })).toThrow(
      'LSTM.forward(initial.h): expected [1, 2, 4], got [2, 4]',
    );
    expect(() => new GRU(3, 4, { layers: 0, key })).toThrow('GRU(options.layers)');
    expect(() => new GRU(3, 4, { dropout: 1, key })).toThrow('GRU(options.dropout)');
    const x = tf.zeros([2, 3, 3]);
    expect(() => lstm(x, { weightIh: tf.zeros([12, 3]), weightHh: tf.zeros([16, 4]) })).toThrow(
      'lstm(weightIh): expected [16, in]',
    );
    expect(() => gru(x, { weightIh: tf.zeros([12, 3]), weightHh: tf.zeros([16, 4]) })).toThrow(
      'gru(weightHh)',
    );
    model.dispose();
  });

  test('leave nothing behind', async () => {
    const model = new LSTM(3, 4, { layers: 2, bidirectional: true, dropout: 0.1, key });
    const x = hashed([2, 3, 3], 1);
    await expectNoLeak(() => tf.dispose(Object.values(model.forward(x, { key }))));
    await expectNoLeak(() => new GRU(3, 4, { key }).dispose());
    model.dispose();
  });
});
