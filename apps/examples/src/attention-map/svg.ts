import { colourOf } from './colours';
import { attentions, byLayer, type HeadMap, meanings } from './maps';

const FONT = 12;
const GAP = 26;
const MARGIN = 24;
const INK = '#222';
const FAINT = '#666';

/** What a letter takes on average, in parts of its size. */
const LETTER = 0.66;

/** The maps as a picture: an attention after the other, layers from above, heads from the left. */
export function svgMaps(
  title: string,
  maps: readonly HeadMap[],
): { svg: string; width: number; height: number } {
  const parts: string[] = [];
  let [y, width] = [MARGIN + 18, 640];
  parts.push(text(MARGIN, y, title, { size: 18, bold: true }));
  y += 22;
  const legend =
    'Each row has the sum 1. Rows of decoder and cross are named by what is about to be said; ^ is the start, $ the end.';
  parts.push(text(MARGIN, y, legend, { fill: FAINT }));
  width = Math.max(width, legend.length * FONT * 0.56 + 2 * MARGIN);
  y += 18;
  parts.push(colourBar(MARGIN, y));
  y += 34;
  for (const attention of attentions) {
    const layers = byLayer(maps.filter((map) => map.attention === attention));
    if (layers.length === 0) continue;
    parts.push(text(MARGIN, y + 14, `${attention}: ${meanings[attention]}`, { size: 15, bold: true }));
    y += 30;
    for (const heads of layers) {
      let [x, tallest] = [MARGIN, 0];
      for (const map of heads) {
        const drawn = panel(map, x, y);
        parts.push(drawn.svg);
        x += drawn.width + GAP;
        tallest = Math.max(tallest, drawn.height);
      }
      width = Math.max(width, x - GAP + MARGIN);
      y += tallest + GAP;
    }
    y += 8;
  }
  const height = y;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${round(width)}" height="${round(height)}" ` +
    `font-family="DejaVu Sans"><rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>`;
  return { svg, width, height };
}

/** One head: its name, its keys above, its queries to the left. */
function panel(map: HeadMap, x: number, y: number): { svg: string; width: number; height: number } {
  const { queries, keys, weights } = map;
  const wide = widest(keys);
  // Letters stand upright as long as they have room in a cell.
  const upright = wide <= 26;
  const cell = Math.max(keys.length > 24 ? 15 : 20, upright ? wide + 4 : 0);
  const left = x + widest(queries) + 6;
  const top = y + 20 + (upright ? FONT + 4 : wide + 6);
  const parts = [text(left, y + FONT, `layer ${map.layer}, head ${map.head}`, { fill: FAINT })];
  for (const [i, key] of keys.entries()) {
    const middle = left + (i + 0.5) * cell;
    if (upright) parts.push(text(middle, top - 5, key, { anchor: 'middle' }));
    else parts.push(text(middle + 4, top - 4, key, { turned: true }));
  }
  for (const [j, query] of queries.entries()) {
    const row = top + j * cell;
    parts.push(text(left - 5, row + cell / 2 + 4, query, { anchor: 'end' }));
    for (const [i, weight] of weights[j]!.entries()) {
      // What a query cannot see yet is no weight.
      if (map.attention === 'decoder' && i > j) continue;
      parts.push(square(left + i * cell, row, cell, cell, colourOf(weight)));
    }
  }
  const [across, down] = [keys.length * cell, queries.length * cell];
  parts.push(
    `<rect x="${round(left)}" y="${round(top)}" width="${round(across)}" height="${round(down)}" fill="none" stroke="#999"/>`,
  );
  return { svg: parts.join(''), width: left - x + Math.max(across, 110), height: top - y + down };
}

function colourBar(x: number, y: number): string {
  const [steps, step] = [50, 4];
  const bars = Array.from({ length: steps }, (_, i) =>
    square(x + 14 + i * step, y, step, 12, colourOf(i / (steps - 1))),
  );
  const end = x + 14 + steps * step;
  return [text(x, y + 11, '0'), ...bars, text(end + 6, y + 11, '1')].join('');
}

/** A little larger than it is, so that no seams show. */
function square(x: number, y: number, width: number, height: number, colour: readonly number[]): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width + 0.3)}" height="${round(height + 0.3)}" fill="rgb(${colour.join(',')})"/>`;
}

interface TextStyle {
  size?: number;
  bold?: boolean;
  fill?: string;
  anchor?: 'start' | 'middle' | 'end';
  turned?: boolean;
}

function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = FONT, bold = false, fill = INK, anchor = 'start', turned = false } = style;
  const turn = turned ? ` transform="rotate(-90 ${round(x)} ${round(y)})"` : '';
  const weight = bold ? ' font-weight="bold"' : '';
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${weight}${turn}>${escaped(content)}</text>`;
}

function widest(labels: readonly string[]): number {
  return Math.max(...labels.map((label) => [...label].length)) * FONT * LETTER;
}

function escaped(content: string): string {
  return content.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]!);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
