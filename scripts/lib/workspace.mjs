// What `npm start`, `npm test` and the gates know about this repository: where it is, what is installed and built.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNode, runNpx } from './process.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const minimumNode = [20, 19];
const manifest = readJson(join(root, 'package.json'));

/** @param {string} file */
export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Ends the process with one line on standard error. @param {string} message @returns {never} */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Folders of the workspace that hold a package, with their manifests. */
export function packages() {
  return ['packages', 'apps', '.']
    .flatMap((parent) =>
      parent === '.'
        ? ['bench', 'quality']
        : readdirSync(join(root, parent)).map((name) => join(parent, name)),
    )
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readJson(join(folder, 'package.json')) }));
}

/** Packages that are published. */
export function publicPackages() {
  return packages().filter((p) => !p.manifest.private);
}

/**
 * Runs pnpm at the version that the repository names.
 *
 * @param {readonly string[]} args
 * @param {import('./process.mjs').RunOptions} [options]
 */
export function runPnpm(args, options = {}) {
  // With --package, or an npx that runs this (`npx -p node@24 npm test`) would hand down its own.
  return runNpx(['--yes', `--package=${manifest.packageManager}`, '--', 'pnpm', ...args], {
    cwd: root,
    ...options,
    env: { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', ...options.env },
  });
}

/**
 * Runs the command-line program of an installed package, without npx's start-up time.
 *
 * @param {string} name `'vitest'`
 * @param {readonly string[]} args
 * @param {import('./process.mjs').RunOptions & { bin?: string }} [options]
 */
export function runBin(name, args, { bin, ...options } = {}) {
  return runNode(binOf(name, bin), args, { cwd: root, ...options });
}

/** @param {string} name @param {string} [bin] */
function binOf(name, bin) {
  const folder = join(root, 'node_modules', name);
  const { bin: bins } = readJson(join(folder, 'package.json'));
  const file = typeof bins === 'string' ? bins : bins[bin ?? name.split('/').at(-1)];
  return join(folder, file);
}

/** Installs what the lockfile names, unless that has been done. */
export async function ensureInstalled() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < minimumNode[0] || (major === minimumNode[0] && minor < minimumNode[1])) {
    fail(`Poiesis needs Node ${minimumNode.join('.')} or newer; this is ${process.versions.node}.`);
  }
  const inputs = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'].map((file) => join(root, file));
  const manifests = packages().map(({ folder }) => join(folder, 'package.json'));
  await once('installed', [...inputs, ...manifests], async () => {
    process.stderr.write('Installing packages …\n');
    const { code } = await runPnpm(['install', '--frozen-lockfile'], {
      output: 'stderr',
      env: { CI: 'true' },
    });
    if (code !== 0) fail('The installation failed; what pnpm said is above.');
  });
}

/** Bundles the example app from the packages' sources, unless that has been done for these very sources. */
export async function ensureAppBuilt() {
  const app = join(root, 'apps', 'examples');
  const sources = publicPackages().flatMap(({ folder }) => filesBelow(join(folder, 'src')));
  const inputs = [
    ...sources,
    ...filesBelow(join(app, 'src')),
    join(app, 'tsup.config.ts'),
    join(app, 'package.json'),
  ];
  const main = join(app, 'dist', 'main.js');
  await once(
    'app-built',
    inputs,
    async () => {
      const { code, stdout, stderr } = await runBin('tsup', [], { cwd: app, output: 'capture' });
      if (code !== 0) fail(`${stdout}${stderr}\nThe example app could not be built; why is above.`);
    },
    [main],
  );
  return main;
}

/**
 * Does `work` unless it was done to its end with the same inputs and its outputs are still there.
 * The stamp is under node_modules, so that deleting that folder undoes it.
 *
 * @param {string} name
 * @param {string[]} inputs files
 * @param {() => Promise<void>} work
 * @param {string[]} outputs files
 */
async function once(name, inputs, work, outputs = []) {
  const stamp = join(root, 'node_modules', '.poiesis', name);
  const hash = fingerprint(inputs);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash && outputs.every((file) => existsSync(file)))
    return;
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

/** @param {string[]} files */
function fingerprint(files) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of files.sort()) {
    hash.update(`\0${relative(root, file).split(sep).join('/')}\0`);
    if (existsSync(file)) hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}
