/** Floats of a full block: 4 MB, so that no growth copies what is there and a block's scores fit a cache. */
const BLOCK_FLOATS = 1 << 20;

/** A run of rows, one after the other in memory. */
export interface Block {
  readonly data: Float32Array;
  /** Its first row's number. */
  readonly start: number;
  readonly count: number;
}

/**
 * Vectors with their ids and keys, in blocks. A key is a number that is never given twice: rows move when others are
 * removed, keys do not.
 */
export class Rows {
  readonly #blocks: Float32Array[] = [];
  readonly #ids: string[] = [];
  readonly #keys: number[] = [];
  readonly #rowOfId = new Map<string, number>();
  readonly #rowOfKey = new Map<number, number>();
  readonly #perBlock: number;
  #nextKey = 0;

  constructor(readonly dim: number) {
    this.#perBlock = Math.max(1, Math.floor(BLOCK_FLOATS / dim));
  }

  /** Takes `data` over, without a copy. */
  static of(dim: number, data: Float32Array, ids: readonly string[], keys: readonly number[]): Rows {
    const rows = new Rows(dim);
    for (let start = 0; start < ids.length; start += rows.#perBlock) {
      rows.#blocks.push(data.subarray(start * dim, (start + rows.#perBlock) * dim));
    }
    for (const [row, id] of ids.entries()) rows.#enter(id, keys[row]!);
    rows.#nextKey = keys.reduce((most, key) => Math.max(most, key + 1), 0);
    return rows;
  }

  get size(): number {
    return this.#ids.length;
  }

  get ids(): readonly string[] {
    return this.#ids;
  }

  get keys(): readonly number[] {
    return this.#keys;
  }

  has(id: string): boolean {
    return this.#rowOfId.has(id);
  }

  rowOfId(id: string): number | undefined {
    return this.#rowOfId.get(id);
  }

  rowOfKey(key: number): number | undefined {
    return this.#rowOfKey.get(key);
  }

  /** A view of a row's vector. */
  vector(row: number): Float32Array {
    const at = (row % this.#perBlock) * this.dim;
    return this.#blocks[Math.floor(row / this.#perBlock)]!.subarray(at, at + this.dim);
  }

  /** Appends a row and returns its key. */
  push(id: string, vector: Float32Array): number {
    const key = this.#nextKey++;
    this.#grow(this.size);
    this.#enter(id, key);
    this.vector(this.size - 1).set(vector);
    return key;
  }

  /** Takes a row out, by moving the last one into its place, and returns its key. */
  remove(row: number): number {
    const last = this.size - 1;
    const key = this.#keys[row]!;
    this.#rowOfId.delete(this.#ids[row]!);
    this.#rowOfKey.delete(key);
    if (row !== last) {
      this.vector(row).set(this.vector(last));
      this.#ids[row] = this.#ids[last]!;
      this.#keys[row] = this.#keys[last]!;
      this.#rowOfId.set(this.#ids[row]!, row);
      this.#rowOfKey.set(this.#keys[row]!, row);
    }
    this.#ids.pop();
    this.#keys.pop();
    this.#blocks.length = Math.ceil(this.size / this.#perBlock);
    return key;
  }

  *blocks(): Iterable<Block> {
    for (const [i, data] of this.#blocks.entries()) {
      const start = i * this.#perBlock;
      const count = Math.min(this.#perBlock, this.size - start);
      yield { data: data.subarray(0, count * this.dim), start, count };
    }
  }

  #enter(id: string, key: number): void {
    const row = this.#ids.push(id) - 1;
    this.#keys.push(key);
    this.#rowOfId.set(id, row);
    this.#rowOfKey.set(key, row);
  }

  /** Makes room for `row`: a block begins small and doubles until it is full. */
  #grow(row: number): void {
    const i = Math.floor(row / this.#perBlock);
    const block = this.#blocks[i];
    const needed = ((row % this.#perBlock) + 1) * this.dim;
    if (block && block.length >= needed) return;
    const length = Math.min(this.#perBlock * this.dim, Math.max(16 * this.dim, 2 * (block?.length ?? 0)));
    const grown = new Float32Array(Math.max(length, needed));
    if (block) grown.set(block);
    this.#blocks[i] = grown;
  }
}
