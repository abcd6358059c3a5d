import { type EventReader, train, withReaders } from '@poiesis/core';
import { describe, expect, it } from 'vitest';
import { scalars, scripted } from './helpers';

/** A reader that notes what it is asked to do. */
function noted(name: string, notes: string[], failAt?: number): EventReader {
  return {
    async read({ type, step }) {
      await null;
      if (step === failAt) throw new Error(`${name} failed`);
      notes.push(`${name} ${type} ${step}`);
    },
    close() {
      notes.push(`${name} closed`);
      throw new Error('closing failed');
    },
  };
}

const run = () =>
  train(
    scripted(() => 1),
    scalars(),
    { steps: 2 },
  );

describe('withReaders', () => {
  it('lets each reader read before the consumer, and closes them', async () => {
    const notes: string[] = [];
    for await (const { type, step } of withReaders(run(), [noted('a', notes), noted('b', notes)])) {
      notes.push(`consumer ${type} ${step}`);
    }
    const events = ['start 0', 'step 1', 'step 2', 'done 2'];
    const each = events.flatMap((e) => [`a ${e}`, `b ${e}`, `consumer ${e}`]);
    expect(notes).toEqual([...each, 'a closed', 'b closed']);
  });

  it('closes them when the consumer breaks, when a reader fails, and when the run does', async () => {
    const broken: string[] = [];
    for await (const { step } of withReaders(run(), [noted('a', broken)])) if (step === 1) break;
    expect(broken).toEqual(['a start 0', 'a step 1', 'a closed']);

    const drain = async (events: AsyncIterable<unknown>) => {
      for await (const _ of events);
    };
    const failed: string[] = [];
    await expect(drain(withReaders(run(), [noted('a', failed, 2), noted('b', failed)]))).rejects.toThrow(
      'a failed',
    );
    expect(failed.slice(-2)).toEqual(['a closed', 'b closed']);

    const diverged: string[] = [];
    const nan = train(
      scripted(() => Number.NaN),
      scalars(),
      { steps: 2 },
    );
    await expect(drain(withReaders(nan, [noted('a', diverged)]))).rejects.toThrow('is NaN');
    expect(diverged).toEqual(['a start 0', 'a closed']);
  });
});
