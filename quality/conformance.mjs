// `node quality/conformance.mjs [--backend onnx] [--json]`
// Runs tfjs-core's own test suite, which its npm package ships, on a backend and on tfjs's cpu backend for comparison.
// With --json the last line is { backend, passed, cpuPassed, failed: [names] }: what cpu passes here and the backend not.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runNode } from '../scripts/lib/process.mjs';
import { ensureInstalled } from '../scripts/lib/workspace.mjs';

const { values } = parseArgs({
  options: { backend: { type: 'string', default: 'onnx' }, json: { type: 'boolean', default: false } },
});
const cwd = dirname(fileURLToPath(import.meta.url));
await ensureInstalled();
const require = createRequire(import.meta.url);
const core = join(dirname(require.resolve('@tensorflow/tfjs-core/package.json')), 'dist');
const { build } = await import('esbuild');

/** @param {string} backend */
async function run(backend) {
  const entry = `
    import '${core}/index.js';
    import '${core}/register_all_gradients.js';
    import '${core}/public/chained_ops/register_all_chained_ops.js';
    import { setTestEnvs } from '${core}/jasmine_util.js';
    import '@tensorflow/tfjs-backend-${backend === 'wasm' ? 'wasm' : 'cpu'}';
    ${backend === 'onnx' ? "import '@poiesis/backend-onnx';" : ''}
    setTestEnvs([{ name: '${backend}', backendName: '${backend}', isDataSync: true }]);
    require('${core}/tests.js');
  `;
  const outfile = join(cwd, 'dist', `conformance-${backend}.cjs`);
  await build({
    stdin: { contents: entry, resolveDir: cwd },
    bundle: true,
    // tfjs declares its tests free of side effects, and they would be dropped.
    ignoreAnnotations: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    logLevel: 'error',
    conditions: ['@poiesis/source'],
    external: ['onnxruntime-node', 'jasmine-core', '@tensorflow/tfjs-backend-wasm'],
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    plugins: [{ name: 'one-engine', setup: oneEngine }],
  });
  const { stdout } = await runNode(join(cwd, 'src', 'run-jasmine.cjs'), [outfile], {
    cwd,
    output: 'capture',
  });
  return /** @type {{ passed: string[], failed: string[] }} */ (
    JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  );
}

/** The suite imports tfjs file by file; everybody else has to get those files too, or there are two engines. */
/** @param {import('esbuild').PluginBuild} plugin */
function oneEngine({ onResolve }) {
  onResolve({ filter: /^@tensorflow\/tfjs-core$/ }, () => ({ path: join(core, 'index.js') }));
  onResolve({ filter: /^@tensorflow\/tfjs-core\/dist\// }, ({ path }) => {
    const file = join(core, path.replace(/^@tensorflow\/tfjs-core\/dist\//, ''));
    return { path: file.endsWith('.js') ? file : `${file}.js` };
  });
  onResolve({ filter: /^@tensorflow\/tfjs-backend-cpu$/ }, () => ({
    path: join(dirname(require.resolve('@tensorflow/tfjs-backend-cpu/package.json')), 'dist', 'index.js'),
  }));
}

const [{ passed: onCpu }, { passed }] = [await run('cpu'), await run(values.backend)];
const without = (/** @type {string} */ name) => name.replace(/ (cpu|onnx|wasm) \{\}/g, '');
const has = new Set(passed.map(without));
const failed = onCpu.map(without).filter((name) => !has.has(name));
const both = onCpu.length - failed.length;
if (values.json) {
  process.stdout.write(
    `${JSON.stringify({ backend: values.backend, passed: both, cpuPassed: onCpu.length, failed })}\n`,
  );
} else {
  process.stdout.write(`${failed.map((name) => `  ${name}\n`).join('')}`);
  process.stdout.write(`${values.backend}: ${both} of the ${onCpu.length} tests that cpu passes\n`);
}
