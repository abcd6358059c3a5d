import { resolve } from 'node:path';

/** A path from the command line. npm runs scripts in the repository's root; the user may be in a folder below. */
export function userPath(path: string): string {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path);
}
