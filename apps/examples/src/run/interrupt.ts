import { exitCodes } from '../errors';

/**
 * Ctrl-C, first time: the returned signal aborts and the run ends in order. Second time: the process ends at once.
 *
 * @param say tells the user what the first one does.
 */
export function interruptible(say: (line: string) => void): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  let first = 0;
  const onInterrupt = () => {
    const now = performance.now();
    if (!controller.signal.aborted) {
      first = now;
      say('Stopping after this step. Ctrl-C again quits at once.');
      controller.abort();
    } else if (now - first > ECHO) {
      process.exit(exitCodes.interrupted);
    }
  };
  process.on('SIGINT', onInterrupt);
  return { signal: controller.signal, release: () => void process.off('SIGINT', onInterrupt) };
}

// One press can arrive twice: from the terminal, and passed on by the npm that started this process.
const ECHO = 400;
