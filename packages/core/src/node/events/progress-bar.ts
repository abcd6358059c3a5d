import { SingleBar } from 'cli-progress';
import type { EventReader, TrainEvent } from '../../train';
import { duration, numbers, Pace, speed } from './pace';

export interface ProgressBarOptions {
  /** Default: standard error, so that standard output stays free for results. */
  stream?: NodeJS.WriteStream;
  /** Seconds between two lines where the stream is no terminal. Default 10. */
  interval?: number;
}

/**
 * Shows a run on the terminal: a bar with speed, time left and the newest losses. Where the stream is no terminal (a
 * file, a pipe, CI), quiet lines instead: one in a while, and one for each evaluation.
 */
export function progressBar({
  stream = process.stderr,
  interval = 10,
}: ProgressBarOptions = {}): EventReader {
  return stream.isTTY ? bar(stream) : lines(stream, interval);
}

/** What both forms know of the run. */
class Progress {
  readonly pace = new Pace();
  steps = 0;
  step = 0;
  losses: Readonly<Record<string, number>> = {};

  take(event: TrainEvent): void {
    this.step = event.step;
    if (event.type === 'start') this.steps = event.steps;
    if (event.type !== 'step') return;
    this.losses = event.losses;
    this.pace.add(event);
  }

  get left(): string {
    return duration(this.pace.secondsFor(this.steps - this.step));
  }
}

function bar(stream: NodeJS.WriteStream): EventReader {
  const progress = new Progress();
  let shown: SingleBar | undefined;
  const payload = () => ({
    speed: speed(progress.pace.rate),
    left: progress.left,
    losses: numbers(progress.losses),
  });
  return {
    read(event) {
      progress.take(event);
      if (event.type === 'start') {
        shown = new SingleBar({
          stream,
          format: '{bar} {value}/{total}  {speed}  {left} left  {losses}',
          barsize: 24,
          barCompleteChar: '█',
          barIncompleteChar: '░',
          hideCursor: true,
          // What Ctrl-C means is the program's business: it saves and stops, and that takes a moment.
          gracefulExit: false,
        });
        shown.start(event.steps, event.step, payload());
      } else {
        shown?.update(event.step, payload());
      }
    },
    close() {
      shown?.stop();
      shown = undefined;
    },
  };
}

function lines(stream: NodeJS.WriteStream, interval: number): EventReader {
  const progress = new Progress();
  let last = performance.now();
  let told = -1;
  const tell = () => {
    if (told === progress.step) return;
    told = progress.step;
    last = performance.now();
    const { step, steps, pace, left, losses } = progress;
    const parts = [`step ${step}/${steps}`, speed(pace.rate), `${left} left`, numbers(losses)];
    stream.write(`${parts.filter(Boolean).join('  ')}\n`);
  };
  return {
    read(event) {
      progress.take(event);
      if (event.type === 'step' && performance.now() - last >= interval * 1000) tell();
      if (event.type === 'evaluation') stream.write(`step ${event.step}  ${numbers(event.metrics)}\n`);
      if (event.type === 'done' && progress.pace.rate > 0) tell();
    },
  };
}
