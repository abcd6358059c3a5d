import { PassThrough } from 'node:stream';
import { progressBar } from '@poiesis/core/node';
import { describe, expect, it } from 'vitest';
import { duration, numbers, Pace, speed } from '../../../src/node/events/pace';
import { run } from './runs';

/** A stream that collects what is written, as a terminal or not. */
function screen(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 }) as unknown as NodeJS.WriteStream;
  const text: string[] = [];
  stream.on('data', (chunk) => text.push(String(chunk)));
  return { stream, text: () => text.join('') };
}

describe('progressBar', () => {
  it('draws a bar with speed, time left and losses on a terminal', async () => {
    const before = process.listenerCount('SIGINT');
    const { stream, text } = screen(true);
    await run(progressBar({ stream }), { steps: 20 });
    expect(text()).toContain('█');
    expect(text()).toMatch(/20\/20 {2}\S+ steps\/s {2}0:00 left {2}loss 19\.00/);
    expect(text()).toContain('\u001b[?25h'); // the cursor is back
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('gives the terminal back when the run fails', async () => {
    const { stream, text } = screen(true);
    const bar = progressBar({ stream });
    await run(bar, {
      steps: 5,
      evaluate: () => {
        throw new Error('no');
      },
    }).catch(() => {});
    expect(text()).toContain('\u001b[?25h');
  });

  it('writes a line in a while where there is no terminal', async () => {
    const { stream, text } = screen(false);
    await run(progressBar({ stream, interval: 1e6 }), { steps: 20, evaluate: () => ({ accuracy: 0.25 }) });
    const lines = text().split('\n');
    expect(lines[0]).toBe('step 20  accuracy 0.2500');
    expect(lines[1]).toMatch(/^step 20\/20 {2}\S+ steps\/s {2}0:00 left {2}loss 19\.00$/);
    expect(lines.slice(2)).toEqual(['']);
    const often = screen(false);
    await run(progressBar({ stream: often.stream, interval: 0 }), { steps: 20 });
    expect(often.text().split('\n')).toHaveLength(21);
  });
});

describe('numbers for people', () => {
  it('rates forget the first step, which compiles', () => {
    const pace = new Pace();
    const step = (seconds: number) => pace.add({ type: 'step', step: 1, losses: {}, epoch: 0, seconds });
    expect(pace.rate).toBe(0);
    expect(pace.secondsFor(3)).toBeUndefined();
    step(100);
    expect(pace.rate).toBe(0.01);
    for (let i = 0; i < 3; i++) step(0.5);
    expect(pace.rate).toBe(2);
    expect(pace.secondsFor(10)).toBe(5);
  });

  it('are short', () => {
    expect([7, 765, 10930, undefined, Infinity].map(duration)).toEqual([
      '0:07',
      '12:45',
      '3:02:10',
      '–:––',
      '–:––',
    ]);
    expect([0, 3.4159, 0.196, 1234].map(speed)).toEqual(['', '3.42 steps/s', '5.10 s/step', '1230 steps/s']);
    expect(numbers({ d: 0.81234, g: 12.3456, tiny: 1.23456e-9 })).toBe('d 0.8123  g 12.35  tiny 1.235e-9');
  });
});
