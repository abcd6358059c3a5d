import { ArgumentError, ema, hostTensor, StateDictError } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { buffer, parameter } from '../../src/nn/leaf';
import { Module } from '../../src/nn/module';
import { plain, recordInputs } from './helpers';

class Norm extends Module {
  weight = parameter(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]), { permute: [1, 0] });
  running_mean = buffer(tf.tensor1d([0, 0]));
  num_batches_tracked = buffer(tf.scalar(0, 'int32'), { dtype: 'I64' });
}

class Net extends Module {
  norm = new Norm();
  bias = parameter(tf.tensor1d([10]));
}

/** What training does to the net at step `t`. */
function train(net: Net, t: number): void {
  tf.tidy(() => {
    net.bias.assign(tf.tensor1d([10 + t]));
    net.norm.weight.assign(tf.add(net.norm.weight, 1));
    net.norm.running_mean.assign(tf.tensor1d([t, -t]));
    net.norm.num_batches_tracked.assign(tf.scalar(t, 'int32'));
  });
}

const read = (net: Net) =>
  [net.bias, net.norm.weight, net.norm.running_mean, net.norm.num_batches_tracked].map((x) => [
    ...x.dataSync(),
  ]);

describe('ema', () => {
  it('averages parameters and copies buffers', () => {
    const net = new Net();
    const average = ema(net, { decay: 0.75 });
    const copy = new Net();
    let expected = 10;
    for (let t = 1; t <= 3; t++) {
      train(net, t);
      average.update();
      expected += 0.25 * (10 + t - expected);
    }
    average.copyTo(copy);
    expect(copy.bias).toBeAllClose([expected], 1e-6);
    expect(read(copy)[2]).toEqual([3, -3]);
    expect(read(copy)[3]).toEqual([3]);
    expect(copy.norm.num_batches_tracked.dtype).toBe('int32');
    expect(read(net)[0]).toEqual([13]);
    // A copy: later updates leave it alone.
    const before = read(copy);
    train(net, 9);
    average.update();
    expect(read(copy)).toEqual(before);
    expect(average.count).toBe(4);
    for (const m of [net, copy]) m.dispose();
    average.dispose();
  });

  it('warms up: the share of the weights falls from 0.9', () => {
    const net = new Net();
    const average = ema(net, { decay: 0.5, warmup: true });
    const copy = new Net();
    let expected = 10;
    for (let t = 0; t < 12; t++) {
      train(net, t + 1);
      average.update();
      expected += (1 - Math.min(0.5, (1 + t) / (10 + t))) * (11 + t - expected);
    }
    average.copyTo(copy);
    expect(copy.bias).toBeAllClose([expected], 1e-6);
    for (const m of [net, copy]) m.dispose();
    average.dispose();
  });

  it('lends the average to the module, and gives the weights back', async () => {
    const net = new Net();
    const average = ema(net, { decay: 0.5 });
    train(net, 4);
    average.update();
    const own = read(net);
    const seen = average.apply(() => read(net));
    expect(seen[0]).toEqual([12]);
    expect(read(net)).toEqual(own);
    expect(() =>
      average.apply(() => {
        throw new Error('sampling failed');
      }),
    ).toThrow('sampling failed');
    expect(read(net)).toEqual(own);
    const promised = average.apply(async () => {
      await Promise.resolve();
      return read(net);
    });
    expect((await promised)[0]).toEqual([12]);
    expect(read(net)).toEqual(own);
    // Inside a tidy, too, and the average itself has not moved.
    expect(tf.tidy(() => average.apply(() => net.bias.dataSync()[0]))).toBe(12);
    net.dispose();
    average.dispose();
  });

  it('saves what PyTorch’s AveragedModel saves, and resumes to the bit', async () => {
    const net = new Net();
    const average = ema(net, { decay: 0.9, warmup: true });
    for (let t = 1; t < 4; t++) {
      train(net, t);
      average.update();
    }
    const state = await average.stateDict();
    expect(Object.keys(state).sort()).toEqual([
      'module.bias',
      'module.norm.num_batches_tracked',
      'module.norm.running_mean',
      'module.norm.weight',
      'n_averaged',
    ]);
    expect(state['module.norm.weight']!.shape).toEqual([3, 2]);
    expect(state['module.norm.num_batches_tracked']!.dtype).toBe('I64');

    const fresh = new Net();
    const resumed = ema(fresh, { decay: 0.9, warmup: true });
    resumed.loadStateDict(state);
    expect(plain(await resumed.stateDict())).toEqual(plain(state));
    fresh.loadStateDict(await net.stateDict());
    for (const [n, a] of [
      [net, average],
      [fresh, resumed],
    ] as const) {
      train(n, 7);
      a.update();
    }
    expect(plain(await resumed.stateDict())).toEqual(plain(await average.stateDict()));

    // The averages alone are a state dict of the module.
    fresh.loadStateDict(await average.averages());
    expect(plain(await fresh.stateDict())).toEqual(plain(await average.averages()));
    for (const m of [net, fresh]) m.dispose();
    average.dispose();
    resumed.dispose();
  });

  it('counts a replayed update', () => {
    const net = new Net();
    const average = ema(net, { decay: 0.99, warmup: true });
    const [share] = recordInputs(() => average.update());
    expect([...share!.make()]).toEqual([...Float32Array.of(1 - 2 / 11)]);
    expect(average.count).toBe(2);
    net.dispose();
    average.dispose();
  });

  it('leaves nothing behind', async () => {
    await expectNoLeak(async () => {
      const net = new Net();
      const average = ema(net);
      average.update();
      average.copyTo(net);
      average.apply(() => 1);
      average.loadStateDict(await average.stateDict());
      average.dispose();
      net.dispose();
    });
  });

  it('refuses what does not fit', async () => {
    const net = new Net();
    const average = ema(net);
    expect(() => ema(net, { decay: 1 })).toThrow('ema(options.decay): expected a number in [0, 1), got 1');
    const other = new Norm();
    expect(() => average.copyTo(other)).toThrow(ArgumentError);
    const state = await average.stateDict();
    const bad = [
      {},
      { ...state, extra: state.n_averaged! },
      { ...state, n_averaged: hostTensor([1, 2], [2]) },
      { ...state, 'module.bias': hostTensor([1, 2], [2]) },
    ];
    for (const wrong of bad) {
      expect(() => average.loadStateDict(wrong)).toThrow(StateDictError);
      expect(plain(await average.stateDict())).toEqual(plain(state));
    }
    for (const m of [net, other]) m.dispose();
    average.dispose();
  });
});
