/** What fixtures/tokenizer.py makes its strings of. */
export interface Pieces {
  words: string[];
  punctuation: string[];
  emoji: string[];
  spaces: string[];
  controls: string[];
  marks: string[];
  bases: string[];
  entities: string[];
  specials: string[];
  blocks: [first: number, last: number][];
}

/** A 32-bit word that is a function of `n`. */
function mixed(n: number): number {
  let h = Math.imul(n + 1, 2654435761) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 2246822519) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 3266489917) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/** String number `index` of fixtures/tokenizer.py, by the same arithmetic. */
export function stringOf(pieces: Pieces, index: number): string {
  let at = index << 10;
  const draw = (bound: number) => mixed(++at) % bound;
  const pick = <T>(list: readonly T[]): T => list[draw(list.length)]!;
  const of = (name: Exclude<keyof Pieces, 'blocks'>) => pick(pieces[name]);
  const character = () => {
    const [first, last] = pick(pieces.blocks);
    return String.fromCodePoint(first + draw(last - first + 1));
  };
  const marked = () => {
    let text = of('bases');
    for (let n = 1 + draw(3); n > 0; n--) text += of('marks');
    return text;
  };
  const number = () => String(draw(10 ** (1 + draw(6))));
  const shouted = () => of('words').replace(/[a-z]/g, (c) => c.toUpperCase());
  const kinds: (() => string)[] = [
    () => of('words'),
    () => of(pick(['words', 'words', 'words', 'punctuation', 'emoji'] as const)),
    () => of(pick(['words', 'emoji'] as const)),
    character,
    marked,
    () => of(pick(['words', 'spaces', 'spaces'] as const)),
    () => of(pick(['words', 'controls', 'controls'] as const)),
    () => of(pick(['words', 'entities', 'entities'] as const)),
    () => of(pick(['words', 'specials', 'specials'] as const)),
    () =>
      draw(2)
        ? pick([character, marked, number, shouted])()
        : of(pick(['words', 'punctuation', 'emoji', 'spaces', 'controls', 'entities', 'specials'] as const)),
  ];
  const kind = kinds[index % 10]!;
  const length = index % 97 === 96 ? 300 : draw(25);
  const glue = pick(['', ' ']);
  return Array.from({ length }, kind).join(glue);
}

/** FNV-1a over the ids. */
export function hashed(ids: readonly number[]): number {
  let h = 0x811c9dc5;
  for (const i of ids) h = Math.imul(h ^ i, 0x01000193);
  return h >>> 0;
}
