import type { TrainEvent } from '../../train';

/**
 * An event as one line of JSON, without the line's end. A sample's value stays out where JSON could not hold it
 * sensibly: tensors, pictures, typed arrays.
 */
export function eventJson(event: TrainEvent): string {
  if (event.type !== 'sample') return JSON.stringify(event);
  const { value, ...rest } = event;
  return JSON.stringify(isPlain(value) ? event : rest);
}

/** Strings, numbers, booleans, and plain records and arrays of them. */
function isPlain(value: unknown): boolean {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value) || prototype === Object.prototype) return Object.values(value).every(isPlain);
  return false;
}
