import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** RGBA as the codecs give it. */
interface Pixels {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

/** A decoder module of @jsquash. Loaded when needed: they are ESM only, and WebAssembly. */
interface CodecModule {
  init(module: WebAssembly.Module, options: object): Promise<void>;
  default(buffer: ArrayBuffer): Promise<Pixels>;
}

const CODECS = {
  jpeg: {
    load: () => import('@jsquash/jpeg/decode.js') as Promise<unknown> as Promise<CodecModule>,
    wasm: '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
  },
  webp: {
    load: () => import('@jsquash/webp/decode.js') as Promise<unknown> as Promise<CodecModule>,
    wasm: '@jsquash/webp/codec/dec/webp_dec.wasm',
  },
};

const compiled = new Map<string, Promise<WebAssembly.Module>>();
const ready = new Map<string, Promise<CodecModule>>();
let said = '';

/** Decodes by libjpeg-turbo's and libwebp's own code, as Pillow does, so to the same bits. Throws what it says. */
export async function decodeByWasm(kind: keyof typeof CODECS, bytes: Uint8Array): Promise<Pixels> {
  let codec = ready.get(kind);
  if (!codec) {
    codec = start(kind);
    ready.set(kind, codec);
  }
  const { default: decode } = await codec;
  said = '';
  try {
    // The whole buffer belongs to the codec's input: a view's buffer may hold more.
    return await decode(bytes.slice().buffer);
  } catch (cause) {
    // A codec that gave up has left its heap as it was: the next picture gets a new one.
    ready.delete(kind);
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(said || message, { cause });
  }
}

async function start(kind: keyof typeof CODECS): Promise<CodecModule> {
  const { load, wasm } = CODECS[kind];
  let module = compiled.get(kind);
  if (!module) {
    const file = createRequire(import.meta.url).resolve(wasm);
    module = readFile(file).then((content) => WebAssembly.compile(new Uint8Array(content)));
    compiled.set(kind, module);
  }
  const codec = await load();
  await codec.init(await module, { print: note, printErr: note });
  return codec;
}

function note(line: string): void {
  said = said || line;
}
