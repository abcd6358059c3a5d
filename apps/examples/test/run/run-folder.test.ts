import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunFolder } from '../../src/run/run-folder';

describe('RunFolder.startAnew', () => {
  let parent: string;
  let folder: RunFolder;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'poiesis run '));
    folder = new RunFolder(join(parent, 'a', 'run'));
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  async function fill(...files: string[]) {
    for (const file of files) {
      await mkdir(join(folder.path, file, '..'), { recursive: true });
      await writeFile(join(folder.path, file), '{}');
    }
  }

  it('makes the folder', async () => {
    expect(await folder.startAnew()).toBeNull();
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('replaces a finished run, and leaves the user’s own files', async () => {
    await fill('config.json', 'metrics.json', 'events.jsonl', 'checkpoints/1', 'notes.txt');
    expect(await folder.startAnew()).toBeNull();
    expect(await readdir(folder.path)).toEqual(['notes.txt']);
  });

  it('moves a run that can be resumed aside', async () => {
    await fill('config.json', 'checkpoints/1');
    expect(await folder.startAnew()).toBe(`${folder.path}-interrupted-1`);
    await fill('config.json', 'checkpoints/1');
    expect(await folder.startAnew()).toBe(`${folder.path}-interrupted-2`);
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('does not touch a folder of something else', async () => {
    await fill('thesis.tex');
    await expect(folder.startAnew()).rejects.toThrow('holds files that no run has made');
    expect(await readdir(folder.path)).toEqual(['thesis.tex']);
  });

  it('says in one line where the folder cannot be', async () => {
    await writeFile(join(parent, 'a'), 'a file');
    await expect(folder.startAnew()).rejects.toMatchObject({ name: 'ExampleError', exitCode: 1 });
  });
});
