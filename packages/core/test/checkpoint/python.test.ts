// Files written by Python's safetensors, and its verdicts on odd ones: fixtures/safetensors.py.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadFixture } from '@poiesis/testing';
import { describe, expect, it } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  type HostTensor,
  hostTensor,
  nativeArray,
  SafetensorsFile,
  toFloat32,
} from '../../src/checkpoint';
import { FileFormatError } from '../../src/errors';

interface Described {
  dtype: string;
  shape: number[];
  hex: string;
  float32?: (number | string)[];
}

const fixture = loadFixture(import.meta.url, '../../fixtures/safetensors.json');
const described: [string, Described][] = Object.entries(fixture.tensors);

function file(name: string): Uint8Array {
  return readFileSync(fileURLToPath(new URL(`../../fixtures/safetensors/${name}`, import.meta.url)));
}

describe('a file written by Python', () => {
  const { state, metadata } = decodeSafetensors(file('types.safetensors'));

  it('has the same names and metadata', () => {
    expect(Object.keys(state).sort()).toEqual(Object.keys(fixture.tensors).sort());
    expect(metadata).toEqual(fixture.metadata);
  });

  it.each(described)('reads %j to the bit', (name, expected) => {
    const { dtype, shape, bytes } = state[name]!;
    expect({ dtype, shape, hex: Buffer.from(bytes).toString('hex') }).toEqual({
      dtype: expected.dtype,
      shape: expected.shape,
      hex: expected.hex,
    });
  });

  it.each(described.filter(([, { float32 }]) => float32))('converts %j to float32', (name, { float32 }) => {
    const values = [...toFloat32(state[name]!)];
    expect(values).toEqual(float32!.map((v) => Math.fround(pythonNumber(v))));
  });

  it('keeps 64-bit integers exact', () => {
    const i64 = [0n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
    expect([...nativeArray(state.i64!)]).toEqual(i64);
    expect([...nativeArray(state.u64!)]).toEqual([0n, 2n ** 53n + 1n, 2n ** 64n - 1n]);
  });

  it('is written again byte by byte', () => {
    const plain = file('types-plain.safetensors');
    const content = decodeSafetensors(plain);
    // Names in another order: the file's order is the writer's, not the caller's.
    const shuffled = Object.fromEntries(Object.entries(content.state).reverse());
    expect(Buffer.from(encodeSafetensors(shuffled, content.metadata)).equals(plain)).toBe(true);
    // For `python fixtures/safetensors.py --check FILE`.
    const out = process.env.POIESIS_SAFETENSORS_OUT;
    if (out) writeFileSync(out, encodeSafetensors(shuffled, fixture.metadata));
  });

  it('gives single tensors by name', async () => {
    const opened = await SafetensorsFile.open(file('types.safetensors'));
    expect([...toFloat32(await opened.tensor('scalar'))]).toEqual([7.25]);
    expect(opened.info('matrix')).toMatchObject({ dtype: 'F32', shape: [2, 3, 4], length: 96 });
    expect(opened.info('toString')).toBeUndefined();
  });
});

describe('conversions agree with PyTorch on', () => {
  const all16 = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const all8 = Uint8Array.from({ length: 256 }, (_, i) => i);

  it.each(['F16', 'BF16', 'F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ', 'F8_E8M0'] as const)(
    'every value of %s',
    (dtype) => {
      const patterns = dtype.endsWith('16') ? all16 : all8;
      const bytes = new Uint8Array(patterns.buffer);
      const tensor: HostTensor = { dtype, shape: [patterns.length], bytes };
      const bits = new Uint32Array(toFloat32(tensor).buffer).map((b) => (isNaN32(b) ? 0x7fc00000 : b));
      expect(sha256(bits)).toBe(fixture.tables[dtype]);
    },
  );

  it.each(['F16', 'BF16'] as const)('200,000 roundings to %s', (dtype) => {
    const any = lcg(100_000, 1);
    const near = lcg(100_000, 2).map((b) => (b & 0x807fffff) | ((100 + (b & 63)) << 23));
    const bits = new Uint32Array(200_000);
    bits.set(any);
    bits.set(near, 100_000);
    const { bytes } = hostTensor(new Float32Array(bits.buffer), [bits.length], dtype);
    const halves = new Uint16Array(bytes.buffer).map((h) => {
      const nan = dtype === 'F16' ? (h & 0x7fff) > 0x7c00 : (h & 0x7fff) > 0x7f80;
      return nan ? (dtype === 'F16' ? 0x7e00 : 0x7fc0) : h;
    });
    expect(sha256(halves)).toBe(fixture.tables[`to${dtype}`]);
  });

  it('every half through float32 and back', () => {
    for (const dtype of ['F16', 'BF16'] as const) {
      const tensor: HostTensor = { dtype, shape: [65536], bytes: new Uint8Array(all16.buffer) };
      const back = new Uint16Array(hostTensor(toFloat32(tensor), [65536], dtype).bytes.buffer);
      const quiet = dtype === 'F16' ? 0x200 : 0x40;
      const top = dtype === 'F16' ? 0x7c00 : 0x7f80;
      expect(back).toEqual(all16.map((h) => ((h & 0x7fff) > top ? h | quiet : h)));
    }
  });
});

describe('verdicts of Python on', () => {
  const odd: { name: string; file: string; accepted: boolean }[] = fixture.odd;
  it.each(odd.map((o) => [o.name, o] as const))('%s', (_, { file, accepted }) => {
    const bytes = Buffer.from(file, 'base64');
    let error: unknown;
    try {
      decodeSafetensors(bytes);
    } catch (e) {
      error = e;
    }
    if (accepted) expect(error).toBeUndefined();
    else expect(FileFormatError.isInstance(error), String(error)).toBe(true);
  });
});

function pythonNumber(v: number | string): number {
  return v === 'inf' ? Number.POSITIVE_INFINITY : v === '-inf' ? Number.NEGATIVE_INFINITY : Number(v);
}

function isNaN32(bits: number): boolean {
  return (bits & 0x7fffffff) > 0x7f800000;
}

function lcg(count: number, seed: number): Uint32Array {
  let state = seed;
  return Uint32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  });
}

function sha256(array: Uint32Array | Uint16Array): string {
  return createHash('sha256').update(array).digest('hex');
}
