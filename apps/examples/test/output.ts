import { afterEach, beforeEach, vi } from 'vitest';

/** What the test that runs has written to standard output and standard error, which stay silent. */
export const written = { out: '', err: '' };

/** In a `describe`: catches what its tests write in `written`. */
export function catchOutput(): void {
  beforeEach(() => {
    written.out = '';
    written.err = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.out += text;
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written.err += text;
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
}
