import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Conv2d,
  Embedding,
  Flatten,
  Linear,
  LSTM,
  MaxPool2d,
  Module,
  Sequential,
  spectralNorm,
  summary,
} from '../../src/nn';
import { randomKey } from '../../src/random';

const key = randomKey(7);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const small = () =>
  new Sequential([
    spectralNorm(new Conv2d(1, 8, { kernelSize: 3, key }), { key }),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(32, 300, { key }),
  ]);

describe('summary', () => {
  test('is a table of layers, shapes and counts', () => {
    const model = small();
    model.at(3)!.freeze();
    const s = summary(model, [2, 6, 6, 1]);
    expect(s.text).toBe(
      [
        'Layer  Type        Output shape  Parameters',
        '─'.repeat(57),
        '(all)  Sequential  [2, 300]',
        '0      Conv2d      [2, 4, 4, 8]          80',
        '1      MaxPool2d   [2, 2, 2, 8]',
        '2      Flatten     [2, 32]',
        '3      Linear      [2, 300]           9,900  9,900 frozen',
        '─'.repeat(57),
        '9,980 parameters, 80 trainable, 17 in buffers',
      ].join('\n'),
    );
    expect(String(s)).toBe(s.text);
    expect(s.rows[4]).toEqual({
      path: '3',
      type: 'Linear',
      outputShapes: [[2, 300]],
      parameters: 9900,
      trainable: 0,
    });
    expect([s.parameters, s.trainable, s.buffers]).toEqual([9980, 80, 17]);
    expect(s.parameters).toBe(model.parameterCount());
    model.dispose();
  });

  test('changes nothing', async () => {
    const model = small();
    model.at(1)!.training = false;
    const before = await model.stateDict();
    const forwards = [...model].map((layer) => layer.forward);
    summary(model, [1, 6, 6, 1]);
    expect(await model.stateDict()).toEqual(before);
    expect([model.training, ...[...model].map((layer) => layer.training)]).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
    expect([...model].map((layer) => layer.forward)).toEqual(forwards);
    expect(Object.hasOwn(model.at(3)!, 'forward')).toBe(false);
    expect(() => summary(model, [1, 6, 6, 2])).toThrow('Conv2d.forward(x)');
    expect(Object.hasOwn(model.at(3)!, 'forward')).toBe(false);
    expect(model.training).toBe(true);
    model.dispose();
  });

  test('takes several inputs, tensors, ids, and modules with several results', () => {
    class Reader extends Module {
      readonly embed = new Embedding(10, 4, { key });
      readonly lstm = new LSTM(4, 3, { key });
      readonly unused = new Linear(2, 2, { key });
      forward(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
        return tf.tidy(() => this.lstm.forward(tf.add(this.embed.forward(a), this.embed.forward(b))).output);
      }
    }
    const model = new Reader();
    const b = tf.tensor2d([[1, 2, 3, 4, 5]], [1, 5], 'int32');
    const { rows } = summary(model, [[1, 5], b], { dtype: 'int32' });
    expect(rows.map((row) => [row.path, row.outputShapes])).toEqual([
      ['', [[1, 5, 3]]],
      ['embed', [[1, 5, 4]]],
      ['lstm', [[1, 5, 3], [1, 1, 3], [1, 1, 3]]],
      ['unused', []],
    ]); // biome-ignore format: one table
    expect(b.isDisposed).toBe(false);
    model.dispose();
  });

  test('counts shared parameters once', () => {
    const layer = new Linear(3, 3, { key });
    const model = new Sequential([layer, layer]);
    const s = summary(model, [1, 3]);
    expect(s.parameters).toBe(12);
    expect(s.rows).toHaveLength(2);
    model.dispose();
  });

  test('refuses a module without forward, and leaves nothing behind', async () => {
    class Bare extends Module {}
    expect(() => summary(new Bare(), [1])).toThrow(
      'summary(module): expected a module with forward, got a Bare',
    );
    const model = small();
    await expectNoLeak(() => void summary(model, [1, 6, 6, 1]));
    model.dispose();
  });
});
