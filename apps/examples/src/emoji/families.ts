/** Code points that make a variant and no emoji of its own. */
const ASIDE = new Set([
  0xfe0f, // "show as a picture"
  ...range(0x1f3fb, 0x1f3ff), // skin tones
  ...range(0x1f9b0, 0x1f9b3), // red, curly, no, white hair
  0x2640, // female and male sign
  0x2642,
  0x200d, // what joins a sequence
]);

/** Emoji of one gender, and the one that leaves it open. */
const OPEN: ReadonlyMap<number, readonly number[]> = new Map([
  [0x1f468, [0x1f9d1]], // man, woman → person
  [0x1f469, [0x1f9d1]],
  [0x1f466, [0x1f9d2]], // boy, girl → child
  [0x1f467, [0x1f9d2]],
  [0x1f474, [0x1f9d3]], // old man, old woman → older person
  [0x1f475, [0x1f9d3]],
  [0x1f934, [0x1fac5]], // prince, princess → person with crown
  [0x1f478, [0x1fac5]],
  [0x1f57a, [0x1f483]], // the two who dance
  [0x1f385, [0x1f9d1, 0x1f384]], // Santa and Mrs. Claus → the Claus who is a person and a tree
  [0x1f936, [0x1f9d1, 0x1f384]],
  [0x1f46b, [0x1f9d1, 0x1f91d, 0x1f9d1]], // woman and man, two men, two women holding hands
  [0x1f46c, [0x1f9d1, 0x1f91d, 0x1f9d1]],
  [0x1f46d, [0x1f9d1, 0x1f91d, 0x1f9d1]],
  [0x1f48f, [0x1f9d1, 0x2764, 0x1f48b, 0x1f9d1]], // kiss
  [0x1f491, [0x1f9d1, 0x2764, 0x1f9d1]], // couple with heart
]);

/**
 * Which emoji a variant belongs to: variants of skin tone, gender, hair and direction have the same family, so that
 * a split by family never has one of them on each side. 🏃🏾‍♀️‍➡️ and 🏃 are one, so are 👩‍⚕️ and 🧑‍⚕️, and all families of
 * parents with children.
 *
 * @param codes code points in hexadecimal, `1f3c3-200d-2640-fe0f`, as the image packages name their files.
 */
export function familyOf(codes: string): string {
  const points = codes
    .toLowerCase()
    // Facing right: the arrow is the end of a joined sequence, and an emoji by itself.
    .replace(/-200d-27a1(-fe0f)?$/, '')
    .split('-')
    .map((code) => Number.parseInt(code, 16));
  const base = points.filter((point) => !ASIDE.has(point)).flatMap((point) => OPEN.get(point) ?? [point]);
  // A hair, a skin tone or a sign of gender that stands alone is an emoji too.
  if (base.length === 0)
    return points
      .filter((point) => point !== 0xfe0f)
      .map(hex)
      .join('-');
  return isFamily(base) ? 'family' : base.map(hex).join('-');
}

/** Adults, then children, and nobody else: 👪 and what is like it. */
function isFamily(points: readonly number[]): boolean {
  if (points.length === 1) return points[0] === 0x1f46a;
  return points.includes(0x1f9d2) && points.every((point) => point === 0x1f9d1 || point === 0x1f9d2);
}

function hex(point: number): string {
  return point.toString(16).padStart(4, '0');
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
