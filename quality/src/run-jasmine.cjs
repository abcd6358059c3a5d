// node run-jasmine.cjs BUNDLE: runs the specs of a bundle; its last line is { passed: [names], failed: [names] }.
const jasmineCore = require('jasmine-core');

const jasmine = jasmineCore.boot(jasmineCore);
Object.assign(globalThis, jasmineCore.interface?.(jasmine, jasmine.getEnv()), { jasmine });
const env = jasmine.getEnv();
env.configure({ random: false });
/** @type {{ passed: string[], failed: string[] }} */
const result = { passed: [], failed: [] };
env.addReporter({
  specDone({ status, fullName }) {
    if (status === 'passed' || status === 'failed') result[status].push(fullName);
  },
  jasmineDone() {
    process.stdout.write(`\n${JSON.stringify(result)}\n`, () => process.exit(0));
  },
});
require(process.argv[2] ?? '');
env.execute();
