// Gates that read the sources: types, lint and format, unused code.
import { packages, runBin } from '../lib/workspace.mjs';
import { succeed } from './gates.mjs';

/** @param {import('./gates.mjs').Gates} gates */
export async function sourceGates(gates) {
  for (const { folder, manifest } of packages()) {
    await gates.run(`types ${manifest.name}`, () =>
      succeed(runBin('typescript', ['-p', 'tsconfig.json'], { bin: 'tsc', cwd: folder, output: 'capture' })),
    );
  }
  await gates.run('lint and format', () =>
    succeed(runBin('@biomejs/biome', ['ci', '--max-diagnostics=50', '.'], { output: 'capture' })),
  );
  await gates.run('unused code', () => succeed(runBin('knip', ['--no-progress'], { output: 'capture' })));
}
