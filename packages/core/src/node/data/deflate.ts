import type { Fail } from './fail';

/**
 * Walks a deflate stream (RFC 1951) and shows its content piece by piece, keeping nothing but the window of 32 kB that
 * the format refers back to. So a reader knows how much a file inflates to, and that it inflates at all, before it
 * takes memory for it: Node's zlib only tells by making it, and its streams leave it all behind as garbage.
 *
 * Accepts what zlib accepts.
 *
 * @param start where in `bytes` the stream begins; errors name places in `bytes`, plus `origin`.
 * @param onPiece gets views that hold until it returns. It may throw to stop.
 * @returns where the stream ends.
 */
export function walkDeflate(
  bytes: Uint8Array,
  start: number,
  onPiece: (piece: Uint8Array) => void,
  fail: Fail,
  origin = 0,
): number {
  const input: Input = { bytes, at: start, bits: 0, count: 0, origin, fail };
  const output: Output = { position: 0, shown: 0, total: 0, onPiece };
  for (let last = false; !last; ) {
    last = take(input, 1) === 1;
    const kind = take(input, 2);
    if (kind === 0) storedBlock(input, output);
    else if (kind === 1) codedBlock(input, output, fixedLiterals, fixedDistances);
    else if (kind === 2) {
      readCodes(input);
      codedBlock(input, output, literals, distances);
    } else corrupt(input, 'a block of kind 0, 1 or 2', '3');
  }
  show(output);
  return input.at - (input.count >> 3);
}

interface Input {
  readonly bytes: Uint8Array;
  at: number;
  /** Bits taken from the bytes and not yet used, lowest first. */
  bits: number;
  count: number;
  readonly origin: number;
  readonly fail: Fail;
}

interface Output {
  /** In the window. */
  position: number;
  shown: number;
  /** Bytes before the window's present round. */
  total: number;
  readonly onPiece: (piece: Uint8Array) => void;
}

const WINDOW = 1 << 15;
// One for all calls: they are synchronous, and nobody sees it between them.
const window = new Uint8Array(WINDOW);

function show(output: Output): void {
  if (output.position > output.shown) output.onPiece(window.subarray(output.shown, output.position));
  output.shown = output.position;
  if (output.position === WINDOW) {
    output.position = 0;
    output.shown = 0;
    output.total += WINDOW;
  }
}

function corrupt(input: Input, expected: string, received: string): never {
  return input.fail(input.origin + input.at - (input.count >> 3), `deflate data with ${expected}`, received);
}

/** At least `n` bits, at most 25. */
function need(input: Input, n: number): void {
  while (input.count < n) {
    const byte = input.bytes[input.at];
    if (byte === undefined) corrupt(input, 'an end', 'none');
    input.bits |= byte << input.count;
    input.count += 8;
    input.at++;
  }
}

function take(input: Input, n: number): number {
  need(input, n);
  const value = input.bits & ((1 << n) - 1);
  input.bits >>>= n;
  input.count -= n;
  return value;
}

function storedBlock(input: Input, output: Output): void {
  take(input, input.count & 7);
  const length = take(input, 16);
  const complement = take(input, 16);
  if (length !== (complement ^ 0xffff))
    corrupt(input, 'a length and its complement', `${length} and ${complement}`);
  let from = input.at - (input.count >> 3);
  const end = from + length;
  input.bits = 0;
  input.count = 0;
  if (end > input.bytes.length) {
    input.at = input.bytes.length;
    corrupt(input, 'an end', 'none');
  }
  input.at = end;
  while (from < end) {
    const part = Math.min(end - from, WINDOW - output.position);
    window.set(input.bytes.subarray(from, from + part), output.position);
    from += part;
    output.position += part;
    if (output.position === WINDOW) show(output);
  }
}

const LENGTHS = Uint16Array.from([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
]);
const LENGTH_BITS = Uint8Array.from([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
]);
const DISTANCES = Uint16Array.from([
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
]);
const DISTANCE_BITS = Uint8Array.from([
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
]);
const END_OF_BLOCK = 256;

function codedBlock(input: Input, output: Output, literal: Code, distance: Code): void {
  for (;;) {
    const symbol = decode(input, literal);
    if (symbol < END_OF_BLOCK) {
      window[output.position++] = symbol;
      if (output.position === WINDOW) show(output);
      continue;
    }
    if (symbol === END_OF_BLOCK) return;
    const size = symbol - END_OF_BLOCK - 1;
    if (size >= LENGTHS.length) corrupt(input, 'a length code up to 285', `${symbol}`);
    let length = LENGTHS[size]! + take(input, LENGTH_BITS[size]!);
    const step = decode(input, distance);
    if (step >= DISTANCES.length) corrupt(input, 'a distance code up to 29', `${step}`);
    const back = DISTANCES[step]! + take(input, DISTANCE_BITS[step]!);
    if (back > output.total + output.position) {
      corrupt(input, `a distance up to ${output.total + output.position}`, `${back}`);
    }
    let from = (output.position - back) & (WINDOW - 1);
    while (length-- > 0) {
      window[output.position++] = window[from]!;
      from = (from + 1) & (WINDOW - 1);
      if (output.position === WINDOW) show(output);
    }
  }
}

const FAST = 10;

/** A Huffman code: a table for short codes, counts and symbols in order of their codes for all. */
interface Code {
  /** By the next 10 bits: symbol · 16 + length, or 0 where the code is longer, or none. */
  readonly fast: Uint16Array;
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

function newCode(): Code {
  return { fast: new Uint16Array(1 << FAST), counts: new Uint16Array(16), symbols: new Uint16Array(288) };
}

function decode(input: Input, { fast, counts, symbols }: Code): number {
  while (input.count < 15 && input.at < input.bytes.length) {
    input.bits |= input.bytes[input.at++]! << input.count;
    input.count += 8;
  }
  const entry = fast[input.bits & ((1 << FAST) - 1)]!;
  let length = entry & 15;
  let symbol = entry >> 4;
  if (entry === 0) {
    // Canonical decoding: codes of a length are consecutive, and begin where those of the length before end, doubled.
    let code = 0;
    let first = 0;
    let index = 0;
    for (length = 1; ; length++) {
      if (length > 15) return corrupt(input, 'a Huffman code', 'bits that are none');
      if (length > input.count) return corrupt(input, 'an end', 'none');
      code |= (input.bits >>> (length - 1)) & 1;
      const count = counts[length]!;
      if (code - count < first) {
        symbol = symbols[index + code - first]!;
        break;
      }
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
  }
  if (length > input.count) return corrupt(input, 'an end', 'none');
  input.bits >>>= length;
  input.count -= length;
  return symbol;
}

const offsets = new Uint16Array(16);
const nextCode = new Uint16Array(16);

/** Builds the canonical code of `n` code lengths; says whether they make one. */
function build({ fast, counts, symbols }: Code, lengths: Uint8Array, n: number, complete: boolean): boolean {
  counts.fill(0);
  fast.fill(0);
  let longest = 0;
  for (let i = 0; i < n; i++) {
    counts[lengths[i]!]!++;
    longest = Math.max(longest, lengths[i]!);
  }
  counts[0] = 0;
  let free = 1;
  offsets[1] = 0;
  nextCode[1] = 0;
  for (let length = 1; length < 16; length++) {
    free = 2 * free - counts[length]!;
    if (free < 0) return false;
    if (length === 15) break;
    offsets[length + 1] = offsets[length]! + counts[length]!;
    nextCode[length + 1] = (nextCode[length]! + counts[length]!) << 1;
  }
  // As zlib: codes may be left over only where there is none, or one of a single bit.
  if (free > 0 && (complete || longest > 1)) return false;
  for (let i = 0; i < n; i++) {
    const length = lengths[i]!;
    if (length === 0) continue;
    symbols[offsets[length]!++] = i;
    const code = nextCode[length]!++;
    if (length > FAST) continue;
    let reversed = 0;
    for (let b = 0; b < length; b++) reversed |= ((code >> b) & 1) << (length - 1 - b);
    for (let at = reversed; at < 1 << FAST; at += 1 << length) fast[at] = (i << 4) | length;
  }
  return true;
}

const literals = newCode();
const distances = newCode();
const lengthCode = newCode();
const fixedLiterals = newCode();
const fixedDistances = newCode();
const lengths = new Uint8Array(288 + 32);
build(
  fixedLiterals,
  lengths.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288),
  288,
  true,
);
build(fixedDistances, lengths.fill(5, 0, 32), 32, true);

const ORDER = Uint8Array.from([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/** Reads the two codes of a dynamic block (RFC 1951, 3.2.7). */
function readCodes(input: Input): void {
  const literalCount = take(input, 5) + 257;
  const distanceCount = take(input, 5) + 1;
  const lengthCount = take(input, 4) + 4;
  if (literalCount > 286 || distanceCount > 30) {
    corrupt(input, 'at most 286 and 30 codes', `${literalCount} and ${distanceCount}`);
  }
  lengths.fill(0);
  for (let i = 0; i < lengthCount; i++) lengths[ORDER[i]!] = take(input, 3);
  if (!build(lengthCode, lengths, 19, true))
    corrupt(input, 'a code of code lengths', 'lengths that make none');
  lengths.fill(0);
  const all = literalCount + distanceCount;
  for (let i = 0; i < all; ) {
    const symbol = decode(input, lengthCode);
    if (symbol < 16) {
      lengths[i++] = symbol;
      continue;
    }
    if (symbol === 16 && i === 0) corrupt(input, 'a length to repeat', 'none');
    const value = symbol === 16 ? lengths[i - 1]! : 0;
    const times =
      symbol === 16 ? 3 + take(input, 2) : symbol === 17 ? 3 + take(input, 3) : 11 + take(input, 7);
    if (i + times > all) corrupt(input, `${all} code lengths`, 'more');
    lengths.fill(value, i, i + times);
    i += times;
  }
  if (lengths[END_OF_BLOCK] === 0) corrupt(input, 'a code for the end of the block', 'none');
  const ok =
    build(literals, lengths, literalCount, false) &&
    build(distances, lengths.subarray(literalCount), distanceCount, false);
  if (!ok) corrupt(input, 'Huffman codes', 'lengths that make none');
}
