// `npm start -- EXAMPLE …`: installs and builds what is missing, then becomes the example app. The app runs in this
// very process, so that Ctrl-C reaches it once and its exit code is ours.
import { pathToFileURL } from 'node:url';
import { ensureAppBuilt, ensureInstalled } from './lib/workspace.mjs';

await ensureInstalled();
const main = await ensureAppBuilt();
await import(pathToFileURL(main).href);
