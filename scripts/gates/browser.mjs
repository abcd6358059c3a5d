// Runs a bundle in a real browser, where one is installed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentType, findBrowser } from '../lib/browser.mjs';
import { run } from '../lib/process.mjs';
import { Skip, succeed } from './gates.mjs';

/**
 * Loads a module as a page in headless Chromium and returns what it printed on the console.
 *
 * @param {string} folder what the page can load
 * @param {string} file the module in it
 */
export async function runInBrowser(folder, file) {
  const browser = findBrowser();
  if (!browser) throw new Skip('no Chromium or Chrome in PATH');
  const page = `<!doctype html><meta charset="utf-8"><pre></pre><script>
    const out = document.querySelector('pre');
    const show = (...parts) => out.append(parts.join(' ') + '\\n');
    console.log = show;
    addEventListener('error', (event) => show('error: ' + event.message));
    addEventListener('unhandledrejection', (event) => show('error: ' + event.reason));
  </script><script type="module" src="/${file}"></script>`;
  const server = createServer((request, response) => {
    const type = contentType(request.url ?? '');
    response.setHeader('content-type', type ?? 'text/html');
    response.end(type ? readFileSync(join(folder, request.url ?? '')) : page);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const profile = mkdtempSync(join(tmpdir(), 'poiesis-browser-'));
  try {
    const dom = await succeed(
      run(
        browser,
        [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          `--user-data-dir=${profile}`,
          '--virtual-time-budget=30000',
          '--dump-dom',
          `http://127.0.0.1:${port}/`,
        ],
        { output: 'capture', signal: AbortSignal.timeout(90_000) },
      ),
    );
    return /<pre>([\s\S]*?)<\/pre>/.exec(dom)?.[1]?.replaceAll('&gt;', '>').replaceAll('&lt;', '<') ?? dom;
  } finally {
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
  }
}
