import { type ClipConfig, type ResolvedClipConfig, resolveConfig } from '../config';

/**
 * How a model differs from what its checkpoint says, in what no shape of a tensor shows: the weights load, and the
 * features are a little or very wrong.
 *
 * @param built configuration of the model.
 * @param told configuration that came with the weights.
 * @returns a sentence for each difference.
 */
export function configDifferences(built: ClipConfig, told: ClipConfig): string[] {
  const [a, b] = [resolveConfig(built), resolveConfig(told)];
  const pairs: [what: string, built: unknown, told: unknown][] = [
    ['family', a.family, b.family],
    ...towerPairs('image', a, b),
    ...towerPairs('text', a, b),
  ];
  if (a.family === 'clip') pairs.push(['text.endToken', a.text.endToken, b.text.endToken]);
  return pairs
    .filter(([, built, told]) => built !== told)
    .map(([what, built, told]) => `the model has ${what} ${built}, its checkpoint was made with ${told}`);
}

function towerPairs(name: 'image' | 'text', a: ResolvedClipConfig, b: ResolvedClipConfig) {
  return (['activation', 'heads', 'normEps'] as const).map((field): [string, unknown, unknown] => [
    `${name}.${field}`,
    a[name][field],
    b[name][field],
  ]);
}
