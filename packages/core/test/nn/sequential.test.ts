import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import { Conv2d, Flatten, type ForwardContext, Layer, Linear, MaxPool2d, Sequential } from '../../src/nn';
import { type Key, randomKey } from '../../src/random';

const key = randomKey(6);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

class Spy extends Layer {
  seen: Key | undefined;
  override forward(x: tf.Tensor, context?: ForwardContext): tf.Tensor {
    this.seen = context?.key;
    return tf.clone(x);
  }
}

const small = () =>
  new Sequential([
    new Conv2d(1, 2, { kernelSize: 3, key: key.fold(1) }),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(8, 3, { key: key.fold(2) }),
  ]);

describe('Sequential', () => {
  test('names its layers by their numbers', () => {
    class Net extends Layer {
      readonly model = small();
      override forward(x: tf.Tensor): tf.Tensor {
        return this.model.forward(x);
      }
    }
    const net = new Net();
    const names = ['model.0.weight', 'model.0.bias', 'model.3.weight', 'model.3.bias'];
    expect(Object.keys(net.namedParameters())).toEqual(names);
    net.dispose();
  });

  test('chains', () => {
    const model = small();
    const x = hashed([2, 6, 6, 1], 1);
    const expected = [...model].reduce((y, layer) => layer.forward(y), x);
    expect(model.forward(x)).toBeAllClose(expected, 0);
    expect(model.length).toBe(4);
    expect(model.at(-1)).toBeInstanceOf(Linear);
    expect(model.at(4)).toBeUndefined();
    model.dispose();
  });

  test('gives every layer a key of its own', () => {
    const inner = new Spy();
    const spies = [new Spy(), new Spy(), inner];
    const model = new Sequential([spies[0]!, spies[1]!, new Sequential([inner])]);
    model.forward(tf.ones([1]), { key });
    const words = spies.map((spy) => String(spy.seen!.words()));
    expect(new Set([...words, String(key.words())]).size).toBe(4);
    model.forward(tf.ones([1]));
    expect(spies.map((spy) => spy.seen)).toEqual([undefined, undefined, undefined]);
  });

  test('of no layers gives a copy that the caller owns', () => {
    const x = tf.ones([2]);
    const y = new Sequential([]).forward(x);
    y.dispose();
    expect(x.isDisposed).toBe(false);
  });

  test('keeps its layers though the array that made it changes', () => {
    const layers = [new Spy()];
    const model = new Sequential(layers);
    layers.push(new Spy());
    expect(model.length).toBe(1);
  });

  test('refuses what is no layer', () => {
    expect(() => new Sequential([tf.relu as unknown as Layer])).toThrow(ArgumentError);
    expect(() => new Sequential(new Spy() as unknown as Layer[])).toThrow(
      'Sequential(layers): expected an array of layers, got a Spy',
    );
  });

  test('leaves nothing behind', async () => {
    const model = small();
    const x = hashed([2, 6, 6, 1], 1);
    await expectNoLeak(() => model.forward(x).dispose());
    await expectNoLeak(() => small().dispose());
    model.dispose();
  });
});
