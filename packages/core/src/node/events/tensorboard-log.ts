import { hostname } from 'node:os';
import { join } from 'node:path';
import type { HostImage } from '../../images';
import type { EventReader } from '../../train';
import { encodePng } from '../images';
import { AppendFile, type AppendOptions } from './append-file';
import { restartEvent, type SummaryValue, summaryEvent, versionEvent } from './event-proto';
import { tfRecord } from './tf-record';

/**
 * Writes what TensorBoard shows, into a new event file in the folder: losses as `loss/NAME`, metrics as
 * `evaluation/NAME`, and samples that are pictures (a `HostImage`, or a record of them) as `sample` or `sample/NAME`.
 * A resumed run tells TensorBoard to forget what it has from after the checkpoint.
 *
 * Where writing fails, the run goes on; what is missing is written when there is room again.
 * @throws StorageError at the first event where the file cannot be made.
 */
export function tensorBoardLog(dir: string, options: AppendOptions = {}): EventReader {
  let file: AppendFile | undefined;
  const append = (event: Uint8Array) => file?.append(tfRecord(event));
  return {
    async read(event) {
      const now = Date.now() / 1000;
      if (event.type === 'start') {
        // The name that TensorBoard looks for. Runs of the same second and machine differ by the process.
        const name = `events.out.tfevents.${Math.floor(now)}.${hostname()}.${process.pid}`;
        file = await AppendFile.open(join(dir, name), async (handle) => (await handle.stat()).size, options);
        await append(versionEvent(now));
        if (event.resumed) await append(restartEvent(now, event.step + 1));
      }
      const values =
        event.type === 'step'
          ? scalars('loss', event.losses)
          : event.type === 'evaluation'
            ? scalars('evaluation', event.metrics)
            : event.type === 'sample'
              ? await pictures(event.value)
              : [];
      if (values.length > 0) await append(summaryEvent(now, event.step, values));
      if (event.type === 'checkpoint') await file?.sync();
    },
    async close() {
      await file?.close();
      file = undefined;
    },
  };
}

function scalars(group: string, values: Readonly<Record<string, number>>): SummaryValue[] {
  return Object.entries(values).map(([name, scalar]) => ({ tag: `${group}/${name}`, scalar }));
}

async function pictures(value: unknown): Promise<SummaryValue[]> {
  if (isImage(value)) return [await picture('sample', value)];
  if (typeof value !== 'object' || value === null) return [];
  const named = Object.entries(value).filter((entry): entry is [string, HostImage] => isImage(entry[1]));
  return Promise.all(named.map(([name, image]) => picture(`sample/${name}`, image)));
}

async function picture(tag: string, image: HostImage): Promise<SummaryValue> {
  const { width, height, channels } = image;
  return { tag, picture: { height, width, colorspace: channels, png: await encodePng(image) } };
}

function isImage(value: unknown): value is HostImage {
  return (
    typeof value === 'object' &&
    value !== null &&
    'data' in value &&
    value.data instanceof Uint8Array &&
    'width' in value &&
    'height' in value &&
    'channels' in value
  );
}
