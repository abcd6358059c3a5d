import type { HostImage } from '@poiesis/core';
import { encodePng } from '@poiesis/core/node';
import { colourOf } from '../attention-map/colours';
import { pngOf } from '../attention-map/picture';

/** A query and what was found for it, best first. */
export interface SheetRow {
  title: string;
  found: readonly { image: HostImage; label: string }[];
}

const MARGIN = 16;
const CELL = 96;
const LABEL = 12;
const FONT = 10;

/** A contact sheet: a row of pictures for each query. PNG. */
export async function contactSheet(rows: readonly SheetRow[]): Promise<Uint8Array> {
  const columns = Math.max(1, ...rows.map(({ found }) => found.length));
  const width = 2 * MARGIN + columns * (CELL + 8);
  const parts: string[] = [];
  let y = MARGIN;
  for (const { title, found } of rows) {
    parts.push(text(MARGIN, y + 14, title, 14, true));
    y += 24;
    for (const [i, { image, label }] of found.entries()) {
      const x = MARGIN + i * (CELL + 8);
      parts.push(await picture(x, y, CELL, image));
      for (const [line, words] of wrapped(label).entries()) {
        parts.push(text(x + CELL / 2, y + CELL + (line + 1) * LABEL, words, FONT, false, 'middle'));
      }
    }
    y += CELL + LINES * LABEL + 14;
  }
  return drawn(parts, width, y + MARGIN);
}

/**
 * A matrix of similarities with a picture above each column and a text beside each row. PNG.
 *
 * @param cosines `[texts, images]`, row by row.
 */
export async function similarityMatrix(
  texts: readonly string[],
  images: readonly HostImage[],
  cosines: ArrayLike<number>,
): Promise<Uint8Array> {
  const cell = 34;
  const left = MARGIN + Math.max(...texts.map(({ length }) => length)) * 7 + 8;
  const top = MARGIN + 24;
  const parts = [
    text(MARGIN, MARGIN + 12, 'Cosines of texts and pictures of emoji that were never seen', 14, true),
  ];
  for (const [i, image] of images.entries())
    parts.push(await picture(left + i * cell + 2, top, cell - 4, image));
  const [low, high] = [Math.min(...Array.from(cosines)), Math.max(...Array.from(cosines))];
  for (const [j, label] of texts.entries()) {
    const y = top + (j + 1) * cell;
    parts.push(text(left - 6, y + cell / 2 + 4, label, 12, false, 'end'));
    for (let i = 0; i < images.length; i++) {
      const cosine = cosines[j * images.length + i]!;
      const x = left + i * cell;
      const colour = colourOf((cosine - low) / Math.max(high - low, 1e-6));
      parts.push(
        `<rect x="${x}" y="${y}" width="${cell + 0.3}" height="${cell + 0.3}" fill="rgb(${colour.join(',')})"/>`,
      );
      const ink = (cosine - low) / Math.max(high - low, 1e-6) > 0.6 ? '#222' : '#fff';
      parts.push(text(x + cell / 2, y + cell / 2 + 4, cosine.toFixed(2), 10, false, 'middle', ink));
    }
  }
  const width = left + images.length * cell + MARGIN;
  return drawn(parts, width, top + (texts.length + 1) * cell + MARGIN);
}

function drawn(parts: readonly string[], width: number, height: number): Promise<Uint8Array> {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans">` +
    `<rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>`;
  return pngOf({ svg, width });
}

/** Most lines of a label. */
const LINES = 3;

function wrapped(label: string): string[] {
  const letters = Math.floor(CELL / (FONT * 0.62));
  const lines = [''];
  for (const word of label.split(' ')) {
    const last = lines.at(-1)!;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= letters) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  const cut = lines.map((line) => (line.length > letters ? `${line.slice(0, letters - 1)}…` : line));
  return cut.length > LINES ? [...cut.slice(0, LINES - 1), `${cut[LINES - 1]!.slice(0, letters - 1)}…`] : cut;
}

async function picture(x: number, y: number, size: number, image: HostImage): Promise<string> {
  const { width, height } = image;
  const scale = size / Math.max(width, height);
  const [w, h] = [width * scale, height * scale];
  const data = Buffer.from(await encodePng(image)).toString('base64');
  return `<image x="${x + (size - w) / 2}" y="${y + (size - h) / 2}" width="${w}" height="${h}" href="data:image/png;base64,${data}"/>`;
}

function text(
  x: number,
  y: number,
  content: string,
  size: number,
  bold = false,
  anchor = 'start',
  fill = '#222',
): string {
  const weight = bold ? ' font-weight="bold"' : '';
  const escaped = content.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]!);
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${weight}>${escaped}</text>`;
}
