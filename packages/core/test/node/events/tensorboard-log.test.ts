import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '@poiesis/core';
import { tensorBoardLog } from '@poiesis/core/node';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/node/events/crc32c';
import { restartEvent, summaryEvent, versionEvent } from '../../../src/node/events/event-proto';
import { tfRecord } from '../../../src/node/events/tf-record';
import { run } from './runs';

const dir = mkdtempSync(join(tmpdir(), 'poiesis-tb-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

it('crc32c agrees with RFC 3720, appendix B.4', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

describe('the bytes', () => {
  // Written by tensorboard 2.21: tensorboard.compat.proto's messages, and RecordWriter for the framing.
  const golden = {
    version: '1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c',
    restart: '100000000000000095fbfe1809000000000000f83f10ac023a020801713b788a',
    scalars:
      '34000000000000005e33175c09000000000000f83f10072a270a150a0e6c6f73732f67656e657261746f72150000403f0a0e0a076c6f73732fc3a9155f7089b02c11f5fd',
    picture:
      '2a00000000000000ae8d91f509000000000000f83f108080808080202a180a160a0673616d706c65220c081410ac0218032203010203e5881a30',
  };

  it('of events and records are those that tensorboard writes', () => {
    const png = Uint8Array.of(1, 2, 3);
    const made = {
      version: versionEvent(1.5),
      restart: restartEvent(1.5, 300),
      scalars: summaryEvent(1.5, 7, [
        { tag: 'loss/generator', scalar: 0.75 },
        { tag: 'loss/é', scalar: -1e-9 },
      ]),
      picture: summaryEvent(1.5, 2 ** 40, [
        { tag: 'sample', picture: { height: 20, width: 300, colorspace: 3, png } },
      ]),
    };
    expect(
      Object.fromEntries(Object.entries(made).map(([name, bytes]) => [name, hex(tfRecord(bytes))])),
    ).toEqual(golden);
  });
});

describe('tensorBoardLog', () => {
  it('writes losses, metrics and pictures, and marks where a resumed run begins', async () => {
    const folder = join(dir, 'run');
    const checkpoints = memoryStore();
    const image = { data: new Uint8Array(12), width: 2, height: 2, channels: 3 as const };
    const options = { checkpoints, evaluate: () => ({ accuracy: 0.5 }) };
    await run(tensorBoardLog(folder), { ...options, steps: 2, sample: () => image });
    const [first] = readdirSync(folder);
    expect(first).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    const events = records(readFileSync(join(folder, first!)));
    expect(events).toHaveLength(1 + 2 + 1 + 1);
    const text = events.map((e) => e.toString('latin1'));
    expect(text[0]).toContain('brain.Event:2');
    expect(text[1]).toContain('loss/loss');
    expect(text[3]).toContain('evaluation/accuracy');
    expect(text[4]).toContain('sample');
    expect(text[4]).toContain('PNG');

    const other = join(dir, 'resumed');
    await run(tensorBoardLog(other), {
      ...options,
      steps: 4,
      resume: true,
      sample: () => ({ a: image, b: 'text' }),
    });
    const resumed = records(readFileSync(join(other, readdirSync(other)[0]!)));
    expect(hex(resumed[1]!).slice(18)).toBe(hex(restartEvent(0, 3)).slice(18)); // after the time
    expect(resumed.at(-1)!.toString('latin1')).toContain('sample/a');
  });
});

/** The data of each record, with lengths and checksums checked. */
function records(file: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(hex(tfRecord(data))).toBe(hex(file.subarray(at, at + 16 + length)));
    found.push(data);
    at += 16 + length;
  }
  return found;
}
