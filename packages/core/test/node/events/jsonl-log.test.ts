import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileFormatError, memoryStore, type StorageError, type TrainEvent } from '@poiesis/core';
import { eventJson, jsonlLog } from '@poiesis/core/node';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from './runs';

const dir = mkdtempSync(join(tmpdir(), 'poiesis-log-'));
let path = '';
let count = 0;
beforeEach(() => {
  path = join(dir, 'deep', `${count++}.jsonl`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const parsed = (file = path) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as TrainEvent);
const told = (events: readonly TrainEvent[]) => events.map(({ type, step }) => `${type} ${step}`);
const withoutTimes = (events: readonly TrainEvent[]) =>
  events.filter(({ type }) => type !== 'start').map((e) => ('seconds' in e ? { ...e, seconds: 0 } : e));

describe('jsonlLog', () => {
  it('writes every event, each as one line, as it happens', async () => {
    const log = jsonlLog(path);
    const seen: number[] = [];
    const events = await run(
      {
        async read(event) {
          await log.read(event);
          seen.push(parsed().length);
        },
        close: log.close,
      },
      { steps: 5, evaluate: () => ({ accuracy: 0.5 }) },
    );
    expect(parsed()).toEqual(events);
    expect(seen).toEqual(events.map((_, i) => i + 1));
  });

  it('has every step once after a crash and a resume', async () => {
    const options = { steps: 9, checkpointEvery: 3, evaluate: () => ({ accuracy: 0.5 }) };
    await run(jsonlLog(path), { ...options, checkpoints: memoryStore() });
    const whole = withoutTimes(parsed());
    for (let until = 1; until < 9; until++) {
      const store = memoryStore();
      await run(jsonlLog(path), { ...options, checkpoints: store, until });
      appendFileSync(path, '{"type":"step","st'); // the line that the crash tore
      await run(jsonlLog(path), { ...options, checkpoints: store, resume: true });
      expect(withoutTimes(parsed())).toEqual(whole);
    }
  });

  it('forgets that a run was aborted once it is resumed', async () => {
    const store = memoryStore();
    await run(jsonlLog(path), { steps: 4, checkpoints: store }); // the epoch's late end comes after the checkpoint
    expect(told(parsed())).toEqual([
      'start 0',
      'step 1',
      'step 2',
      'step 3',
      'step 4',
      'checkpoint 4',
      'done 4',
    ]);
    await run(jsonlLog(path), { steps: 5, checkpoints: store, resume: true });
    expect(told(parsed()).slice(5)).toEqual([
      'checkpoint 4',
      'start 4',
      'epoch 4',
      'step 5',
      'checkpoint 5',
      'done 5',
    ]);
  });

  it('starts anew with a run that starts anew', async () => {
    await run(jsonlLog(path), { steps: 5 });
    await run(jsonlLog(path), { steps: 2 });
    expect(told(parsed())).toEqual(['start 0', 'step 1', 'step 2', 'done 2']);
    truncateSync(path, 9);
    await run(jsonlLog(path), { steps: 1 });
    expect(told(parsed())).toEqual(['start 0', 'step 1', 'done 1']);
  });

  it.each(['a letter\nto a friend\n', 'a letter', '{"type":1}\n', '[1]\n'])(
    'leaves %j alone: it is no log',
    async (content) => {
      await run(jsonlLog(path), { steps: 1 });
      writeFileSync(path, content);
      const error = await run(jsonlLog(path), { steps: 1 }).catch((e) => e);
      expect(FileFormatError.isInstance(error)).toBe(true);
      expect(error.message).toContain(`${path} at byte 0: expected a line of an event log`);
      expect(readFileSync(path, 'utf8')).toBe(content);
    },
  );

  it('names a file that cannot be opened', async () => {
    writeFileSync(join(dir, 'file'), '');
    await expect(run(jsonlLog(join(dir, 'file', 'log.jsonl')), { steps: 1 })).rejects.toMatchObject({
      code: 'storage',
      operation: 'write',
    });
  });
});

it('eventJson leaves out what JSON cannot hold', () => {
  const sample = (value: unknown) => JSON.parse(eventJson({ type: 'sample', step: 1, value }));
  expect(sample('a poem')).toEqual({ type: 'sample', step: 1, value: 'a poem' });
  expect(sample([{ a: 1 }, null])).toHaveProperty('value');
  const image = { data: new Uint8Array(1), width: 1, height: 1, channels: 1 };
  const tensor = tf.scalar(1);
  for (const value of [image, [image], tensor, undefined, new Map()]) {
    expect(sample(value)).toEqual({ type: 'sample', step: 1 });
  }
  tensor.dispose();
});

/** A file system of 64 kB that is really full, where this user may mount one. */
const small = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const at = mkdtempSync(join(tmpdir(), 'poiesis-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at], { stdio: 'ignore' });
    return at;
  } catch {
    rmSync(at, { recursive: true, force: true });
    return undefined;
  }
})();
afterAll(() => {
  if (!small) return;
  execFileSync('umount', [small]);
  rmSync(small, { recursive: true, force: true });
});

it.skipIf(!small)('outlives a full disk, and catches up when there is room again', async () => {
  const file = join(small!, 'log.jsonl');
  const ballast = join(small!, 'ballast');
  const errors: StorageError[] = [];
  const log = jsonlLog(file, { onError: (error) => errors.push(error) });
  const events = await run(
    {
      async read(event) {
        if (event.step === 3 && event.type === 'step') {
          // All pages but the log's own: that one fills up too, in the middle of a line.
          for (let i = 0; i < 100; i++) {
            try {
              appendFileSync(ballast, Buffer.alloc(1024));
            } catch {
              break;
            }
          }
        }
        if (event.step === 150 && event.type === 'step') {
          const lines = readFileSync(file, 'utf8').split('\n');
          expect(lines.at(-1)).toBe('');
          expect(lines.length).toBeLessThan(150);
          rmSync(ballast);
        }
        await log.read(event);
      },
      close: log.close,
    },
    { steps: 200 },
  );
  expect(parsed(file)).toEqual(events);
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatchObject({ code: 'storage', systemCode: 'ENOSPC', path: file });
});

it('warns once where nobody listens', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { AppendFile } = await import('../../../src/node/events/append-file');
  const file = await AppendFile.open(path, async () => 0);
  await file.append(Buffer.from('a'));
  await file.close();
  // A closed handle stands for a device that fails.
  await file.append(Buffer.from('b'));
  await file.append(Buffer.from('c'));
  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.calls[0]![0]).toContain('the run goes on');
  expect(existsSync(path) && readFileSync(path, 'utf8')).toBe('a');
  warn.mockRestore();
});
