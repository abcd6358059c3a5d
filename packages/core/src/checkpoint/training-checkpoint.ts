import { ArgumentError, checkArgument, FileFormatError } from '../errors';
import type { ByteSource } from './byte-source';
import { copyBytes } from './convert';
import { type Checksum, crc32 } from './crc32';
import type { HostTensor, StateDict } from './host-tensor';
import { readHeader, readTensors, safetensorsParts } from './safetensors';
import type { TrainingCheckpoint } from './store';

/*
 * A training checkpoint is one safetensors file that any reader of the format opens. Tensors are named
 * `<state>/<key>`; everything else is JSON in the metadata. The checksum covers the whole file, header included: it is
 * computed with its own eight digits as zeros.
 */
const CONTENT = 'poiesis.checkpoint';
const CHECKSUM = 'poiesis.crc32';
const ZEROS = '00000000';
const VERSION = 1;

interface Content {
  version: number;
  step: number;
  seed: number;
  cursor: { epoch: number; index: number };
  /** Named here too, so that a state without tensors comes back. */
  states: string[];
  meta: Record<string, unknown>;
}

/**
 * The parts of a checkpoint's file, in order. Tensors are not copied: write the parts before the state changes.
 * @throws ArgumentError for state names with `/`, counts that are no whole numbers, and meta that is not JSON
 */
export function encodeCheckpoint(checkpoint: TrainingCheckpoint, checksum: Checksum = crc32): Uint8Array[] {
  const { step, state, cursor, seed, meta } = checkpoint;
  const content: Content = { version: VERSION, step, seed, cursor, states: Object.keys(state), meta };
  for (const [name, value, min] of [
    ['step', step, 0],
    ['seed', seed, Number.MIN_SAFE_INTEGER],
    ['cursor.epoch', cursor.epoch, 0],
    ['cursor.index', cursor.index, 0],
  ] as const) {
    const fine = Number.isSafeInteger(value) && value >= min;
    checkArgument(fine, 'save', name, min === 0 ? 'a whole number' : 'an integer', value);
  }
  checkJson(meta, 'meta', 0);

  const tensors: [string, HostTensor][] = [];
  for (const [name, dict] of Object.entries(state)) {
    checkArgument(name !== '' && !name.includes('/'), 'save', 'state', 'names without "/"', name);
    for (const [key, tensor] of Object.entries(dict)) tensors.push([`${name}/${key}`, tensor]);
  }
  const metadata = { format: 'pt', [CHECKSUM]: ZEROS, [CONTENT]: JSON.stringify(content) };
  const parts = safetensorsParts(Object.fromEntries(tensors), metadata);
  const digits = hex(parts.reduce((crc, part) => checksum(part, crc), 0));
  const header = parts[0]!;
  header.set(new TextEncoder().encode(digits), digitsAt(header)!);
  return parts;
}

/**
 * Reads a checkpoint and verifies its checksum.
 * @throws FileFormatError where the file is damaged or no training checkpoint
 */
export async function readCheckpoint(
  source: ByteSource,
  checksum: Checksum = crc32,
): Promise<TrainingCheckpoint> {
  const file = source.name;
  const { header, bytes } = await readHeader(source);
  const place = digitsAt(bytes);
  const json = Object.hasOwn(header.metadata, CONTENT) ? header.metadata[CONTENT] : undefined;
  if (place === undefined || json === undefined) {
    throw new FileFormatError({ file, expected: 'a training checkpoint', received: 'other safetensors' });
  }
  const zeroed = copyBytes(bytes);
  zeroed.fill(0x30, place, place + ZEROS.length);
  let crc = checksum(zeroed);
  const tensors = await readTensors(source, header.tensors, (run) => {
    crc = checksum(run, crc);
  });
  const stored = header.metadata[CHECKSUM];
  if (stored !== hex(crc)) {
    throw new FileFormatError({ file, expected: `content with checksum ${stored}`, received: hex(crc) });
  }
  const content = parseContent(json, file);
  const states = new Map(content.states.map((name) => [name, [] as [string, HostTensor][]]));
  for (const [name, tensor] of tensors) {
    const slash = name.indexOf('/');
    const entries = states.get(name.slice(0, slash));
    if (slash < 0 || !entries) {
      throw new FileFormatError({
        file,
        expected: 'tensors named <state>/<key>',
        received: JSON.stringify(name),
      });
    }
    entries.push([name.slice(slash + 1), tensor]);
  }
  const state = Object.fromEntries(
    [...states].map(([name, dict]) => [name, Object.fromEntries(dict) as StateDict]),
  );
  const { step, seed, cursor, meta } = content;
  return { step, state, cursor, seed, meta };
}

function parseContent(json: string, file: string): Content {
  let content: Content;
  try {
    content = JSON.parse(json);
  } catch (cause) {
    throw new FileFormatError({
      file,
      expected: `JSON in metadata "${CONTENT}"`,
      received: 'other text',
      cause,
    });
  }
  if (content?.version !== VERSION) {
    const received = `version ${JSON.stringify(content?.version)}`;
    throw new FileFormatError({ file, expected: `a checkpoint of version ${VERSION}`, received });
  }
  const { step, seed, cursor, states, meta } = content;
  const whole = [step, cursor?.epoch, cursor?.index].every((n) => Number.isSafeInteger(n) && n >= 0);
  const named = Array.isArray(states) && states.every((name) => typeof name === 'string');
  if (!whole || !Number.isSafeInteger(seed) || !named || typeof meta !== 'object' || meta === null) {
    throw new FileFormatError({ file, expected: 'step, seed, cursor, states and meta', received: 'others' });
  }
  return content;
}

/** Place of the checksum's digits in a header. Within JSON strings quotes are escaped, so nothing else looks like it. */
function digitsAt(header: Uint8Array): number | undefined {
  const mark = `"${CHECKSUM}":"`;
  // latin1: one character a byte, so that places in the text are places in the bytes.
  const at = new TextDecoder('latin1').decode(header).indexOf(mark);
  return at < 0 ? undefined : at + mark.length;
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

/** Values that JSON cannot hold would come back as others: better an error when saving than a surprise on resume. */
function checkJson(value: unknown, path: string, depth: number): void {
  const fail = (received: unknown): never => {
    throw new ArgumentError({ fn: 'save', argument: path, expected: 'plain JSON', received });
  };
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) fail(value);
  } else if (depth > 64) fail('more than 64 levels');
  else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) checkJson(item, `${path}[${i}]`, depth + 1);
  } else if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) checkJson(item, `${path}.${key}`, depth + 1);
    }
  } else fail(value);
}
