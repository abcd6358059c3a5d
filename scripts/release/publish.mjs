// Publishes every package whose version is not in the registry yet, then tags what was published. Run by the release
// workflow and, against a registry on this machine, by the rehearsal. `pnpm publish` puts real versions in the place of
// `workspace:` and `catalog:`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ensureInstalled, publicPackages, root, runBin, runPnpm } from '../lib/workspace.mjs';

await ensureInstalled();
nameRepository();
await must(runPnpm(['exec', 'turbo', 'run', 'build', '--filter=./packages/*', '--output-logs=errors-only']));
await must(
  runPnpm(['--recursive', 'publish', '--access', 'public', '--no-git-checks', ...process.argv.slice(2)]),
);
// The workflow's action reads the tags from this output, and makes releases of them.
await must(runBin('@changesets/cli', ['tag'], { bin: 'changeset' }));

/** npm's provenance demands that each package names the repository that it is built from. */
function nameRepository() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env;
  if (!server || !name) return;
  for (const { folder, manifest } of publicPackages()) {
    const directory = relative(root, folder).split(sep).join('/');
    const repository = { type: 'git', url: `git+${server}/${name}.git`, directory };
    const file = join(folder, 'package.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      `${JSON.stringify({ ...manifest, repository }, null, 2)}${text.endsWith('\n') ? '\n' : ''}`,
    );
  }
}

/** @param {Promise<{ code: number }>} running */
async function must(running) {
  const { code } = await running;
  if (code !== 0) process.exit(code);
}
