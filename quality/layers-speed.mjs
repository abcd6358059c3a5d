// `node quality/layers-speed.mjs [--models LIST] [--backends cpu,wasm,onnx] [--rounds 5] [--width 1]`: see src/layers-speed.ts.
import { launch } from './launch.mjs';

await launch('layers-speed', process.argv.slice(2));
