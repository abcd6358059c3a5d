import { ArgumentError, valueAndGrad } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { parametersOf } from './helpers';

const parameters = parametersOf(
  { a: [2], b: [2], unused: [3] },
  { a: [1, 2], b: [3, -4], unused: [0, 0, 0] },
);
const { a, b } = parametersOf({ a: [2], b: [2] }, { a: [1, 2], b: [3, -4] }) as never as typeof parameters;
const product = () => tf.sum(tf.mul(parameters.a!, tf.square(parameters.b!))) as tf.Scalar;

afterAll(() => {
  tf.dispose([...Object.values(parameters), a!, b!]);
});

describe('valueAndGrad', () => {
  it('gives value and gradients by name, and no entry for what the loss does not reach', () => {
    const { value, grads } = valueAndGrad(product, parameters);
    expect(value.dataSync()[0]).toBe(1 * 9 + 2 * 16);
    expect(Object.keys(grads)).toEqual(['a', 'b']);
    expect([...grads.a!.dataSync()]).toEqual([9, 16]);
    expect([...grads.b!.dataSync()]).toEqual([6, -16]);
    tf.dispose([value, grads]);
  });

  it('treats frozen parameters as constants', () => {
    parameters.a!.trainable = false;
    const { value, grads } = valueAndGrad(product, parameters);
    parameters.a!.trainable = true;
    expect(Object.keys(grads)).toEqual(['b']);
    tf.dispose([value, grads]);
  });

  it('keeps what the loss returns beside it', () => {
    const { value, grads } = valueAndGrad(() => {
      const squares = tf.square(parameters.b!);
      const loss = tf.sum(tf.mul(parameters.a!, squares)) as tf.Scalar;
      return { loss, squares, same: loss, weight: parameters.a! as tf.Tensor };
    }, parameters);
    expect(Object.keys(value).sort()).toEqual(['loss', 'same', 'squares', 'weight']);
    expect([...value.squares.dataSync()]).toEqual([9, 16]);
    tf.dispose(value.loss);
    expect(value.same.dataSync()[0]).toBe(41);
    tf.dispose([value, grads]);
    // What it returned of others is a reference, not the thing.
    expect([...parameters.a!.dataSync()]).toEqual([1, 2]);
  });

  it('returns a copy where the loss is somebody else’s tensor', () => {
    const scalar = parametersOf({ s: [] }, { s: [5] });
    const { value, grads } = valueAndGrad(() => scalar.s as never as tf.Scalar, scalar);
    expect(grads.s!.dataSync()[0]).toBe(1);
    tf.dispose([value, grads]);
    expect(scalar.s!.dataSync()[0]).toBe(5);
    scalar.s!.dispose();
  });

  it('nests: the gradient of a gradient penalty', () => {
    // penalty = |∂(Σ a b²)/∂b|² = Σ (2ab)², its gradient by a: 8ab², by b: 8a²b.
    const { value, grads } = valueAndGrad(
      () => {
        const inner = tf.grad((x) => tf.sum(tf.mul(parameters.a!, tf.square(x))));
        return tf.sum(tf.square(inner(parameters.b!))) as tf.Scalar;
      },
      { a: parameters.a!, b: parameters.b! },
    );
    expect([...grads.a!.dataSync()]).toEqual([72, 256]);
    expect([...grads.b!.dataSync()]).toEqual([24, -128]);
    tf.dispose([value, grads]);

    const outer = valueAndGrad(() => {
      const own = valueAndGrad(product, { b: parameters.b! });
      return tf.sum(tf.square(own.grads.b!)) as tf.Scalar;
    }, parameters);
    expect([...outer.grads.a!.dataSync()]).toEqual([72, 256]);
    tf.dispose([outer.value, outer.grads]);
  });

  it('lets NaN through', () => {
    const { value, grads } = valueAndGrad(
      () => tf.sum(tf.mul(parameters.a!, Number.NaN)) as tf.Scalar,
      parameters,
    );
    expect([value.dataSync()[0], ...grads.a!.dataSync()]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    tf.dispose([value, grads]);
  });

  it('gives no gradients where nothing is reached', () => {
    const { value, grads } = valueAndGrad(() => tf.scalar(3), parameters);
    expect([value.dataSync()[0], grads]).toEqual([3, {}]);
    value.dispose();
  });

  it('refuses parameters of which none is trainable', () => {
    expect(() => valueAndGrad(product, {})).toThrow(
      'valueAndGrad(parameters): expected at least one trainable parameter, got []',
    );
  });

  it('refuses a loss that is no float32 scalar, and an extra that is no tensor', () => {
    expect(() => valueAndGrad(() => tf.square(parameters.a!) as never, parameters)).toThrow(
      'valueAndGrad(loss()): expected a float32 scalar, got [2]',
    );
    expect(() => valueAndGrad(() => tf.scalar(1, 'int32'), parameters)).toThrow(ArgumentError);
    expect(() => valueAndGrad(() => undefined as never, parameters)).toThrow(ArgumentError);
    expect(() => valueAndGrad(() => Promise.resolve(1) as never, parameters)).toThrow(ArgumentError);
    expect(() => valueAndGrad(() => ({}) as never, parameters)).toThrow(ArgumentError);
    expect(() => valueAndGrad(() => ({ loss: product(), n: 3 as never }), parameters)).toThrow('loss().n');
  });

  it('leaves nothing behind but its results', async () => {
    await expectNoLeak(() => {
      const { value, grads } = valueAndGrad(
        () => ({ loss: product(), extra: tf.square(parameters.b!) }),
        parameters,
      );
      tf.dispose([value, grads]);
    });
  });

  it('belongs to a tidy around it', async () => {
    await expectNoLeak(() => {
      tf.tidy(() => {
        valueAndGrad(() => ({ loss: product(), extra: tf.square(parameters.b!) }), parameters);
      });
    });
  });

  it('leaves nothing behind where the loss throws, in either pass, and works afterwards', async () => {
    const failing = tf.customGrad((x) => ({
      value: tf.clone(x as tf.Tensor),
      gradFunc: () => {
        throw new Error('backward');
      },
    }));
    const attempts: [() => tf.Scalar, string][] = [
      [
        () => {
          tf.exp(tf.mul(parameters.a!, tf.exp(parameters.b!))); // saves its output for the backward pass
          throw new Error('forward');
        },
        'forward',
      ],
      [() => tf.sum(tf.exp(failing(tf.exp(parameters.a!)))) as tf.Scalar, 'backward'],
      [() => tf.exp(parameters.a!) as never, 'scalar'],
    ];
    for (const [loss, message] of attempts) {
      await expectNoLeak(() => {
        expect(() =>
          valueAndGrad(() => ({ loss: loss(), extra: tf.exp(parameters.a!) }), parameters),
        ).toThrow(message);
      });
    }
    const { value, grads } = valueAndGrad(product, parameters);
    expect(value.dataSync()[0]).toBe(41);
    tf.dispose([value, grads]);
  });
});
