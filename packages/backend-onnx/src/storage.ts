import { engine, type KernelBackend } from '@tensorflow/tfjs-core';

/**
 * What a backend holds, by data id, as tfjs's `DataStorage`, which has a weak map for it. Ids that were made here carry
 * their entry instead: no look-up, and no weak map of thousands of entries for every garbage collection to walk.
 */
export class Storage<E extends object> {
  private size = 0;
  /** Entries of ids that another backend made. */
  private readonly foreign = new WeakMap<object, E>();

  constructor(private readonly backend: KernelBackend) {}

  /** A new id. */
  add(entry: E): object {
    this.size++;
    return new Id(this, entry);
  }

  set(id: object, entry: E): void {
    if (!this.has(id)) this.size++;
    if (id instanceof Id && id.storage === this) id.entry = entry;
    else this.foreign.set(id, entry);
  }

  /** The entry of an id; data that another backend holds move here. */
  get(id: object): E {
    const entry = this.find(id);
    if (entry) return entry;
    engine().moveData(this.backend as never, id);
    return this.find(id)!;
  }

  has(id: object): boolean {
    return this.find(id) !== undefined;
  }

  delete(id: object): void {
    if (!this.has(id)) return;
    this.size--;
    if (id instanceof Id && id.storage === this) id.entry = undefined;
    else this.foreign.delete(id);
  }

  numDataIds(): number {
    return this.size;
  }

  private find(id: object): E | undefined {
    if (id instanceof Id && id.storage === this) return id.entry as E | undefined;
    return this.foreign.get(id);
  }
}

class Id {
  constructor(
    readonly storage: object,
    public entry: object | undefined,
  ) {}
}
