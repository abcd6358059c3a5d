/** A batch that was prepared ahead. It is either delivered or dropped. */
export interface Prepared<T> {
  deliver(): T;
  /** Frees what a batch that nobody will get holds. */
  drop(): void;
}

/**
 * Keeps up to `ahead` items in preparation while the consumer works on one, and no more: a slow consumer holds the
 * producer back. Order is kept; an error comes where its item would have come, after the items before it.
 *
 * Leaving early (`break`, `return`, an error in the loop's body) drops what is prepared; what is still being prepared
 * is dropped when it is done.
 *
 * @param start begins the next item; null after the last one. It may be called again before the last call is done.
 */
export async function* prefetched<T>(
  start: () => Promise<Prepared<T> | null>,
  ahead: number,
  close: () => unknown,
): AsyncGenerator<T, void, undefined> {
  const queue: Promise<Prepared<T> | null>[] = [];
  const fill = (length: number) => {
    while (queue.length < length) {
      const item = start();
      item.catch(() => {}); // it is looked at later; until then it must not count as an unhandled rejection
      queue.push(item);
    }
  };
  try {
    for (;;) {
      fill(ahead + 1);
      const item = await queue.shift()!;
      if (!item) return;
      fill(ahead);
      yield item.deliver();
    }
  } finally {
    for (const item of queue) {
      item.then(
        (prepared) => prepared?.drop(),
        () => {},
      );
    }
    await close();
  }
}
