import { castValue } from './elementwise';
import { kernel } from './register';

/** Core's `updateRows`: rows of a cache replaced from a position on that is data. */
export function registerUpdateRows(): void {
  kernel('UpdateRows', (call) => {
    const [cache, rows] = [call.value('cache'), call.value('rows')];
    const position = castValue(call.value('position'), 'int32').reshaped([1]);
    return call.record('UpdateRows', [cache, rows, position], {}, cache.shape, cache.dtype);
  });
}
