// The gates that stand after `npm test`. All of them run, whatever fails; the last line counts them together with the
// tests of the `npm test` before. `node scripts/gates.mjs types size` runs those whose names begin so, and counts
// no tests.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { appGates } from './gates/app.mjs';
import { consumerGates } from './gates/consumers.mjs';
import { Gates } from './gates/gates.mjs';
import { packGates } from './gates/pack.mjs';
import { sizeGates } from './gates/size.mjs';
import { sourceGates } from './gates/source.mjs';
import { ensureInstalled, packages, readJson, root } from './lib/workspace.mjs';

await ensureInstalled();
const gates = new Gates(process.argv.slice(2));

await sourceGates(gates);
const tarballs = await packGates(gates);
if (tarballs) {
  await sizeGates(gates);
  await consumerGates(gates, tarballs);
}
await appGates(gates);

gates.report();
const tests = gates.selective ? { passed: 0, failed: 0, skipped: 0 } : testCounts();
const passed = tests.passed + gates.count('passed');
const failed = tests.failed + gates.count('failed');
const skipped = tests.skipped + gates.count('skipped');
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** Adds up the reports that `npm test` left. A package without one failed before its first test. */
function testCounts() {
  const folder = join(root, 'node_modules', '.poiesis', 'tests');
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const tested = packages().filter(({ manifest }) => manifest.scripts?.test);
  const reports = existsSync(folder) ? readdirSync(folder) : [];
  sum.failed += Math.max(0, tested.length - reports.length);
  for (const file of reports) {
    const { success, numPassedTests, numFailedTests, numPendingTests, numTodoTests } = readJson(
      join(folder, file),
    );
    sum.passed += numPassedTests;
    // A test file that cannot be loaded fails without a test.
    sum.failed += success ? numFailedTests : Math.max(1, numFailedTests);
    sum.skipped += numPendingTests + numTodoTests;
  }
  return sum;
}
