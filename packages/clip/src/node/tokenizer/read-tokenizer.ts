import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ArgumentError, FileFormatError, StorageError } from '@poiesis/core';
import { readFileBytes } from '@poiesis/core/node';
import {
  ClipTokenizer,
  type ClipTokenizerOptions,
  parseMerges,
  type TextTokenizer,
  type TokenizerConfig,
  WordTokenizer,
} from '../../tokenizer';

/**
 * Reads a tokenizer: a folder with tokenizer.json or with vocab.json and merges.txt (and tokenizer_config.json beside
 * them), or one file, tokenizer.json or OpenAI's bpe_simple_vocab_16e6.txt.gz.
 * @throws StorageError where there is none, FileFormatError where it is damaged or none.
 */
export async function readTokenizer(
  path: string,
  options: ClipTokenizerOptions = {},
): Promise<TextTokenizer> {
  const folder = (await stat(path).catch(() => undefined))?.isDirectory();
  if (!folder) {
    const bytes = await readFileBytes(path);
    const text = inFile(path, () =>
      Buffer.from(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('utf8'),
    );
    return inFile(path, () =>
      /^\s*\{/.test(text)
        ? fromJson(JSON.parse(text), undefined, options)
        : ClipTokenizer.fromMerges(text, options),
    );
  }
  const config = await json<TokenizerConfig>(join(path, 'tokenizer_config.json'));
  const whole = join(path, 'tokenizer.json');
  const tokenizer = await json<object>(whole);
  if (tokenizer) return inFile(whole, () => fromJson(tokenizer, config, options));
  const vocab = await json<Record<string, number>>(join(path, 'vocab.json'));
  if (!vocab)
    throw new StorageError({ path, operation: 'read', reason: 'no tokenizer.json, and no vocab.json' });
  const merges = join(path, 'merges.txt');
  const pairs = Buffer.from(await readFileBytes(merges)).toString('utf8');
  return inFile(merges, () =>
    ClipTokenizer.fromVocabulary({ vocab, merges: parseMerges(pairs) }, { config, ...options }),
  );
}

function fromJson(
  json: object,
  config: TokenizerConfig | undefined,
  options: ClipTokenizerOptions,
): TextTokenizer {
  return 'words' in json
    ? WordTokenizer.fromJson(json, options)
    : ClipTokenizer.fromJson(json, { config, ...options });
}

/** What a JSON file holds; undefined where there is no such file. */
async function json<T>(path: string): Promise<T | undefined> {
  const bytes = await readFileBytes(path).catch((error) => {
    if (StorageError.isInstance(error) && error.systemCode === 'ENOENT') return undefined;
    throw error;
  });
  return bytes && inFile(path, () => JSON.parse(Buffer.from(bytes).toString('utf8')) as T);
}

/** What is wrong with a file's content is told with its name. */
function inFile<T>(file: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const [expected, received] = ArgumentError.isInstance(cause)
      ? [cause.expected, String(cause.received)]
      : ['a tokenizer', (cause as Error).message];
    throw new FileFormatError({ file, expected, received, cause });
  }
}
