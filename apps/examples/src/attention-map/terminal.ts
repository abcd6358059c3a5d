import { colourOf } from './colours';
import { byLayer, type HeadMap, meanings } from './maps';

/** From which weight on a cell has which shade. */
const SHADES = [
  [0.75, '█'],
  [0.5, '▓'],
  [0.25, '▒'],
  [0.1, '░'],
  [0, ' '],
] as const;

export interface TerminalOptions {
  /** Characters in a line. */
  width: number;
  /** 24-bit colours, or else shades. */
  colours: boolean;
}

/** Heat maps as lines of text, heads side by side as far as they fit. */
export function terminalMaps(maps: readonly HeadMap[], { width, colours }: TerminalOptions): string[] {
  const cell = colours ? colouredCell : shadedCell;
  const lines: string[] = [];
  for (const heads of byLayer(maps)) {
    const [{ attention, layer }] = heads as [HeadMap];
    lines.push('', `${attention}, layer ${layer}: ${meanings[attention]}`);
    const blocks = heads.map((map) => block(map, cell));
    const each = blocks[0]!.width + GAP.length;
    const across = Math.max(1, Math.floor((width + GAP.length) / each));
    for (let i = 0; i < blocks.length; i += across) {
      const some = blocks.slice(i, i + across);
      for (let row = 0; row < some[0]!.lines.length; row++) {
        lines.push(
          some
            .map(({ lines }) => lines[row])
            .join(GAP)
            .trimEnd(),
        );
      }
    }
  }
  return [...lines, '', colours ? scale() : shadesExplained()];
}

const GAP = '   ';

type Cell = (weight: number, width: number) => string;

/** One head: its number, the keys, and a line for each query. All lines are of one width. */
function block(map: HeadMap, cell: Cell): { width: number; lines: string[] } {
  const margin = Math.max(...map.queries.map(length));
  const longest = Math.max(...map.keys.map(length));
  const cellWidth = longest === 1 ? 2 : longest + 1;
  const width = Math.max(margin + 1 + cellWidth * map.keys.length, `head ${map.head}`.length);
  const keys = map.keys.map((key) => padded(key, cellWidth)).join('');
  const rows = map.weights.map(
    (weights, i) =>
      `${' '.repeat(margin - length(map.queries[i]!))}${map.queries[i]} ` +
      `${weights.map((weight) => cell(weight, cellWidth)).join('')}`,
  );
  const spare = width - (margin + 1 + cellWidth * map.keys.length);
  const lines = [`${' '.repeat(margin + 1)}${keys}`, ...rows].map((line) => line + ' '.repeat(spare));
  return { width, lines: [padded(`head ${map.head}`, width), ...lines] };
}

const colouredCell: Cell = (weight, width) =>
  `\u001b[48;2;${colourOf(weight).join(';')}m${' '.repeat(width)}\u001b[0m`;

const shadedCell: Cell = (weight, width) => SHADES.find(([from]) => weight >= from)![1].repeat(width);

function scale(): string {
  const steps = Array.from({ length: 24 }, (_, i) => colouredCell(i / 23, 1)).join('');
  return `0 ${steps} 1`;
}

function shadesExplained(): string {
  const used = SHADES.slice(0, -1).reverse();
  return used.map(([from, shade], i) => `${shade}${shade} ${i === 0 ? 'from ' : ''}${from}`).join('  ');
}

/** Characters as people count them. */
function length(label: string): number {
  return [...label].length;
}

function padded(label: string, width: number): string {
  return label + ' '.repeat(Math.max(0, width - length(label)));
}
