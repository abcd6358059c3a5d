import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hostTensor, storeFor, type TrainingCheckpoint } from '../../../src/checkpoint';
import { ArgumentError, FileFormatError, StorageError } from '../../../src/errors';
import { type DamagedCheckpoint, directoryStore } from '../../../src/node/checkpoint';
import { bitFlips, growth, overwriting, truncation } from '../../checkpoint/hostile';

// The real functions, watched: a test makes one of them fail.
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  return { ...real, open: vi.fn(real.open), rename: vi.fn(real.rename), rm: vi.fn(real.rm) };
});

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'poiesis-store-'));
});
afterEach(() => {
  vi.clearAllMocks();
  rmSync(dir, { recursive: true, force: true });
});

function checkpoint(step: number, size = 100): TrainingCheckpoint {
  return {
    step,
    state: { model: { weight: hostTensor(new Float32Array(size).fill(step), [size]) } },
    cursor: { epoch: 0, index: step },
    seed: 1,
    meta: {},
  };
}

const list = () => readdirSync(dir).sort();

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe('directoryStore', () => {
  it('gives the newest, and null where there is none', async () => {
    const store = directoryStore(join(dir, 'deep', 'er'));
    expect(await store.latest()).toBeNull();
    expect(await store.save(checkpoint(10))).toBe('000001-step-10.safetensors');
    expect(await store.save(checkpoint(20))).toBe('000002-step-20.safetensors');
    expect(await store.latest()).toEqual(checkpoint(20));
    expect(await directoryStore(join(dir, 'deep', 'er')).latest()).toEqual(checkpoint(20));
  });

  it('keeps the last ones, and files that are not its own', async () => {
    writeFileSync(join(dir, 'best.safetensors'), 'mine');
    writeFileSync(join(dir, '.notes.tmp'), 'mine');
    const store = directoryStore(dir, { keep: 2 });
    for (const step of [1, 2, 3, 4]) await store.save(checkpoint(step));
    expect(list()).toEqual([
      '.notes.tmp',
      '000003-step-3.safetensors',
      '000004-step-4.safetensors',
      'best.safetensors',
    ]);
  });

  it('takes the last saved for the newest, also after a new start in an old folder', async () => {
    const store = directoryStore(dir);
    await store.save(checkpoint(2000));
    await store.save(checkpoint(100));
    expect((await store.latest())!.step).toBe(100);
  });

  it('counts on beyond a million', async () => {
    const store = directoryStore(dir);
    await store.save(checkpoint(1));
    await fs.rename(join(dir, '000001-step-1.safetensors'), join(dir, '999999-step-1.safetensors'));
    await store.save(checkpoint(2));
    expect(await store.save(checkpoint(3))).toBe('1000001-step-3.safetensors');
    expect((await store.latest())!.step).toBe(3);
  });

  it('saves one after the other, however it is called', async () => {
    const store = directoryStore(dir, { keep: 9 });
    const names = await Promise.all([1, 2, 3].map((step) => store.save(checkpoint(step))));
    expect(names).toEqual(list());
    expect((await store.latest())!.step).toBe(3);
  });

  it('removes what a killed process left, and nothing that is being written', async () => {
    const leftover = '.000007-step-9.safetensors.0f0e0d0c-0000-4000-8000-000000000000.tmp';
    writeFileSync(join(dir, leftover), 'half');
    const store = directoryStore(dir);
    expect(await store.latest()).toBeNull();
    expect(list()).toEqual([leftover]); // readers change nothing
    await Promise.all([store.save(checkpoint(1)), directoryStore(dir).save(checkpoint(2))]);
    expect(list()).not.toContain(leftover);
    expect(list().every((name) => /^00000\d-step-\d\.safetensors$/.test(name))).toBe(true);
  });

  it('passes over damaged ones and reports each', async () => {
    const reports: DamagedCheckpoint[] = [];
    const store = directoryStore(dir, { keep: 9, onDamaged: (d) => reports.push(d) });
    const names = [];
    for (const step of [1, 2, 3, 4]) names.push(await store.save(checkpoint(step)));
    truncateSync(join(dir, names[3]!), 50);
    const bytes = readFileSync(join(dir, names[2]!));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(dir, names[2]!), bytes);
    expect(await store.latest()).toEqual(checkpoint(2));
    expect(reports.map(({ name }) => name)).toEqual([names[3], names[2]]);
    expect(reports[1]!.error.message).toMatch(
      /^.*000003-step-3\.safetensors: expected content with checksum/,
    );
    expect(reports.every(({ error }) => FileFormatError.isInstance(error))).toBe(true);
  });

  it('is not silent by default', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    writeFileSync(join(dir, '000001-step-1.safetensors'), '');
    expect(await directoryStore(dir).latest()).toBeNull();
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('passed over a damaged checkpoint'));
    warn.mockRestore();
  });

  it('is what a path means', async () => {
    await storeFor(dir).save(checkpoint(5));
    expect(list()).toEqual(['000001-step-5.safetensors']);
  });

  it('checks its arguments', async () => {
    expect(() => directoryStore('')).toThrow(expect.toSatisfy(ArgumentError.isInstance));
    expect(() => directoryStore(dir, { keep: 0 })).toThrow(expect.toSatisfy(ArgumentError.isInstance));
    await expect(directoryStore(dir).save(checkpoint(-1))).rejects.toSatisfy(ArgumentError.isInstance);
  });
});

describe('the order of things', () => {
  it('is write, flush, rename, flush the folder, remove', async () => {
    const store = directoryStore(dir, { keep: 1 });
    await store.save(checkpoint(1));
    const log: string[] = [];
    const real = vi.mocked(fs.open).getMockImplementation()!;
    vi.mocked(fs.open).mockImplementation(async (...args) => {
      const handle = await real(...args);
      const what = args[1] === 'r' ? 'folder' : 'file';
      const { sync, write } = handle;
      handle.write = ((...a: Parameters<typeof write>) => {
        if (log.at(-1) !== 'write file') log.push('write file');
        return write.apply(handle, a);
      }) as typeof write;
      handle.sync = () => {
        log.push(`flush ${what}`);
        return sync.call(handle);
      };
      return handle;
    });
    const realRename = vi.mocked(fs.rename).getMockImplementation()!;
    vi.mocked(fs.rename).mockImplementationOnce((...args) => {
      log.push('rename');
      return realRename(...args);
    });
    const realRm = vi.mocked(fs.rm).getMockImplementation()!;
    vi.mocked(fs.rm).mockImplementation((...args) => {
      log.push('remove');
      return realRm(...args);
    });
    await store.save(checkpoint(2));
    vi.mocked(fs.open).mockImplementation(real);
    vi.mocked(fs.rm).mockImplementation(realRm);
    expect(log).toEqual(['write file', 'flush file', 'rename', 'flush folder', 'remove']);
  });
});

it.each([
  ['EINVAL', true],
  ['EIO', false],
])('a folder that reports %s when flushed', async (code, saved) => {
  const real = vi.mocked(fs.open).getMockImplementation()!;
  vi.mocked(fs.open).mockImplementation(async (...args) => {
    const handle = await real(...args);
    if (args[1] === 'r') handle.sync = () => Promise.reject(systemError(code));
    return handle;
  });
  const saving = directoryStore(dir).save(checkpoint(1));
  if (saved) await expect(saving).resolves.toBe('000001-step-1.safetensors');
  else await expect(saving).rejects.toSatisfy(StorageError.isInstance);
  vi.mocked(fs.open).mockImplementation(real);
});

describe('a failing disk', () => {
  async function failAt(what: 'open' | 'write' | 'sync' | 'close' | 'rename', code: string) {
    const store = directoryStore(dir, { keep: 1 });
    await store.save(checkpoint(1));
    writeFileSync(join(dir, 'events.jsonl'), 'log');
    const real = vi.mocked(fs.open).getMockImplementation()!;
    const fail = async () => {
      throw systemError(code);
    };
    if (what === 'rename') vi.mocked(fs.rename).mockImplementationOnce(fail);
    else {
      vi.mocked(fs.open).mockImplementationOnce(async (...args) => {
        if (what === 'open') return fail();
        const handle = await real(...args);
        const { write, close } = handle;
        let writes = 0;
        // The second write fails: the header is on the disk by then.
        if (what === 'write')
          handle.write = ((...a: Parameters<typeof write>) =>
            writes++ ? fail() : write.apply(handle, a)) as typeof write;
        if (what === 'sync') handle.sync = fail;
        if (what === 'close') handle.close = () => close.call(handle).then(fail);
        return handle;
      });
    }
    const error = await store.save(checkpoint(2)).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(list()).toEqual(['000001-step-1.safetensors', 'events.jsonl']);
    expect(readFileSync(join(dir, 'events.jsonl'), 'utf8')).toBe('log');
    expect(await store.latest()).toEqual(checkpoint(1));
    // Room again: it goes on.
    await store.save(checkpoint(3));
    expect(await store.latest()).toEqual(checkpoint(3));
    expect(StorageError.isInstance(error), String(error)).toBe(true);
    return error as StorageError;
  }

  it.each(['open', 'write', 'sync', 'close', 'rename'] as const)(
    'that is full at %s costs no checkpoint',
    async (what) => {
      const error = await failAt(what, 'ENOSPC');
      expect(error).toMatchObject({
        code: 'storage',
        operation: 'write',
        systemCode: 'ENOSPC',
        path: join(dir, '000002-step-2.safetensors'),
        reason: 'the disk is full',
      });
      if (what !== 'rename') {
        expect(error.needed).toBeGreaterThan(400);
        expect(error.message).toMatch(
          /000002-step-2\.safetensors: cannot write \d+ bytes: the disk is full \(\d+ bytes free\)$/,
        );
      }
    },
  );

  it.each([
    ['EIO', 'the device reports an error'],
    ['EDQUOT', 'the disk quota is used up'],
    ['EROFS', 'the file system is read-only'],
    ['EWEIRD', 'EWEIRD'],
  ])('that reports %s does so as a typed error', async (code, reason) => {
    expect(await failAt('write', code)).toMatchObject({ systemCode: code, reason });
  });

  it('that cannot read one checkpoint gives the one before', async () => {
    const reports: DamagedCheckpoint[] = [];
    const store = directoryStore(dir, { onDamaged: (d) => reports.push(d) });
    await store.save(checkpoint(1));
    await store.save(checkpoint(2));
    vi.mocked(fs.open).mockImplementationOnce(() => Promise.reject(systemError('EIO')));
    expect((await store.latest())!.step).toBe(1);
    expect(reports).toMatchObject([{ name: '000002-step-2.safetensors', error: { systemCode: 'EIO' } }]);
    // Removed while it was looked at: nothing to report.
    vi.mocked(fs.open).mockImplementationOnce(() => Promise.reject(systemError('ENOENT')));
    expect((await store.latest())!.step).toBe(1);
    expect(reports).toHaveLength(1);
    // No right to read is nobody's damage.
    vi.mocked(fs.open).mockImplementationOnce(() => Promise.reject(systemError('EACCES')));
    await expect(store.latest()).rejects.toThrow('permission denied');
  });

  it('that keeps an old checkpoint from being removed does not fail the save', async () => {
    const store = directoryStore(dir, { keep: 1 });
    await store.save(checkpoint(1));
    vi.mocked(fs.rm).mockImplementationOnce(() => Promise.reject(systemError('EBUSY')));
    await store.save(checkpoint(2));
    expect(list()).toHaveLength(2);
    await store.save(checkpoint(3));
    expect(list()).toEqual(['000003-step-3.safetensors']);
  });

  it('a path that is a file is a typed error', async () => {
    writeFileSync(join(dir, 'file'), '');
    await expect(directoryStore(join(dir, 'file')).save(checkpoint(1))).rejects.toSatisfy(
      StorageError.isInstance,
    );
    await expect(directoryStore(join(dir, 'file')).latest()).rejects.toThrow(
      'a part of the path is no folder',
    );
    await expect(directoryStore(join(dir, 'file', 'sub')).save(checkpoint(1))).rejects.toSatisfy(
      StorageError.isInstance,
    );
  });
});

describe('property:', () => {
  it('the newest intact one is found, whichever are damaged (60)', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.oneof(bitFlips, overwriting, truncation, growth)), {
          minLength: 1,
          maxLength: 4,
        }),
        async (damages) => {
          const folder = mkdtempSync(join(dir, 'p-'));
          const reports: string[] = [];
          const store = directoryStore(folder, { keep: 9, onDamaged: ({ name }) => reports.push(name) });
          let intact: number | undefined;
          for (const [i, damage] of damages.entries()) {
            const path = join(folder, await store.save(checkpoint(i, 3)));
            const bytes = readFileSync(path);
            const damaged = damage ? damage(bytes) : bytes;
            writeFileSync(path, damaged);
            if (Buffer.compare(bytes, damaged) === 0) intact = i;
          }
          expect((await store.latest())?.step).toBe(intact);
          expect(reports).toHaveLength(damages.length - 1 - (intact ?? -1));
        },
      ),
      { numRuns: 60, seed: 5 },
    ));
});

/** A file system of one megabyte that is really full, where this user may mount one. */
const mounted = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const at = mkdtempSync(join(tmpdir(), 'poiesis-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at], { stdio: 'ignore' });
    return at;
  } catch {
    rmSync(at, { recursive: true, force: true });
    return undefined;
  }
})();
afterAll(() => {
  if (!mounted) return;
  execFileSync('umount', [mounted]);
  rmSync(mounted, { recursive: true, force: true });
});

// Elsewhere the injected failures above stand for it.
if (mounted) {
  it('a disk that is really full loses nothing', async () => {
    writeFileSync(join(mounted, 'events.jsonl'), 'log\n');
    const store = directoryStore(join(mounted, 'checkpoints'));
    const half = 120_000; // floats: 480 kB
    await store.save(checkpoint(1, half));
    await store.save(checkpoint(2, half));
    const failed = store.save(checkpoint(3, half));
    await expect(failed).rejects.toMatchObject({ systemCode: 'ENOSPC', reason: 'the disk is full' });
    await expect(failed).rejects.toThrow(/cannot write 480\d\d\d bytes: the disk is full \(\d+ bytes free\)/);
    expect(readdirSync(join(mounted, 'checkpoints')).sort()).toEqual([
      '000001-step-1.safetensors',
      '000002-step-2.safetensors',
    ]);
    expect(readFileSync(join(mounted, 'events.jsonl'), 'utf8')).toBe('log\n');
    expect((await store.latest())!.step).toBe(2);
    rmSync(join(mounted, 'checkpoints', '000001-step-1.safetensors'));
    await store.save(checkpoint(3, half));
    expect((await store.latest())!.step).toBe(3);
  });
}
