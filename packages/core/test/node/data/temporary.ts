import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder for the tests of a file, which is removed after them. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'poiesis-data-'));
  afterAll(() => rmSync(path, { recursive: true }));
  return {
    path,
    /** Writes a file and gives its path. */
    write(name: string, content: string | Uint8Array): string {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
  };
}
