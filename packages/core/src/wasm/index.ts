export {
  assembleModule,
  F32,
  get,
  I32,
  i32,
  loop,
  set,
  sum,
  V128,
  vector,
  type WasmFunction,
} from './assemble';
