// `node quality/embedding-index.mjs [--count 100000] [--dim 512] [--data embeddings|sphere] [--precision i8] [--json]`: see
// src/embedding-index.ts.
import { launch } from './launch.mjs';

await launch('embedding-index', process.argv.slice(2));
