import type { FileHandle } from 'node:fs/promises';
import { FileFormatError } from '../../errors';
import type { EventReader, StartEvent } from '../../train';
import { AppendFile, type AppendOptions } from './append-file';
import { eventJson } from './event-json';

/**
 * Writes every event as a line of JSON: `jsonlLog('runs/a/events.jsonl')`.
 *
 * Each line reaches the system by itself, so a run that is killed loses at most the line in the making; at each
 * checkpoint the file is also flushed to the disk. A resumed run first takes back what the log has from after its
 * checkpoint, so every step is in it once. A run that starts from the beginning starts the log anew.
 *
 * Where writing fails, the run goes on; the lines are kept and written when there is room again.
 *
 * @throws StorageError at the first event where the file cannot be opened, FileFormatError where it is no such log:
 *   it is left alone then.
 */
export function jsonlLog(path: string, options: AppendOptions = {}): EventReader {
  let file: AppendFile | undefined;
  return {
    async read(event) {
      // The file is opened at the start event and not before: that one says what of it is to stay.
      if (event.type === 'start')
        file = await AppendFile.open(path, (handle) => keptBytes(handle, path, event), options);
      await file?.append(Buffer.from(`${eventJson(event)}\n`));
      if (event.type === 'checkpoint') await file?.sync();
    },
    async close() {
      await file?.close();
      file = undefined;
    },
  };
}

/** How every log begins: with a start event. */
const BEGINNING = '{"type":"start"';

/** How much of a log a run keeps: what happened up to its checkpoint. */
async function keptBytes(handle: FileHandle, path: string, start: StartEvent): Promise<number> {
  let kept = 0;
  let checkpoint: number | undefined;
  for await (const { text, offset, end, torn } of lines(handle)) {
    // Cut off, unless it is all there is and not the beginning of a log: then the file is somebody's, not torn.
    if (torn && (offset > 0 || text.startsWith(BEGINNING) || BEGINNING.startsWith(text))) break;
    const { type, step } = parse(text, path, offset);
    if (!start.resumed || step > start.step) break;
    kept = end;
    if (type === 'checkpoint' && step === start.step) checkpoint = end;
  }
  // After a checkpoint come an epoch's late end, or "aborted": a resumed run tells them itself, or makes them untrue.
  return checkpoint ?? kept;
}

function parse(text: string, path: string, offset: number): { type: string; step: number } {
  try {
    const line = JSON.parse(text);
    if (typeof line?.type === 'string' && Number.isSafeInteger(line.step)) return line;
  } catch {
    // Told below, like any other line that is none of ours.
  }
  throw new FileFormatError({
    file: path,
    offset,
    expected: 'a line of an event log, { "type": …, "step": … }',
    received: JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text),
  });
}

interface Line {
  text: string;
  offset: number;
  end: number;
  /** Without a line end: what a crash leaves. */
  torn: boolean;
}

async function* lines(handle: FileHandle): AsyncGenerator<Line> {
  const chunk = Buffer.alloc(1 << 20);
  let rest = Buffer.alloc(0);
  let offset = 0;
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      const end = offset + at + 1;
      yield { text: rest.toString('utf8', 0, at), offset, end, torn: false };
      rest = rest.subarray(at + 1);
      offset = end;
    }
  }
  if (rest.length > 0) yield { text: rest.toString(), offset, end: offset + rest.length, torn: true };
}
