// Gates on what would be published: build, pack, publint, attw.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { publicPackages, root, runBin, runPnpm } from '../lib/workspace.mjs';
import { succeed } from './gates.mjs';

const folder = join(root, 'node_modules', '.poiesis', 'tarballs');

/**
 * @param {import('./gates.mjs').Gates} gates
 * @returns {Promise<Record<string, string> | undefined>} tarballs by package name, where all could be built
 */
export async function packGates(gates) {
  const names = publicPackages().flatMap(({ manifest: { name } }) => [`publint ${name}`, `attw ${name}`]);
  const needed = ['build', 'size', 'consume', ...names].some((name) => gates.touches(name));
  if (!needed) return undefined;
  let tarballs;
  const build = async () => {
    tarballs = await buildAndPack();
  };
  if (gates.wants('build')) await gates.run('build and pack', build);
  else await build();
  if (!tarballs) return undefined;
  for (const [name, tarball] of Object.entries(tarballs)) {
    await gates.run(`publint ${name}`, () =>
      succeed(runBin('publint', ['run', tarball, '--strict'], { output: 'capture' })),
    );
    // `node16`: resolution from before package exports (Node 10) cannot see a subpath such as /node.
    await gates.run(`attw ${name}`, () =>
      succeed(
        runBin('@arethetypeswrong/cli', [tarball, '--profile', 'node16', '--no-emoji', '--format', 'ascii'], {
          bin: 'attw',
          output: 'capture',
        }),
      ),
    );
  }
  return tarballs;
}

/** @returns {Promise<Record<string, string>>} */
export async function buildAndPack() {
  await succeed(
    runPnpm(['exec', 'turbo', 'run', 'build', '--filter=./packages/*', '--output-logs=errors-only'], {
      output: 'capture',
    }),
  );
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  /** @type {Record<string, string>} */
  const tarballs = {};
  for (const { folder: source, manifest } of publicPackages()) {
    await succeed(runPnpm(['pack', '--pack-destination', folder], { cwd: source, output: 'capture' }));
    const start = manifest.name.replace('@', '').replace('/', '-');
    const file = readdirSync(folder).find((name) => name === `${start}-${manifest.version}.tgz`);
    if (!file) throw new Error(`pnpm pack left no tarball of ${manifest.name}`);
    tarballs[manifest.name] = join(folder, file);
  }
  return tarballs;
}
