import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type BackendProvider,
  BackendUnavailableError,
  registerBackend,
  useBackend,
} from '../../src/backend';
import { registry } from '../../src/backend/registry';
import { ArgumentError } from '../../src/errors';

const current = process.env.POIESIS_TEST_BACKEND ?? 'cpu';

function provider(details: Partial<BackendProvider>): BackendProvider {
  return {
    name: 'fake',
    priority: 1000,
    available: async () => ({ ok: true, reason: 'always there' }),
    activate: async () => {},
    device: () => 'nothing',
    ...details,
  };
}

afterEach(async () => {
  registry().providers.delete('fake');
  await useBackend(current);
});

describe('useBackend', () => {
  it('takes the named backend and says so', async () => {
    const taken = await useBackend(current);
    expect(tf.getBackend()).toBe(current);
    expect(taken).toEqual({
      name: current,
      device: expect.stringMatching(/^CPU, 1 thread/),
      reason: 'asked for by name',
    });
  });

  it('auto takes the best installed one', async () => {
    expect((await useBackend()).name).toBe('wasm');
    expect((await useBackend('auto')).reason).toBe('best that is available');
  });

  it('auto says what was better and why it was passed over', async () => {
    registerBackend(
      provider({ available: async () => ({ ok: false, reason: 'no CUDA device', fix: 'buy one' }) }),
    );
    const { name, reason } = await useBackend();
    expect(name).toBe('wasm');
    expect(reason).toBe('best that is available; passed over fake: no CUDA device');
  });

  it('auto goes on to the next when the best fails to start', async () => {
    registerBackend(provider({ activate: () => Promise.reject(new Error('driver too old')) }));
    expect((await useBackend()).reason).toContain('fake: failed to start (driver too old)');
  });

  it('passes on what the backend says of a wrong option', async () => {
    const wrong = { fn: 'fake', argument: 'options.threads', expected: 'an integer ≥ 1', received: 0 };
    registerBackend(provider({ activate: () => Promise.reject(new ArgumentError(wrong)) }));
    await expect(useBackend()).rejects.toThrow(ArgumentError);
    await expect(useBackend('fake')).rejects.toThrow('fake(options.threads): expected an integer ≥ 1, got 0');
  });

  it('names the fix where a named backend is missing', async () => {
    registerBackend(
      provider({
        available: async () => ({ ok: false, reason: 'x is not installed', fix: 'npm install x' }),
      }),
    );
    const error = await useBackend('fake').catch((e) => e);
    expect(BackendUnavailableError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ code: 'backend-unavailable', backend: 'fake', fix: 'npm install x' });
    expect(error.message).toBe('backend "fake" is unavailable: x is not installed. Fix: npm install x');
  });

  it('names what there is where no such provider is registered', async () => {
    await expect(useBackend('onnx')).rejects.toThrow(
      /no provider of that name is registered \(there are: wasm, cpu\)/,
    );
    await expect(useBackend('onnx')).rejects.toThrow(/import '@poiesis\/backend-onnx'/);
  });

  it('keeps tensors usable across a change of backend', async () => {
    await useBackend('cpu');
    const x = tf.tensor1d([1, 2, 3]);
    await useBackend('wasm');
    expect(Array.from(tf.square(x).dataSync())).toEqual([1, 4, 9]);
    x.dispose();
  });

  it('puts its gradients back where another import has replaced them', async () => {
    const ours = tf.getGradient(tf.Exp);
    tf.registerGradient({ kernelName: tf.Exp, gradFunc: () => ({}) });
    await useBackend(current);
    expect(tf.getGradient(tf.Exp)).toBe(ours);
  });

  it('registers gradients', () => {
    const g = tf.grad((x) => tf.sum(tf.square(x)))(tf.tensor1d([1, 2]));
    expect(Array.from(g.dataSync())).toEqual([2, 4]);
  });
});
