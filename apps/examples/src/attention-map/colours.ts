// Viridis, matplotlib's standard colour map, at equal steps; between them colours are mixed.
const STOPS = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [109, 205, 89],
  [180, 222, 44],
  [253, 231, 37],
] as const;

/** The colour of a weight from 0 to 1: red, green and blue from 0 to 255. */
export function colourOf(weight: number): [red: number, green: number, blue: number] {
  const place = Math.min(1, Math.max(0, weight)) * (STOPS.length - 1);
  const below = Math.min(Math.floor(place), STOPS.length - 2);
  const mix = (channel: 0 | 1 | 2) => {
    const [a, b] = [STOPS[below]![channel], STOPS[below + 1]![channel]];
    return Math.round(a + (b - a) * (place - below));
  };
  return [mix(0), mix(1), mix(2)];
}
