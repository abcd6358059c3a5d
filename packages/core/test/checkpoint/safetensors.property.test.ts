// Whatever the bytes: a value or a typed error, no hang, no allocation that the file's own size does not explain.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  bufferSource,
  decodeSafetensors,
  encodeSafetensors,
  nativeArray,
  parseShardIndex,
  planShards,
  SafetensorsFile,
  ShardedSafetensors,
} from '../../src/checkpoint';
import { FileFormatError } from '../../src/errors';
import {
  bitFlips,
  type Damage,
  growth,
  hostileLength,
  names,
  overwriting,
  states,
  survive,
  texts,
  truncation,
} from './hostile';

const run = (numRuns: number) => ({ numRuns, seed: 5 });

/** Reads a file in both ways, demands that they agree, and touches every byte that the header promised. */
async function readBoth(bytes: Uint8Array) {
  const whole = await survive(bytes, () => decodeSafetensors(bytes));
  const opened = await survive(bytes, async () => {
    const file = await SafetensorsFile.open(bufferSource(bytes));
    return { state: await file.stateDict(), metadata: file.metadata };
  });
  if (FileFormatError.isInstance(whole)) expect(opened).toBeInstanceOf(FileFormatError);
  else expect(opened).toEqual(whole);
  if ('state' in whole) {
    const sizes = Object.values(whole.state).map((tensor) => tensor.bytes.byteLength);
    expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(bytes.byteLength - 10);
    for (const tensor of Object.values(whole.state)) nativeArray(tensor);
  }
  return whole;
}

it('the meter itself sees an allocation', async () => {
  const small = new Uint8Array(100);
  await expect(survive(small, () => new Uint8Array(1_000_000))).rejects.toThrow('bytes allocated');
});

it('whatever is written comes back (200)', () =>
  fc.assert(
    fc.asyncProperty(states, texts, async (state, metadata) => {
      const content = await readBoth(encodeSafetensors(state, metadata));
      expect(content).toEqual({ state, metadata });
    }),
    run(200),
  ));

it('random bytes are no file (200)', () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      expect(await readBoth(bytes)).toBeInstanceOf(FileFormatError);
    }),
    run(200),
  ));

it('a file that is too short or too long is an error (300)', () =>
  fc.assert(
    fc.asyncProperty(states, texts, fc.oneof(truncation, growth), async (state, metadata, damage) => {
      expect(await readBoth(damage(encodeSafetensors(state, metadata)))).toBeInstanceOf(FileFormatError);
    }),
    run(300),
  ));

it('damage is survived (400)', () =>
  fc.assert(
    fc.asyncProperty(
      states,
      texts,
      fc.oneof(bitFlips, overwriting),
      async (state, metadata, damage: Damage) => {
        await readBoth(damage(encodeSafetensors(state, metadata)));
      },
    ),
    run(400),
  ));

it('a header length that lies is survived (200)', () =>
  fc.assert(
    fc.asyncProperty(states, hostileLength, async (state, damage) => {
      await readBoth(damage(encodeSafetensors(state)));
    }),
    run(200),
  ));

const hugeNumber = fc.constantFrom(
  '0',
  '1',
  '2',
  '255',
  '4294967296',
  '9007199254740991',
  '9007199254740992',
  '1e3',
);
const strange = fc.constantFrom(
  '-1',
  '1.5',
  'null',
  'true',
  '"1"',
  '[]',
  '{}',
  '18446744073709551616',
  '01',
  '',
);
const number = fc.oneof({ weight: 8, arbitrary: hugeNumber }, { weight: 1, arbitrary: strange });
const list = (maxLength: number) => fc.array(number, { maxLength }).map((items) => `[${items.join(',')}]`);
const field = fc.oneof(
  fc.constantFrom('U8', 'F64', 'F4', 'F6_E2M3', 'I64', 'X', 'toString').map((dtype) => `"dtype":"${dtype}"`),
  list(5).map((shape) => `"shape":${shape}`),
  list(3).map((offsets) => `"data_offsets":${offsets}`),
);
const entry = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('U8', 'F64', 'F4', 'BF16'), list(4), list(2))
      .map(([dtype, shape, offsets]) => `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`),
  },
  { weight: 2, arbitrary: fc.array(field, { maxLength: 4 }).map((fields) => `{${fields.join(',')}}`) },
  { weight: 1, arbitrary: strange },
  { weight: 1, arbitrary: fc.json() },
);
const header = fc
  .array(
    fc
      .tuple(fc.oneof(names, fc.constant('__metadata__')), entry)
      .map(([name, value]) => `${JSON.stringify(name)}:${value}`),
    { maxLength: 5 },
  )
  .map((entries) => `{${entries.join(',')}}`);

it('hostile headers are survived (400)', () =>
  fc.assert(
    fc.asyncProperty(header, fc.integer({ min: 0, max: 300 }), async (json, data) => {
      const text = new TextEncoder().encode(json);
      const bytes = new Uint8Array(8 + text.length + data);
      new DataView(bytes.buffer).setUint32(0, text.length, true);
      bytes.set(text, 8);
      await readBoth(bytes);
    }),
    run(400),
  ));

it('hostile JSON in an index is survived (300)', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.json().map((json) => `{"weight_map":${json}}`),
        fc
          .array(fc.tuple(names, names))
          .map((pairs) => JSON.stringify({ weight_map: Object.fromEntries(pairs) })),
        fc.string(),
        fc.json(),
      ),
      async (json) => {
        const bytes = new TextEncoder().encode(json);
        await survive(bytes, () => parseShardIndex(bytes));
      },
    ),
    run(300),
  ));

it('damaged indices and shards are survived (200)', () =>
  fc.assert(
    fc.asyncProperty(
      states,
      fc.oneof(bitFlips, overwriting, truncation, growth),
      fc.boolean(),
      fc.integer({ min: 1, max: 200 }),
      async (state, damage, inIndex, maxShardBytes) => {
        const plan = planShards(state, { maxShardBytes });
        let index: Uint8Array = new TextEncoder().encode(plan.index);
        const shards = new Map([...plan.shards].map(([name, part]) => [name, encodeSafetensors(part)]));
        const [first] = shards.keys();
        if (inIndex || first === undefined) index = damage(index);
        else shards.set(first, damage(shards.get(first)!));
        const size = [...shards.values()].reduce((sum, shard) => sum + shard.length, index.length);
        const outcome = await survive(new Uint8Array(size), async () => {
          const empty = new Uint8Array(0);
          const model = await ShardedSafetensors.open(index, (name) => shards.get(name) ?? empty);
          return model.stateDict();
        });
        expect(outcome).toBeDefined();
      },
    ),
    run(200),
  ));
