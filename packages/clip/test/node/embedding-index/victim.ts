// Saves an index over and over, each time with a number more in its meta and vectors made from that number.
import { EmbeddingIndex } from '../../../src/embedding-index';
import { saveIndex, usearch } from '../../../src/node/embedding-index';
import { manyVectors, names } from '../../embedding-index/vectors';

const [file = '', first = '0'] = process.argv.slice(2);
const approximate = await usearch({ threads: 1 });
for (let n = Number(first); ; n++) {
  const index = new EmbeddingIndex(16, { approximate, meta: { save: String(n) } });
  await index.add(names(300), manyVectors(300, 16, n));
  await saveIndex(file, index);
  console.log(`saved ${n}`);
}
