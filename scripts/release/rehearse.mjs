// A release, all of it, against a registry on this machine: copies the tree, raises the versions, publishes every
// package, installs each of them alone into empty projects as their READMEs say, and runs the READMEs' snippets.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { succeed } from '../gates/gates.mjs';
import { runReadme } from '../gates/readme.mjs';
import { run, runNode, runNpm, startNode } from '../lib/process.mjs';
import { ensureInstalled, publicPackages, readJson, root } from '../lib/workspace.mjs';

// The newest that runs on Node 20.
const verdaccio = 'verdaccio@6.7.4';

await ensureInstalled();
const folder = mkdtempSync(join(tmpdir(), 'poiesis-release-'));
/** @type {{ kill: () => void } | undefined} */
let registry;
try {
  const { url, server, token } = await step(`Start ${verdaccio}`, startRegistry);
  registry = server;
  const copy = join(folder, 'repository');
  await step('Copy the tree', () => copyTree(copy));
  await step('Raise the versions', () => raiseVersions(copy));
  writeFileSync(
    join(copy, '.npmrc'),
    `@poiesis:registry=${url}\n${url.replace('http:', '')}:_authToken=${token}\n`,
  );
  await step('Publish', async () => {
    const file = join(copy, 'scripts', 'release', 'publish.mjs');
    // No provenance: only a build that a registry trusts can sign it.
    const env = { CI: 'true', NPM_CONFIG_PROVENANCE: 'false' };
    process.stdout.write(
      await succeed(runNode(file, ['--registry', url], { cwd: copy, output: 'capture', env })),
    );
  });
  for (const { folder: source, manifest } of publicPackages()) {
    await step(`Install ${manifest.name} alone, run its README`, async () => {
      const project = join(folder, manifest.name.replace('/', '-'));
      mkdirSync(project);
      writeFileSync(join(project, '.npmrc'), `registry=${url}\n`);
      writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true }));
      // Where CUDA's tools are, onnxruntime-node's install script would fetch more than npm packages.
      const env = { ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip' };
      await succeed(runNpm(installLine(source), { cwd: project, output: 'capture', env }));
      await succeed(runNpm(['install', '@types/node@20'], { cwd: project, output: 'capture' }));
      const { version } = readJson(join(project, 'node_modules', manifest.name, 'package.json'));
      process.stdout.write(`${manifest.name}@${version} printed:\n${await runReadme(project, source)}`);
    });
  }
  process.stdout.write('The release is rehearsed.\n');
} finally {
  registry?.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 */
async function step(name, work) {
  const start = performance.now();
  process.stdout.write(`— ${name}\n`);
  const value = await work();
  process.stdout.write(`  ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  return value;
}

/** Verdaccio on a free port of the loopback; other people's packages come through it from npm's own registry. */
async function startRegistry() {
  const home = join(folder, 'registry');
  mkdirSync(home);
  // It asks for node-fetch by a dist-tag; a registry mirror need not have that tag.
  const overrides = { 'node-fetch': '2.7.0' };
  writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, overrides }));
  await succeed(runNpm(['install', '--no-audit', '--no-fund', verdaccio], { cwd: home, output: 'capture' }));
  const setting = async (/** @type {string} */ name) => {
    const value = (await succeed(runNpm(['config', 'get', name], { cwd: home, output: 'capture' }))).trim();
    return value && value !== 'null' && value !== 'undefined' ? value : undefined;
  };
  const port = await freePort();
  const uplink = { url: await setting('registry'), timeout: '60s', max_fails: 20 };
  // Verdaccio's own option for this does not take what npm's takes; Node's does.
  const cafile = process.env.NODE_EXTRA_CA_CERTS ?? (await setting('cafile'));
  const env = cafile ? { NODE_EXTRA_CA_CERTS: cafile } : {};
  const config = {
    storage: join(home, 'storage'),
    auth: { htpasswd: { file: join(home, 'users'), max_users: 1 } },
    uplinks: { npm: uplink },
    packages: {
      '@poiesis/*': { access: '$all', publish: '$authenticated' },
      '**': { access: '$all', proxy: 'npm' },
    },
    log: { type: 'stdout', format: 'pretty', level: 'warn' },
    max_body_size: '50mb',
  };
  writeFileSync(join(home, 'config.yaml'), JSON.stringify(config)); // JSON is YAML
  const bin = join(home, 'node_modules', 'verdaccio', 'bin', 'verdaccio');
  const url = `http://127.0.0.1:${port}/`;
  const args = ['--config', join(home, 'config.yaml'), '--listen', `127.0.0.1:${port}`];
  const server = await startNode(bin, args, { cwd: home, env, ready: /http address/ });
  const user = { name: 'rehearsal', password: 'rehearsal' };
  const response = await fetch(`${url}-/user/org.couchdb.user:${user.name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(user),
  });
  const { token } = /** @type {{ token?: string }} */ (await response.json());
  if (!token) throw new Error(`verdaccio gave no token: ${response.status}`);
  return { url, server, token };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** What a clone of the present state would hold. @param {string} copy */
async function copyTree(copy) {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { stdout } = await run('git', list, { cwd: root, output: 'capture' });
  for (const file of stdout.split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  const git = (/** @type {string[]} */ ...args) =>
    succeed(run('git', args, { cwd: copy, output: 'capture' }));
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'Rehearsal');
  await git('config', 'user.email', 'rehearsal@localhost');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'Rehearse a release');
}

/** As the release workflow does where changesets are waiting. @param {string} copy */
async function raiseVersions(copy) {
  const names = publicPackages().map(({ manifest }) => manifest.name);
  const changeset = ['---', ...names.map((name) => `'${name}': minor`), '---', '', 'A rehearsal.', ''].join(
    '\n',
  );
  writeFileSync(join(copy, '.changeset', 'rehearsal.md'), changeset);
  const { bin } = readJson(join(root, 'node_modules', '@changesets', 'cli', 'package.json'));
  const file = join(
    root,
    'node_modules',
    '@changesets',
    'cli',
    typeof bin === 'string' ? bin : bin.changeset,
  );
  await succeed(runNode(file, ['version'], { cwd: copy, output: 'capture' }));
  for (const { folder: source, manifest } of publicPackages()) {
    const raised = readJson(join(copy, source.slice(root.length), 'package.json')).version;
    process.stdout.write(`  ${manifest.name} ${manifest.version} → ${raised}\n`);
    if (!/^0\./.test(raised)) throw new Error('a minor change must not make a 1.0.0');
  }
}

/** The arguments of the README's `npm install` line. @param {string} source */
function installLine(source) {
  const match = /^npm (install .+)$/m.exec(readFileSync(join(source, 'README.md'), 'utf8'));
  if (!match?.[1]) throw new Error(`${source}: the README has no "npm install" line`);
  return [...match[1].split(/\s+/), '--no-audit', '--no-fund'];
}
