import { checkArgument } from '../errors';
import { FOLD_DOMAIN, SPLIT_DOMAIN, threefry2x32 } from './threefry';

type Words = readonly [number, number];

/** The end of a chain of derivations. `version` counts the rebinds of a traceable one; others stay at 0. */
interface Root {
  words: Words;
  version: number;
}

/**
 * The source of random numbers: an immutable value that a draw is a function of. The same key gives the same bits on
 * every backend and machine, so a key is used for one draw; more draws take keys made by `split` or `fold`.
 */
export class Key {
  readonly #root: Root;
  readonly #derivation: { readonly parent: Key; readonly x0: number; readonly x1: number } | undefined;
  #words: Words;
  #version: number;

  private constructor(root: Root, derivation?: { parent: Key; x0: number; x1: number }) {
    this.#root = root;
    this.#derivation = derivation;
    this.#words = derivation ? child(derivation.parent.#resolve(), derivation) : root.words;
    this.#version = root.version;
  }

  /** The two 32-bit words of the Threefry key, as they are now: under a rebound root, what the new root gives. */
  words(): Words {
    if (traceable.has(this.#root)) guard.onRead?.();
    return this.#resolve();
  }

  #resolve(): Words {
    if (this.#version !== this.#root.version) {
      this.#words = this.#derivation
        ? child(this.#derivation.parent.#resolve(), this.#derivation)
        : this.#root.words;
      this.#version = this.#root.version;
    }
    return this.#words;
  }

  /** `n` keys of independent streams. Child `i` does not depend on `n`. */
  split(n = 2): Key[] {
    checkArgument(Number.isInteger(n) && n >= 0 && n <= 0xffffffff, 'Key.split', 'n', 'an integer ≥ 0', n);
    return Array.from({ length: n }, (_, i) => this.#derive(i, SPLIT_DOMAIN));
  }

  /** The key of stream number `data`, for example of a step, a layer, an epoch: distinct for distinct `data`. */
  fold(data: number): Key {
    checkArgument(Number.isSafeInteger(data) && data >= 0, 'Key.fold', 'data', 'a safe integer ≥ 0', data);
    return this.#derive(data >>> 0, (FOLD_DOMAIN + Math.floor(data / 0x100000000)) >>> 0);
  }

  #derive(x0: number, x1: number): Key {
    // Only descendants of a traceable root remember where they come from; all others are computed here and now, so
    // that a key derived from a key a million times holds no chain of a million parents.
    if (traceable.has(this.#root)) return new Key(this.#root, { parent: this, x0, x1 });
    return new Key({ words: child(this.words(), { x0, x1 }), version: 0 });
  }

  /** @internal */
  static fromWords(words: Words, options: { traceable?: boolean } = {}): Key {
    const root: Root = { words: [words[0] >>> 0, words[1] >>> 0], version: 0 };
    if (options.traceable) traceable.add(root);
    return new Key(root);
  }

  /** @internal */
  static rebind(key: Key, to: Key): void {
    const root = key.#root;
    checkArgument(traceable.has(root) && !key.#derivation, 'rebind', 'key', 'a key of traceableKey()', key);
    root.words = to.words();
    root.version += 1;
  }

  toString(): string {
    return `Key(${this.words().map((w) => `0x${w.toString(16).padStart(8, '0')}`)})`;
  }
}

const traceable = new WeakSet<Root>();

// On globalThis, as the recorders of host inputs are.
const GUARD = Symbol.for('poiesis.keyReadGuard');
const holder = globalThis as { [GUARD]?: { onRead?: (() => void) | null } };
holder[GUARD] ??= {};
const guard = holder[GUARD];

/**
 * Sets what is called when the words of a traceable key are read, or removes it with null. A compiler learns so that
 * a step turns its key into plain numbers, which a replay would not do again.
 * @internal
 */
export function setKeyReadGuard(onRead: (() => void) | null): void {
  guard.onRead = onRead;
}

/**
 * The key of a seed: the 64-bit seed itself, low word first.
 * @param seed a safe integer or a bigint, taken modulo 2⁶⁴ (so -1 is the seed of all ones).
 */
export function randomKey(seed: number | bigint): Key {
  checkArgument(
    typeof seed === 'bigint' || Number.isSafeInteger(seed),
    'randomKey',
    'seed',
    'a safe integer or a bigint',
    seed,
  );
  const bits = BigInt.asUintN(64, BigInt(seed));
  return Key.fromWords([Number(bits & 0xffffffffn), Number(bits >> 32n)]);
}

/**
 * A root with the words of `key` that `rebind` can point elsewhere later. Everything derived from it follows. Made
 * for a compiler: it traces a step with a traceable key, and at each replay rebinds it to that step's key and calls
 * the recorded host inputs again.
 * @internal
 */
export function traceableKey(key: Key): Key {
  return Key.fromWords(key.words(), { traceable: true });
}

/**
 * Gives a traceable root the words that `to` has now.
 * @internal
 */
export function rebind(key: Key, to: Key): void {
  Key.rebind(key, to);
}

/** The key that `words()` of another key describe: for keys that were saved. */
export function keyFromWords(words: readonly [number, number]): Key {
  return Key.fromWords(words);
}

function child(parent: Words, { x0, x1 }: { x0: number; x1: number }): Words {
  return threefry2x32(parent[0], parent[1], x0, x1);
}
