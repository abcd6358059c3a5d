// `npm test`: every package's tests, on the sources. `npm test -- -t name` and other options go to vitest.
// One JSON report per package is left for the gates in .ci/run, which add them up.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ensureInstalled, packages, readJson, root, runBin } from './lib/workspace.mjs';

await ensureInstalled();
const reports = join(root, 'node_modules', '.poiesis', 'tests');
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

const lines = [];
let failed = false;
for (const { folder, manifest } of packages()) {
  if (!manifest.scripts?.test) continue;
  const report = join(reports, `${basename(folder)}.json`);
  const start = performance.now();
  process.stdout.write(`\n${manifest.name}\n`);
  const { code } = await runBin(
    'vitest',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
    // Vite warns of configuration that a future loader of its own will not take.
    { cwd: folder, env: { VITE_CONFIG_NATIVE_IGNORE_WARNING: 'true' } },
  );
  failed ||= code !== 0;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const counts = existsSync(report) ? readJson(report) : {};
  lines.push(
    `${manifest.name}: ${counts.numPassedTests ?? 0} passed, ${counts.numFailedTests ?? 0} failed, ` +
      `${(counts.numPendingTests ?? 0) + (counts.numTodoTests ?? 0)} skipped, ${seconds} s${code ? `, exit ${code}` : ''}`,
  );
}
process.stdout.write(`\n${lines.join('\n')}\n`);
process.exitCode = failed ? 1 : 0;
