import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Lap, Request, Started } from '../protocol';
import type { Launch } from './contender';

/** A contender's process. It works only while a lap is asked of it. */
export class ContenderProcess {
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly answers: AsyncIterator<string>;
  private failure: Error | undefined;
  private readonly complaints: string[] = [];

  /** @param hear is told what the process writes on its standard error, line by line. */
  constructor({ command, args, env }: Launch, hear: (line: string) => void) {
    this.child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.on('error', (error) => {
      this.failure = error;
    });
    this.child.stdin.on('error', () => {}); // it has ended, which reading finds out
    createInterface({ input: this.child.stderr }).on('line', (line) => {
      this.complaints.push(line);
      hear(line);
    });
    this.answers = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Waits for the workload to be built and its first step to be done. */
  started(): Promise<Started> {
    return this.answer();
  }

  /** Lets it do so many steps. */
  run(steps: number): Promise<Lap> {
    this.child.stdin.write(`${JSON.stringify({ steps } satisfies Request)}\n`);
    return this.answer();
  }

  /** Ends the process; returns when it has ended. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.failure) return;
    const ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stdin.end();
    const late = setTimeout(() => this.child.kill(), 5000);
    await ended;
    clearTimeout(late);
  }

  private async answer<T extends Lap>(): Promise<T> {
    for (;;) {
      const { value, done } = await this.answers.next();
      if (done) throw this.failure ?? new Error(reasonIn(this.complaints));
      // What a library prints there all the same is no answer.
      if (value.startsWith('{"ms"')) return JSON.parse(value) as T;
    }
  }
}

/** The line of a stack trace, Node's or Python's, that tells what went wrong. */
function reasonIn(lines: readonly string[]): string {
  return lines.findLast((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? 'its process ended';
}
