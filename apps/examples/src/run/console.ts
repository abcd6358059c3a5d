import type { EventReader, TrainEvent } from '@poiesis/core';
import { eventJson, progressBar } from '@poiesis/core/node';

/** How much a run tells, and where. */
export interface Console {
  /** A line for the user. Standard output, but standard error where that belongs to JSON. */
  say(line: string): void;
  /** The progress of something that is not training: overwritten in place on a terminal, once elsewhere. */
  progress(label: string, done: number, total: number): void;
  /** Readers of the training's events for this kind of output. */
  readers(): EventReader<SampleFile>[];
}

/** What a sample event carries in the app: the picture is on disk already. */
export type SampleFile = string;

export function runConsole({ json, quiet }: { json: boolean; quiet: boolean }): Console {
  const stream = json ? process.stderr : process.stdout;
  let announced = '';
  return {
    say(line) {
      if (!quiet) stream.write(`${line}\n`);
    },
    progress(label, done, total) {
      if (quiet) return;
      if (process.stderr.isTTY) {
        const percent = Math.floor((100 * done) / total);
        process.stderr.write(`\r${label} ${percent} %${done === total ? '\n' : ''}`);
      } else if (announced !== label) {
        announced = label;
        process.stderr.write(`${label} …\n`);
      }
    },
    readers() {
      return [...(json ? [jsonLines()] : []), ...(quiet || json ? [] : [progressBar()])];
    },
  };
}

function jsonLines(): EventReader<SampleFile> {
  return {
    read(event: TrainEvent<SampleFile>) {
      process.stdout.write(`${eventJson(event)}\n`);
    },
  };
}
