import { describe, expect, it } from 'vitest';
import { ContenderProcess } from '../src/contenders/process';

/** A contender that is a line of JavaScript. */
function contender(program: string) {
  const heard: string[] = [];
  const child = new ContenderProcess({ command: process.execPath, args: ['-e', program] }, (line) => {
    heard.push(line);
  });
  return { child, heard };
}

const answering = `
  console.log('a banner');
  console.log(JSON.stringify({ ms: 5, value: 1, rss_mb: 1, threads: 2, engine: 'E' }));
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { steps } = JSON.parse(line);
    if (steps === 13) throw new RangeError('13 is too many');
    console.log(JSON.stringify({ ms: steps, value: 1, rss_mb: 1 }));
  });`;

describe('ContenderProcess', () => {
  it('asks for laps and passes over what is no answer', async () => {
    const { child } = contender(answering);
    expect(await child.started()).toMatchObject({ ms: 5, threads: 2, engine: 'E' });
    expect(await child.run(3)).toMatchObject({ ms: 3 });
    expect(await child.run(4)).toMatchObject({ ms: 4 });
    await child.end();
  });

  it('tells in one line why a process ended', async () => {
    const { child, heard } = contender(answering);
    await child.started();
    await expect(child.run(13)).rejects.toThrow(/^RangeError: 13 is too many$/);
    expect(heard.length).toBeGreaterThan(1);
    await child.end();
  });

  it('tells that a program is not there', async () => {
    const child = new ContenderProcess({ command: 'no-such-program', args: [] }, () => {});
    await expect(child.started()).rejects.toThrow('ENOENT');
    await child.end();
  });
});
