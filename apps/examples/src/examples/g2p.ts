import { type SequenceBatch, SequenceBatches } from '@poiesis/attention';
import { adam, cosine, inverseSqrt, randomKey, supervised } from '@poiesis/core';
import * as v from 'valibot';
import { integer, number } from '../cli/values';
import { ExampleError } from '../errors';
import { Alignment } from '../g2p/alignment';
import { Alphabet } from '../g2p/alphabet';
import { errorRates } from '../g2p/error-rates';
import { type Lexicon, LONGEST, lexicons } from '../g2p/lexicon';
import { modelOf, Pupil, soundLabels } from '../g2p/pupil';
import {
  analogiesSchema,
  backwardsSchema,
  ngramDropoutSchema,
  ngramsSchema,
  positionsSchema,
  Speaker,
} from '../g2p/speaker';
import { Speakers } from '../g2p/speakers';
import { countSchema, shareSchema } from '../run/config';
import { userPath } from '../run/paths';
import { trainingExample } from '../run/training';
import { g2pSay } from './g2p-say';
import { g2pTest } from './g2p-test';

/** Letters of a word that counts as one of a batch: of longer words fewer fit in, of shorter ones more. */
const LETTERS = 12;

/** Lengths that words and pronunciations are filled up to: close together where most words are. */
const LENGTHS = [6, 7, 8, 9, 10, 12, 16, 24, 32, LONGEST + 1];

/** Share that one step keeps of the average of the weights. */
const AVERAGING = 0.999;

export const g2p = trainingExample({
  name: 'g2p',
  summary: 'Transformer from letters to phones: learns to pronounce English',
  description:
    'Learns from the CMU pronouncing dictionary (124,000 words without stress, of which a twentieth is kept for the\n' +
    'test and a hundredth for validation), or from a file with a word, a tab and its phones on each line, where a\n' +
    'word with several pronunciations has several lines. Words are read in lower case.\n\n' +
    'metrics.json tells wordErrorRate and phonemeErrorRate on the test words, in per cent, by beam search; any\n' +
    'pronunciation of a word counts. --batch is for words of 12 letters: of longer ones a batch has fewer.',
  defaults: {
    backend: 'auto',
    // A few minutes on two cores.
    steps: 3000,
    batch: 64,
    seed: 1,
    dim: 128,
    heads: 4,
    layers: 2,
    dropout: 0.1,
    positions: 'rotary',
    ngrams: 7,
    ngramDropout: 0.1,
    backwards: false,
    analogies: 1,
    lr: 2e-3,
    warmup: 200,
    schedule: 'inverse-sqrt',
    smoothing: 0.1,
    beams: 4,
    evaluateEvery: 500,
  },
  entries: {
    /** Files instead of the dictionary, as absolute paths. */
    data: v.optional(v.string()),
    test: v.optional(v.string()),
    /** Test no more than so many words, or none. */
    testWords: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
    dim: countSchema,
    heads: countSchema,
    layers: countSchema,
    dropout: shareSchema,
    positions: positionsSchema,
    ngrams: ngramsSchema,
    ngramDropout: ngramDropoutSchema,
    backwards: backwardsSchema,
    analogies: analogiesSchema,
    /** The highest rate, and the steps until it is reached. */
    lr: v.pipe(v.number(), v.gtValue(0)),
    warmup: countSchema,
    schedule: v.picklist(['inverse-sqrt', 'cosine']),
    smoothing: shareSchema,
    beams: countSchema,
    evaluateEvery: countSchema,
  },
  // More dropout once a run learns little but its own words by heart; another rate or test at its end.
  changeable: ['dropout', 'ngramDropout', 'lr', 'smoothing', 'beams', 'testWords', 'evaluateEvery'],
  options: (command) =>
    command
      .option('--data <file>', 'learn from a file of words and phones', userPath)
      .option('--test <file>', 'test on a file; none of its words is learned from', userPath)
      .option('--test-words <n>', 'test no more than so many words, 0 for no test (default: all)', integer)
      .option('--dim <n>', 'features of a token (default: 128)', integer)
      .option('--heads <n>', 'heads of an attention (default: 4)', integer)
      .option('--layers <n>', 'layers of the encoder, and of the decoder (default: 2)', integer)
      .option('--dropout <x>', 'share of features that are left out (default: 0.1)', number)
      .option('--positions <name>', 'what tells letters apart: sinusoidal, or rotary (default: rotary)')
      .option(
        '--ngrams <n>',
        'letters of n-grams that have vectors of their own: up to 3, 5, 7, or 0 (default: 7)',
        integer,
      )
      .option('--ngram-dropout <x>', 'share of n-grams that are taken for unknown (default: 0.1)', number)
      .option('--backwards', 'say the last phone first, for use together with a model that does not')
      .option(
        '--analogies <n>',
        'words of the like to look up at each end of a word: 0 to 3 (default: 1)',
        integer,
      )
      .option('--lr <x>', 'highest learning rate (default: 2e-3)', number)
      .option('--warmup <n>', 'steps until it is reached (default: 200)', integer)
      .option('--schedule <name>', 'how it falls: inverse-sqrt, or cosine to 0 (default: inverse-sqrt)')
      .option('--smoothing <x>', 'label smoothing (default: 0.1)', number)
      .option('--beams <n>', 'beams of the test (default: 4)', integer)
      .option('--evaluate-every <n>', 'steps between two validations (default: 500)', integer),

  async setUp({ config, console }) {
    const { seed, batch, steps, lr, warmup, smoothing, beams } = config;
    const { train, validation, test } = await lexicons(config);
    const { dim, heads, layers, dropout, positions, ngrams, ngramDropout, backwards, analogies } = config;
    const sizes = { dim, heads, layers, dropout, positions, ngrams, ngramDropout, backwards, analogies };
    const alignment = Alignment.of(train, Alphabet.of(train));
    const speaker = Speaker.of(train, sizes, { seed, alignment });
    const alone = new Speakers([speaker]);
    const { alphabet, model } = speaker;
    for (const part of [validation, test]) checkLetters(part, alphabet);
    console.say(`${train.size} words to learn, ${validation.size} for validation, ${test.size} for the test`);

    const pairs = [...train].flatMap(([word, pronunciations]) => {
      const source = speaker.spell(word);
      const letters = alphabet.spell(word);
      return pronunciations.map((pronunciation) => {
        const phones = alphabet.sound(pronunciation);
        const labels = soundLabels({ letters, phones }, alignment, model.config);
        return { source, target: speaker.sound(pronunciation), labels };
      });
    });
    const rate =
      config.schedule === 'cosine'
        ? cosine(lr, { steps, warmup: Math.min(warmup, steps - 1) })
        : inverseSqrt(lr, { warmup });
    // Words are said with the average of the last thousand weights or so.
    const step = supervised(
      new Pupil(model, { key: randomKey(seed).fold(1) }),
      (pupil, batch: SequenceBatch, key) => pupil.loss(batch, { labelSmoothing: smoothing, key }),
      adam({ lr: rate, beta2: 0.98, eps: 1e-9 }),
      { ema: { decay: AVERAGING, warmup: true } },
    );
    const average = step.ema!;
    const rates = async (lexicon: Lexicon, beams: number, onProgress?: (done: number) => void) => {
      const said = await average.apply(() => alone.say([...lexicon.keys()], { beams, onProgress }));
      return errorRates(said, lexicon);
    };

    return {
      step,
      batches: new SequenceBatches(pairs, {
        ...model.config,
        tokens: batch * LETTERS,
        lengths: LENGTHS,
        seed,
      }),
      weights: async () => modelOf(await average.averages()),
      metadata: speaker.metadata(),
      checkpointEvery: 500,
      // Greedily: a beam takes longer and ranks models alike.
      evaluate: async () => ({ ...(await rates(validation, 1)) }),
      evaluateEvery: config.evaluateEvery,
      figures: async () => ({
        ...(test.size > 0 &&
          (await rates(test, beams, (done) => console.progress('Testing', done, test.size)))),
        testWords: test.size,
        trainWords: train.size,
        beams,
        parameters: model.parameterCount(),
      }),
    };
  },

  next: (model) => `Hear it: npm start -- g2p say --model ${model} --word "poiesis"`,
  actions: [g2pSay, g2pTest],
});

/** A letter that nothing was learned about: a slip in the file, or too little to learn from. */
function checkLetters(lexicon: Lexicon, alphabet: Alphabet): void {
  for (const word of lexicon.keys()) {
    try {
      alphabet.spell(word);
    } catch (cause) {
      throw new ExampleError(
        `a word that is to be tested has a letter that no learned one has: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
}
