import type { Fail } from '../data/fail';

/** What the frame header of a JPEG file says. */
export interface JpegFrame {
  width: number;
  height: number;
  progressive: boolean;
  components: JpegComponent[];
  /** Where the frame header is in the file. */
  offset: number;
}

interface JpegComponent {
  id: number;
  /** Sampling factors. */
  h: number;
  v: number;
  quantization: number;
  /** Blocks of 8 × 8 in a scan of this component alone. */
  blocks: number;
  /** Whether a scan has brought its DC coefficients. */
  seen: boolean;
}

/**
 * Limits that no encoder comes near: ten scans are usual, and a picture of 100 million pixels has 2.4 million blocks.
 * Each scan costs a walk over its blocks, whatever little data it has, so a small file of many scans would hang.
 */
const MAX_SCANS = 100;
const MAX_VISITS = 4e7;

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/**
 * Checks the structure of a JPEG file (ITU-T T.81, annex B) and that its data can be those of a picture of its size:
 * a block takes two bits at least in a baseline file, one in a progressive one. Allocates next to nothing.
 * What follows the end marker is ignored, as cameras leave things there.
 */
export function jpegFrame(bytes: Uint8Array, fail: Fail): JpegFrame {
  if (!isJpeg(bytes)) fail(0, 'the JPEG signature ff d8 ff', hex(...bytes.subarray(0, 3)));
  const u16 = (at: number) => bytes[at]! * 256 + bytes[at + 1]!;
  const quantization = new Set<number>();
  const huffman = new Set<number>();
  let frame: JpegFrame | undefined;
  let scans = 0;
  let visits = 0;
  for (let at = 2; ; ) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++; // fill bytes
    const marker = bytes[at + 1];
    if (marker === undefined) return fail(bytes.length, 'a marker', 'the end of the file');
    if (bytes[at] !== 0xff || marker < 0xc0) return fail(at, 'a marker', hex(bytes[at]!, marker));
    if (marker === 0xd9) return complete(frame, quantization, at, fail);
    if (marker >= 0xd0 && marker <= 0xd8) fail(at, 'a marker segment', hex(0xff, marker));
    const start = at + 4;
    const length = start <= bytes.length ? u16(at + 2) - 2 : 0;
    const end = start + length;
    if (start > bytes.length || length < 0 || end > bytes.length) {
      fail(at + 2, `a segment of ${length} bytes`, `${Math.max(0, bytes.length - start)}`);
    }
    const segment = bytes.subarray(start, end);
    const wrong = (expected: string, received: string) => fail(start, expected, received);
    at = end;
    if (marker === 0xdb) quantizationTables(segment, quantization, wrong);
    else if (marker === 0xc4) huffmanTables(segment, huffman, wrong);
    else if (marker === 0xdd && length !== 2) wrong('2 bytes of restart interval', `${length}`);
    else if (marker === 0xdc) wrong('no DNL segment', 'one');
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) {
      if (frame) fail(start - 4, 'one frame', 'a second one');
      if (marker > 0xc2) fail(start - 4, 'a baseline or progressive Huffman JPEG', `SOF${marker - 0xc0}`);
      frame = frameHeader(segment, start, marker === 0xc2, wrong);
    } else if (marker === 0xda) {
      if (!frame) return fail(start - 4, 'a frame before the first scan', 'none');
      if (++scans > MAX_SCANS) fail(start - 4, `at most ${MAX_SCANS} scans`, 'more');
      const { bits, blocks } = scanHeader(segment, frame, huffman, wrong);
      at = scanEnd(bytes, end);
      if (8 * (at - end) < bits) fail(end, `at least ${Math.ceil(bits / 8)} bytes of scan`, `${at - end}`);
      visits += blocks;
      if (visits > MAX_VISITS) fail(start - 4, `scans of at most ${MAX_VISITS} blocks together`, 'more');
    }
  }
}

function complete(
  frame: JpegFrame | undefined,
  quantization: Set<number>,
  at: number,
  fail: Fail,
): JpegFrame {
  if (!frame) return fail(at, 'a frame', 'the end of the picture');
  for (const { id, seen, quantization: table } of frame.components) {
    if (!seen) fail(at, `a scan of component ${id}`, 'none');
    if (!quantization.has(table)) fail(at, `quantization table ${table}`, 'none');
  }
  return frame;
}

type Wrong = (expected: string, received: string) => never;

function quantizationTables(segment: Uint8Array, known: Set<number>, wrong: Wrong): void {
  for (let at = 0; at < segment.length; ) {
    const spec = segment[at]!;
    if (spec >> 4 > 1 || (spec & 15) > 3)
      wrong('a quantization table of 8 or 16 bits, number 0 to 3', hex(spec));
    known.add(spec & 15);
    at += 1 + (spec >> 4 ? 128 : 64);
    if (at > segment.length) wrong('whole quantization tables', `${segment.length} bytes`);
  }
}

function huffmanTables(segment: Uint8Array, known: Set<number>, wrong: Wrong): void {
  for (let at = 0; at < segment.length; ) {
    const spec = segment[at]!;
    if (spec >> 4 > 1 || (spec & 15) > 3) wrong('a DC or AC Huffman table, number 0 to 3', hex(spec));
    if (at + 17 > segment.length) wrong('whole Huffman tables', `${segment.length} bytes`);
    let codes = 0;
    let free = 1; // codes of the present length that no shorter one begins
    for (let bits = 1; bits <= 16; bits++) {
      const count = segment[at + bits]!;
      codes += count;
      free = 2 * free - count;
      if (free < 0) wrong('a Huffman code', `too many codes of ${bits} bits`);
    }
    at += 17 + codes;
    if (codes === 0 || codes > 256 || at > segment.length)
      wrong('whole Huffman tables', `${segment.length} bytes`);
    known.add(spec);
  }
}

function frameHeader(segment: Uint8Array, offset: number, progressive: boolean, wrong: Wrong): JpegFrame {
  const [precision, , , , , count = 0] = segment;
  if (segment.length < 6 || segment.length !== 6 + 3 * count)
    wrong('a frame header', `${segment.length} bytes`);
  const height = segment[1]! * 256 + segment[2]!;
  const width = segment[3]! * 256 + segment[4]!;
  if (precision !== 8) wrong('8 bits a sample', `${precision}`);
  if (width === 0 || height === 0) wrong('a size from 1 × 1 on', `${width} × ${height}`);
  if (count !== 1 && count !== 3 && count !== 4) wrong('1, 3 or 4 components', `${count}`);
  const components = Array.from({ length: count }, (_, i) => {
    const [id, factors, quantization] = segment.subarray(6 + 3 * i) as unknown as [number, number, number];
    return { id, h: factors >> 4, v: factors & 15, quantization, blocks: 0, seen: false };
  });
  if (new Set(components.map(({ id }) => id)).size !== count)
    wrong('components of different numbers', 'two alike');
  for (const { h, v, quantization } of components) {
    if (h < 1 || h > 4 || v < 1 || v > 4) wrong('sampling factors 1 to 4', `${h} and ${v}`);
    if (quantization > 3) wrong('quantization table 0 to 3', `${quantization}`);
  }
  const maxH = Math.max(...components.map(({ h }) => h));
  const maxV = Math.max(...components.map(({ v }) => v));
  for (const component of components) {
    const across = Math.ceil((width * component.h) / maxH / 8);
    const down = Math.ceil((height * component.v) / maxV / 8);
    component.blocks = across * down;
  }
  return { width, height, progressive, components, offset };
}

/** Checks a scan header and gives its number of blocks, and the least number of bits that their data take. */
function scanHeader(
  segment: Uint8Array,
  frame: JpegFrame,
  huffman: Set<number>,
  wrong: Wrong,
): { bits: number; blocks: number } {
  const count = segment[0] ?? 0;
  if (count < 1 || count > 4 || segment.length !== 4 + 2 * count)
    wrong('a scan header', `${segment.length} bytes`);
  const [from = 0, to = 0, approximation = 0] = segment.subarray(1 + 2 * count);
  const high = approximation >> 4;
  const low = approximation & 15;
  const dc = from === 0;
  if (frame.progressive) {
    const bands = dc ? to === 0 : count === 1 && from <= to && to <= 63;
    if (!bands || high > 13 || low > 13)
      wrong('a progressive scan', `${from} to ${to}, bits ${high} and ${low}`);
  }
  let bits = 0;
  let blocks = 0;
  const used = new Set<JpegComponent>();
  for (let i = 0; i < count; i++) {
    const id = segment[1 + 2 * i]!;
    const tables = segment[2 + 2 * i]!;
    const component = frame.components.find((c) => c.id === id) ?? wrong('a component of the frame', `${id}`);
    if (used.has(component)) wrong('each component once', `${id} twice`);
    used.add(component);
    const needs: number[] = [];
    if (!frame.progressive) needs.push(tables >> 4, 16 + (tables & 15));
    else if (!dc) needs.push(16 + (tables & 15));
    else if (high === 0) needs.push(tables >> 4);
    for (const table of needs) {
      if (!huffman.has(table)) wrong(`${table < 16 ? 'DC' : 'AC'} Huffman table ${table & 15}`, 'none');
    }
    if (dc && high === 0) component.seen = true;
    else if (!component.seen) wrong(`the first scan of component ${id} before its refinements`, 'none');
    blocks += component.blocks;
    if (!frame.progressive) bits += 2 * component.blocks;
    else if (dc) bits += component.blocks;
  }
  return { bits, blocks };
}

/** Where the entropy-coded data end: at a marker that is neither a stuffed zero nor a restart. */
function scanEnd(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(0xff, start); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1];
    if (next === undefined) break;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  return bytes.length;
}

function hex(...bytes: number[]): string {
  return bytes.map((b) => b.toString(16).padStart(2, '0')).join(' ') || 'nothing';
}
