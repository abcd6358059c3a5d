import { fileURLToPath } from 'node:url';
import type { Launch } from './contender';

/** This Node with the bench's other bundle: ../child/main.ts. */
export function nodeChild(contender: string, workload: string, threads: number): Launch {
  const file = fileURLToPath(new URL('./child.js', import.meta.url));
  return { command: process.execPath, args: [file, contender, workload, String(threads)] };
}
