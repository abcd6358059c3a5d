/**
 * Resolves in a new macrotask. On backends that compute synchronously a loop of awaits never leaves the microtask
 * queue: no timer fires, no Ctrl-C arrives and no page is painted until the run is over.
 */
export function macrotask(): Promise<void> {
  return new Promise(schedule);
}

// Not setTimeout: it rests for at least 1 ms, in browsers 4 ms.
const schedule: (resolve: () => void) => void =
  typeof setImmediate === 'function'
    ? setImmediate
    : typeof MessageChannel === 'function'
      ? post
      : setTimeout;

function post(resolve: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(null);
}
