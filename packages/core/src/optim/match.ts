import { checkArgument } from '../errors';

/** Parameter names: `/\.bias$/`, or a function. */
export type NameMatch = RegExp | ((name: string) => boolean);

export function checkMatch(fn: string, argument: string, match: NameMatch): void {
  const valid = typeof match === 'function' || match instanceof RegExp;
  checkArgument(valid, fn, argument, 'a RegExp or a function of the name', match);
}

export function matches(match: NameMatch, name: string): boolean {
  // search, not test: a RegExp with the flag g would remember where the name before it matched.
  return typeof match === 'function' ? match(name) : name.search(match) >= 0;
}
