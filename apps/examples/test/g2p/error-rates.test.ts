import { expect, it } from 'vitest';
import { editDistance, errorRates } from '../../src/g2p/error-rates';

it.each([
  ['', '', 0],
  ['A B C', 'A B C', 0],
  ['A B C', 'A C', 1],
  ['A C', 'A B C', 1],
  ['A B C', 'A D C', 1],
  ['', 'A B', 2],
  ['K I T T E N', 'S I T T I N G', 3],
])('needs from "%s" to "%s" %i edits', (from, to, edits) => {
  const phones = (text: string) => text.split(' ').filter(Boolean);
  expect(editDistance(phones(from), phones(to))).toBe(edits);
});

it('lets any pronunciation count, and measures phones by the closest', () => {
  const lexicon = new Map([
    [
      'read',
      [
        ['R', 'EH', 'D'],
        ['R', 'IY', 'D'],
      ],
    ],
    ['cat', [['K', 'AE', 'T']]],
    ['the', [['DH', 'AH'], ['DH']]],
    ['eye', [['AY']]],
  ]);
  const said = new Map([
    ['read', [{ phones: ['R', 'IY', 'D'] }]],
    ['cat', [{ phones: ['K', 'AA', 'T', 'S'] }]],
    ['the', [{ phones: ['DH', 'AH'] }]],
  ]);
  // Of 3 + 3 + 2 + 1 phones: two edits in cat, and eye was not said.
  expect(errorRates(said, lexicon)).toEqual({ wordErrorRate: 50, phonemeErrorRate: 33.333 });
});
