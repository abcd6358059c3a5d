/** Emscripten's factory of ONNX Runtime for WebAssembly, which onnxruntime-web exports without types. */
declare module 'onnxruntime-web/ort-wasm-simd-threaded.mjs' {
  const factory: (config: object) => Promise<object>;
  export default factory;
}
