import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

// Messages of tensorboard's event.proto and summary.proto, as far as scalars and pictures need them. The numbers are
// their field numbers.

/** A picture, already encoded as PNG. */
export interface EncodedPicture {
  height: number;
  width: number;
  /** Channels: 1 grey, 2 grey with alpha, 3 RGB, 4 RGBA. */
  colorspace: number;
  png: Uint8Array;
}

/** A named value: a number, or a picture. */
export type SummaryValue = { tag: string } & ({ scalar: number } | { picture: EncodedPicture });

/** First event of every file. */
export function versionEvent(wallTime: number): Uint8Array {
  return event(wallTime, undefined, (w) => w.tag(3, WireType.LengthDelimited).string('brain.Event:2'));
}

/** Says that steps from `step` on are told anew: a reader drops what other files have of them. */
export function restartEvent(wallTime: number, step: number): Uint8Array {
  const START = 1;
  return event(wallTime, step, (w) => {
    w.tag(7, WireType.LengthDelimited).fork();
    w.tag(1, WireType.Varint).int32(START);
    w.join();
  });
}

export function summaryEvent(wallTime: number, step: number, values: readonly SummaryValue[]): Uint8Array {
  return event(wallTime, step, (w) => {
    w.tag(5, WireType.LengthDelimited).fork();
    for (const value of values) {
      w.tag(1, WireType.LengthDelimited).fork();
      w.tag(1, WireType.LengthDelimited).string(value.tag);
      if ('scalar' in value) w.tag(2, WireType.Bit32).float(value.scalar);
      else picture(w, value.picture);
      w.join();
    }
    w.join();
  });
}

function event(wallTime: number, step: number | undefined, what: (w: BinaryWriter) => void): Uint8Array {
  const w = new BinaryWriter();
  w.tag(1, WireType.Bit64).double(wallTime);
  if (step !== undefined) w.tag(2, WireType.Varint).int64(step);
  what(w);
  return w.finish();
}

function picture(w: BinaryWriter, { height, width, colorspace, png }: EncodedPicture): void {
  w.tag(4, WireType.LengthDelimited).fork();
  w.tag(1, WireType.Varint).int32(height);
  w.tag(2, WireType.Varint).int32(width);
  w.tag(3, WireType.Varint).int32(colorspace);
  w.tag(4, WireType.LengthDelimited).bytes(png);
  w.join();
}
