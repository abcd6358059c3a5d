import '@poiesis/backend-onnx';
import { useBackend } from '@poiesis/core';
import { Command } from 'commander';
import { integer } from '../cli/values';
import { ExampleError, exitCodes } from '../errors';
import { typedWord } from '../g2p/speaker';
import { Speakers } from '../g2p/speakers';
import { userPath } from '../run/paths';

interface SayFlags {
  model: string[];
  word: string[];
  best: number;
  backend: string;
}

export function g2pSay(): Command {
  return new Command('say')
    .summary('pronounce words with a trained model')
    .description(
      'Says how a word is pronounced, with alternatives, each with its probability in per cent and the natural\n' +
        'logarithm of it. They are found by beam search, and need not be all that there are.',
    )
    .requiredOption(
      '--model <dirs...>',
      'folder of a run, or its model.safetensors; several say words together',
    )
    .requiredOption('--word <words...>', 'what to pronounce: one word or several')
    .option('--best <n>', 'pronunciations of a word, 1 to 32', integer, 4)
    .option('--backend <name>', 'what to compute on: auto, onnx, wasm, cpu', 'auto')
    .action(say);
}

async function say({ model, word, best, backend }: SayFlags): Promise<void> {
  if (best < 1 || best > 32) {
    throw new ExampleError(`--best: expected 1 to 32, got ${best}`, { exitCode: exitCodes.usage });
  }
  const words = [...new Set(word.map(typedWord))];
  await useBackend(backend);
  const speakers = await Speakers.load(model.map(userPath));
  for (const [word, found] of await speakers.say(words, { beams: Math.max(best, 4) })) {
    process.stdout.write(`${word}\n`);
    const width = Math.max(...found.map(({ phones }) => phones.join(' ').length));
    for (const { phones, logProb } of found.slice(0, best)) {
      const percent = (100 * Math.exp(logProb)).toFixed(1).padStart(5);
      process.stdout.write(`  ${phones.join(' ').padEnd(width)}  ${percent} %  ${logProb.toFixed(3)}\n`);
    }
  }
}
