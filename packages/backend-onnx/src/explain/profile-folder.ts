import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Profiler } from '../runtime/session';

/** Where ONNX Runtime writes profiles: a folder that lives until the profiler is closed. */
export function openProfileFolder(): Profiler {
  const folder = mkdtempSync(join(tmpdir(), 'poiesis-profile-'));
  let programs = 0;
  return {
    next: () => join(folder, `program-${programs++}-`),
    read(prefix) {
      // The runtime adds the date and an extension.
      const file = readdirSync(folder).find((name) => join(folder, name).startsWith(prefix));
      return file && readFileSync(join(folder, file), 'utf8');
    },
    close: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}
