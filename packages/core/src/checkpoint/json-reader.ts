import { FileFormatError } from '../errors';

/** Nesting beyond which no header of ours goes. */
const MAX_DEPTH = 16;

/**
 * Reads JSON piece by piece, strictly, without building values that nobody asked for.
 *
 * `JSON.parse` would do but for three things: it keeps the last of two equal keys in silence, it builds whatever a
 * hostile header contains before anything can be checked, and its errors carry no usable position.
 */
export class JsonReader {
  private at = 0;
  private depth = 0;

  /** @param start byte of the file at which `text` begins */
  constructor(
    private readonly text: string,
    private readonly file: string,
    private readonly start = 0,
  ) {}

  /**
   * Reads an object; `each` must consume the value of the key that it is told.
   * @param taken tells keys that were there already, which are an error; whoever keeps the values knows them
   */
  object(each: (key: string) => void, taken: (key: string) => boolean): void {
    this.members('{', '}', 'an object', () => {
      const at = this.at;
      const key = this.string();
      if (taken(key)) this.fail('distinct keys', `${show(key)} twice`, at);
      this.space();
      if (this.text[this.at] !== ':') this.fail('":"', this.here());
      this.at++;
      each(key);
    });
  }

  /** Reads an object of at most `max` strings. */
  strings(max: number, check: (value: string) => void = () => {}): Map<string, string> {
    const map = new Map<string, string>();
    this.object(
      (key) => {
        if (map.size === max) this.fail(`at most ${max} entries`, 'more');
        const value = this.string();
        check(value);
        map.set(key, value);
      },
      (key) => map.has(key),
    );
    return map;
  }

  /** Reads an array; `each` must consume one value. */
  array(each: (index: number) => void): void {
    let index = 0;
    this.members('[', ']', 'an array', () => each(index++));
  }

  /** Reads an array of at most `max` sizes. */
  integers(max: number, what: string): number[] {
    const list: number[] = [];
    this.array(() => {
      if (list.length === max) this.fail(what, `more than ${max}`);
      list.push(this.integer());
    });
    return list;
  }

  /** Reads a whole number from 0 to 2^53 - 1, written without sign, fraction and exponent. */
  integer(): number {
    this.space();
    const at = this.at;
    const literal = this.number();
    const value = Number(literal);
    if (!/^\d+$/.test(literal) || !Number.isSafeInteger(value)) {
      this.fail('a whole number below 2^53', show(literal), at);
    }
    return value;
  }

  string(): string {
    this.space();
    const { text } = this;
    if (text[this.at] !== '"') this.fail('a string', this.here());
    const start = this.at + 1;
    let escaped = false;
    for (let i = start; ; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x22) {
        this.at = i + 1;
        return escaped ? this.unescape(start, i) : text.slice(start, i);
      }
      if (!(code >= 0x20)) {
        // NaN, past the end, lands here too
        this.at = i;
        this.fail('the rest of a string', this.here());
      }
      if (code === 0x5c) {
        escaped = true;
        i++; // whatever follows is part of the escape, a quote included
      }
    }
  }

  /** Reads `null` if that is what comes next, and says whether it was. */
  null(): boolean {
    this.space();
    const found = this.text.startsWith('null', this.at);
    if (found) this.at += 4;
    return found;
  }

  /** Reads one value of any kind without keeping it. Equal keys pass: nobody is told either value. */
  skip(): void {
    this.space();
    const char = this.text[this.at];
    if (char === '{') {
      this.object(
        () => this.skip(),
        () => false,
      );
    } else if (char === '[') this.array(() => this.skip());
    else if (char === '"') this.string();
    else if (char === '-' || isDigit(this.text.charCodeAt(this.at))) this.number();
    else {
      const word = ['true', 'false', 'null'].find((w) => this.text.startsWith(w, this.at));
      if (!word) this.fail('a JSON value', this.here());
      this.at += word.length;
    }
  }

  /** Demands that nothing but white space is left. */
  end(): void {
    this.space();
    if (this.at < this.text.length) this.fail('the end of the JSON text', this.here());
  }

  fail(expected: string, received: string, at = this.at): never {
    const offset = this.start + utf8Length(this.text, at);
    throw new FileFormatError({ file: this.file, offset, expected, received });
  }

  private members(open: string, close: string, what: string, each: () => void): void {
    this.space();
    if (this.text[this.at] !== open) this.fail(what, this.here());
    if (++this.depth > MAX_DEPTH) this.fail(`at most ${MAX_DEPTH} levels of nesting`, 'more');
    this.at++;
    this.space();
    if (this.text[this.at] === close) this.at++;
    else {
      for (;;) {
        each();
        this.space();
        const char = this.text[this.at];
        if (char !== ',' && char !== close) this.fail(`"," or "${close}"`, this.here());
        this.at++;
        if (char === close) break;
        this.space();
      }
    }
    this.depth--;
  }

  private number(): string {
    const pattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    pattern.lastIndex = this.at;
    const literal = pattern.exec(this.text)?.[0];
    if (literal === undefined) this.fail('a number', this.here());
    this.at += literal.length;
    return literal;
  }

  private unescape(start: number, end: number): string {
    let value: string;
    try {
      value = JSON.parse(this.text.slice(start - 1, end + 1));
    } catch {
      this.fail('a string with valid escapes', show(this.text.slice(start, end)), start);
    }
    if (!isWellFormed(value)) this.fail('a string of whole characters', 'half a surrogate pair', start);
    return value;
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }

  private here(): string {
    return this.at < this.text.length ? show(this.text.slice(this.at, this.at + 16)) : 'the end';
  }
}

/** Bytes of the first `end` code units, counted without making them. */
function utf8Length(text: string, end: number): number {
  let bytes = 0;
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    // A surrogate is half of a character of four bytes.
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3;
  }
  return bytes;
}

/** Whether a string can be written as UTF-8 at all. */
export function isWellFormed(text: string): boolean {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function show(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}…` : text);
}
