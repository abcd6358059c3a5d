export { readTokenizer } from './read-tokenizer';
