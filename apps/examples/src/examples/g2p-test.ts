import '@poiesis/backend-onnx';
import { useBackend } from '@poiesis/core';
import { Command } from 'commander';
import { integer } from '../cli/values';
import { ExampleError, exitCodes } from '../errors';
import { errorRates } from '../g2p/error-rates';
import { type LexiconFiles, lexicons, testLexicon } from '../g2p/lexicon';
import { Speakers } from '../g2p/speakers';
import { runConsole } from '../run/console';
import { userPath } from '../run/paths';

interface TestFlags extends LexiconFiles {
  model: string[];
  validation?: boolean;
  beams: number;
  backend: string;
  json?: boolean;
}

export function g2pTest(): Command {
  return new Command('test')
    .summary('word and phoneme error rates of trained models, alone or together')
    .description(
      'Says the test words and counts how many are wrong. Several models say them together: those that were trained\n' +
        'alike but for the seed, and those that say the last phone first (--backwards).',
    )
    .requiredOption(
      '--model <dirs...>',
      'folder of a run, or its model.safetensors; several say words together',
    )
    .option('--data <file>', 'what the models learned from, where it was a file', userPath)
    .option('--test <file>', 'test on a file', userPath)
    .option('--validation', 'the words that training was watched on, to choose among models')
    .option('--test-words <n>', 'test no more than so many words (default: all)', integer)
    .option('--beams <n>', 'beams of the search', integer, 4)
    .option('--backend <name>', 'what to compute on: auto, onnx, wasm, cpu', 'auto')
    .option('--json', 'write the figures as JSON')
    .action(test);
}

async function test({
  model,
  validation: onValidation,
  beams,
  backend,
  json,
  ...files
}: TestFlags): Promise<void> {
  const { testWords = 1 } = files;
  if (testWords < 1) {
    throw new ExampleError(`--test-words: expected 1 or more, got ${testWords}`, {
      exitCode: exitCodes.usage,
    });
  }
  await useBackend(backend);
  const console = runConsole({ json: json ?? false, quiet: false });
  const speakers = await Speakers.load(model.map(userPath));
  const lexicon = onValidation ? (await lexicons(files)).validation : await testLexicon(files);
  const words = [...lexicon.keys()];
  const start = performance.now();
  const said = await speakers.say(words, {
    beams,
    onProgress: (done) => console.progress('Testing', done, words.length),
  });
  const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
  const { parameters } = speakers;
  const rates = errorRates(said, lexicon);
  const figures = { ...rates, testWords: words.length, models: model.length, parameters, beams, seconds };
  if (json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else {
    console.say(`word error rate     ${rates.wordErrorRate} %`);
    console.say(`phoneme error rate  ${rates.phonemeErrorRate} %`);
    console.say(
      `${words.length} words, ${model.length} ${model.length === 1 ? 'model' : 'models'}, ${parameters} parameters, ${seconds} s`,
    );
  }
}
