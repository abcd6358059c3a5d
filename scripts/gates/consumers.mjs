// Each published package, installed from its tarball into an empty project, as its users have it: an ESM project and
// a CommonJS project in Node, and a browser bundle by Vite. In each of them a small TypeScript program is type-checked
// and run, and must print the same. The snippet in the package's README runs too, and must print what the README says.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runNode, runNpm } from '../lib/process.mjs';
import { publicPackages, readJson, root, runBin } from '../lib/workspace.mjs';
import { runInBrowser } from './browser.mjs';
import { compile } from './compile.mjs';
import { succeed } from './gates.mjs';
import { runReadme } from './readme.mjs';

const programs = join(root, 'scripts', 'gates', 'programs');

/**
 * @param {import('./gates.mjs').Gates} gates
 * @param {Record<string, string>} tarballs
 */
export async function consumerGates(gates, tarballs) {
  for (const { folder, manifest } of publicPackages()) {
    const { name } = manifest;
    if (!gates.touches(`consume ${name}`)) continue;
    const project = mkdtempSync(join(tmpdir(), 'poiesis consumer '));
    try {
      const installed = await gates.run(`consume ${name}: install`, () =>
        install(project, manifest, tarballs),
      );
      if (!installed) continue;
      await gates.run(`consume ${name}: same names in ESM and CommonJS`, () =>
        sameExports(project, manifest),
      );
      await gates.run(`consume ${name}: README`, () => runReadme(project, folder));
      const program = join(programs, basename(folder));
      const printed = [];
      for (const kind of /** @type {const} */ (['esm', 'cjs'])) {
        layOut(project, kind, program);
        await gates.run(`consume ${name}: ${kind} types`, () => compile(join(project, kind)));
        printed.push(await gates.run(`consume ${name}: ${kind} run`, () => runAll(join(project, kind))));
      }
      const [esm, cjs] = printed;
      await gates.run(`consume ${name}: ESM and CommonJS print the same`, () => {
        const some = esm?.browser || esm?.node;
        if (!some || JSON.stringify(esm) !== JSON.stringify(cjs))
          throw new Error(JSON.stringify({ esm, cjs }, null, 2));
      });
      if (!existsSync(join(program, 'browser.ts'))) continue;
      layOut(project, 'vite', program);
      await gates.run(`consume ${name}: vite types`, () => compile(join(project, 'vite')));
      await gates.run(`consume ${name}: vite bundle`, () => bundle(join(project, 'vite')));
      await gates.run(`consume ${name}: vite bundle runs, and prints the same`, async () => {
        const { 'as-browser': shown } = await runAll(join(project, 'vite'), ['as-browser']);
        if (!shown || shown !== esm?.browser) throw new Error(`the bundle printed:\n${shown}`);
      });
      await gates.run(`consume ${name}: vite bundle runs in a browser, and prints the same`, async () => {
        const shown = await runInBrowser(join(project, 'vite', 'out'), 'browser.js');
        if (shown.trim() !== esm?.browser?.trim()) throw new Error(`the browser showed:\n${shown}`);
      });
    } finally {
      rmSync(project, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

/**
 * Installs a package with its peers: ours from their tarballs, others as the workspace has them.
 *
 * @param {string} project
 * @param {any} manifest
 * @param {Record<string, string>} tarballs
 */
export async function install(project, manifest, tarballs) {
  /** @type {Record<string, string>} */
  const dependencies = { '@types/node': versionOf('@types/node', root) };
  const needed = [manifest];
  for (let own = needed.pop(); own; own = needed.pop()) {
    dependencies[own.name] = `file:${tarballs[own.name]}`;
    for (const peer of Object.keys({ ...own.peerDependencies, ...own.dependencies })) {
      const ours = publicPackages().find((p) => p.manifest.name === peer);
      if (ours && !dependencies[peer]) needed.push(ours.manifest);
      else if (!ours && peer in (own.peerDependencies ?? {})) {
        const at = publicPackages().find((p) => p.manifest.name === own.name);
        dependencies[peer] = versionOf(peer, at?.folder ?? root);
      }
    }
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, dependencies }, null, 2));
  await succeed(
    runNpm(['install', '--no-audit', '--no-fund', '--prefer-offline'], {
      cwd: project,
      output: 'capture',
      // The script of onnxruntime-node would download CUDA libraries where it sees an nvcc.
      env: { ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip' },
    }),
  );
  return true;
}

/** @param {string} name @param {string} folder */
function versionOf(name, folder) {
  return readJson(join(folder, 'node_modules', name, 'package.json')).version;
}

/**
 * A project of one kind, inside the folder that has the packages.
 *
 * @param {string} project
 * @param {'esm' | 'cjs' | 'vite'} kind
 * @param {string} program folder with `browser.ts`, for all that runs in browsers, and `node.ts`, for what needs Node
 */
function layOut(project, kind, program) {
  const folder = join(project, kind);
  mkdirSync(join(folder, 'src'), { recursive: true });
  for (const file of readdirSync(program)) {
    if (kind === 'vite' && file === 'node.ts') continue;
    // .mts would be ESM in either project: the extension stays .ts, so that package.json decides.
    cpSync(join(program, file), join(folder, 'src', file));
  }
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: kind === 'cjs' ? 'commonjs' : 'module' }),
  );
  const node = kind !== 'vite';
  const compilerOptions = {
    target: 'ES2022',
    lib: node ? ['ES2022'] : ['ES2022', 'DOM', 'DOM.Iterable'],
    module: node ? 'node16' : 'ESNext',
    moduleResolution: node ? 'node16' : 'bundler',
    types: node ? ['node'] : [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: !node,
    outDir: 'out',
    rootDir: 'src',
    skipLibCheck: false,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
}

/** @param {string} folder */
async function bundle(folder) {
  const config = {
    logLevel: 'warn',
    base: './',
    build: {
      target: 'es2022',
      outDir: 'out',
      modulePreload: false,
      rolldownOptions: { input: 'src/browser.ts', output: { entryFileNames: '[name].js' } },
    },
  };
  writeFileSync(join(folder, 'vite.config.js'), `export default ${JSON.stringify(config)};`);
  await succeed(runBin('vite', ['build'], { cwd: folder, output: 'capture' }));
  // For the run without a browser: what tfjs takes for one, so that it does not look for Node's modules, and what
  // loads the WebAssembly beside the bundle.
  const entry = `import { readFile } from 'node:fs/promises';
globalThis.XMLHttpRequest = class {
  open(method, url) {
    this.file = readFile(new URL(url));
  }
  async send() {
    this.response = new Uint8Array(await this.file).buffer;
    this.status = 200;
    this.onload();
  }
};
globalThis.window = globalThis;
globalThis.document = { createElement: () => ({}) };
globalThis.process = undefined;
await import('./browser.js');
`;
  writeFileSync(join(folder, 'out', 'as-browser.js'), entry);
}

/**
 * Runs the compiled programs and returns what they printed.
 *
 * @param {string} folder
 * @param {readonly string[]} names
 */
async function runAll(folder, names = ['browser', 'node']) {
  /** @type {Record<string, string>} */
  const printed = {};
  for (const name of names) {
    const file = join(folder, 'out', `${name}.js`);
    if (existsSync(file))
      printed[name] = await succeed(runNode(file, [], { cwd: folder, output: 'capture' }));
  }
  return printed;
}

/**
 * @param {string} project
 * @param {any} manifest
 */
async function sameExports(project, manifest) {
  for (const entry of Object.keys(manifest.exports)) {
    if (entry.endsWith('.json')) continue;
    const specifier = JSON.stringify(manifest.name + entry.slice(1));
    const show =
      "console.log(Object.keys(m).filter((k) => k !== 'default' && k !== '__esModule').sort().join())";
    writeFileSync(join(project, 'names.mjs'), `import * as m from ${specifier}; ${show}`);
    writeFileSync(join(project, 'names.cjs'), `const m = require(${specifier}); ${show}`);
    const options = /** @type {const} */ ({ cwd: project, output: 'capture' });
    const esm = await succeed(runNode(join(project, 'names.mjs'), [], options));
    const cjs = await succeed(runNode(join(project, 'names.cjs'), [], options));
    if (esm !== cjs || esm.trim() === '') throw new Error(`${specifier}\nESM: ${esm}\nCommonJS: ${cjs}`);
  }
}
