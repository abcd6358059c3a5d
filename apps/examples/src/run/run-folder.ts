import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ExampleError, oneLine } from '../errors';

/** The files of one training run. */
export class RunFolder {
  readonly config: string;
  readonly events: string;
  readonly metrics: string;
  readonly model: string;
  readonly samples: string;
  readonly checkpoints: string;

  constructor(readonly path: string) {
    this.config = join(path, 'config.json');
    this.events = join(path, 'events.jsonl');
    this.metrics = join(path, 'metrics.json');
    this.model = join(path, 'model.safetensors');
    this.samples = join(path, 'samples.png');
    this.checkpoints = join(path, 'checkpoints');
  }

  /**
   * Makes place for a new run. What a finished run left here is replaced; an unfinished one that could still be
   * resumed is moved aside, and its new name returned; files of anything else are not touched.
   */
  async startAnew(): Promise<string | null> {
    try {
      await mkdir(this.path, { recursive: true });
      const found = await readdir(this.path);
      if (found.length === 0) return null;
      if (!found.includes(basename(this.config))) {
        throw new ExampleError(
          `${this.path} holds files that no run has made; choose another folder with --out`,
        );
      }
      if (await this.#resumable()) {
        const aside = await this.#moveAside();
        await mkdir(this.path, { recursive: true });
        return aside;
      }
      for (const path of [
        this.config,
        this.events,
        this.metrics,
        this.model,
        this.samples,
        this.checkpoints,
      ]) {
        await rm(path, { recursive: true, force: true, maxRetries: 3 });
      }
      return null;
    } catch (error) {
      if (error instanceof ExampleError) throw error;
      throw new ExampleError(`cannot write to ${this.path}: ${oneLine(error)}`, { cause: error });
    }
  }

  async #resumable(): Promise<boolean> {
    if (await exists(this.metrics)) return false;
    return (await readdir(this.checkpoints).catch(() => [])).length > 0;
  }

  async #moveAside(): Promise<string> {
    for (let i = 1; ; i++) {
      const aside = join(dirname(this.path), `${basename(this.path)}-interrupted-${i}`);
      if (await exists(aside)) continue;
      await rename(this.path, aside);
      return aside;
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
