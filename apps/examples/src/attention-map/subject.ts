import { greedy } from '@poiesis/attention';
import { SafetensorsFile, type StateDict } from '@poiesis/core';
import { openSafetensors } from '@poiesis/core/node';
import * as v from 'valibot';
import { ExampleError, exitCodes, oneLine } from '../errors';
import { digits, TOY_ENTRY, tasks, tokens, toyModel } from '../examples/translate-toy';
import { G2P_ENTRY, type Pronunciation, Speaker, typedWord } from '../g2p/speaker';
import type { Subject } from './maps';

/** What the model is to read, as it was typed. */
export interface Asked {
  word?: string | undefined;
  row?: string | undefined;
}

/** Beams of a word's pronunciation. */
const BEAMS = 4;

/**
 * A trained model of either kind, with what it reads and the best that it makes of it.
 * @throws ExampleError where there is no model, or none that can be looked into.
 */
export async function loadSubject(path: string, asked: Asked): Promise<Subject> {
  const { metadata, weights } = await opened(path);
  if (G2P_ENTRY in metadata) {
    if (asked.row !== undefined) throw misfit(path, 'g2p', '--row', '--word "phoenix"');
    return spoken(await Speaker.load(path), typedWord(asked.word ?? 'phoenix'));
  }
  if (TOY_ENTRY in metadata) {
    if (asked.word !== undefined) throw misfit(path, 'translate-toy', '--word', '--row "3 1 2"');
    return translated(path, metadata[TOY_ENTRY]!, weights, asked.row);
  }
  throw new ExampleError(`${path} holds no model that g2p or translate-toy has trained`);
}

async function opened(path: string): Promise<{ metadata: Record<string, string>; weights: StateDict }> {
  const file = await openSafetensors(path).catch((cause) => {
    throw new ExampleError(`no trained model in ${path}: ${oneLine(cause)}`, { cause });
  });
  try {
    return {
      metadata: file instanceof SafetensorsFile ? { ...file.metadata } : {},
      weights: await file.stateDict(),
    };
  } finally {
    await file.close();
  }
}

function misfit(path: string, example: string, given: string, right: string): ExampleError {
  return new ExampleError(`${given}: ${path} is a model of ${example}; give it ${right}`, {
    exitCode: exitCodes.usage,
  });
}

async function spoken(speaker: Speaker, word: string): Promise<Subject> {
  const { alphabet, model } = speaker;
  const tokens = speaker.spell(word);
  const [[best]] = (await speaker.propose([word], { beams: BEAMS })) as [[Pronunciation]];
  const percent = (100 * Math.exp(best.logProb)).toFixed(1);
  const target = speaker.sound(best.phones);
  return {
    example: 'g2p',
    model,
    title: `${word} → ${best.phones.join(' ')}  (${percent} %)`,
    source: { tokens, labels: [...word] },
    target: { tokens: target, labels: alphabet.read(target) },
  };
}

const learnedSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ task: v.picklist(Object.keys(tasks) as (keyof typeof tasks)[]), length: v.number() }),
);

async function translated(
  path: string,
  entry: string,
  weights: StateDict,
  typed: string | undefined,
): Promise<Subject> {
  const learned = v.safeParse(learnedSchema, entry);
  if (!learned.success)
    throw new ExampleError(`${path}: a model of translate-toy that this version does not know`);
  const { task, length } = learned.output;
  const row = typed === undefined ? [3, 1, 4, 1, 5, 9].slice(0, length) : typedRow(typed, length);
  const model = toyModel({ seed: 0 });
  model.loadStateDict(weights);
  const found = await greedy(model, tokens(row), { maxLength: length + 1 });
  const answer = digits(found.tokens);
  return {
    example: 'translate-toy',
    model,
    title: `${task}: ${row.join(' ')} → ${answer.join(' ')}`,
    source: { tokens: tokens(row), labels: row.map(String) },
    target: { tokens: found.tokens, labels: answer.map(String) },
  };
}

/** Digits as they were typed, apart or together. */
export function typedRow(text: string, longest: number): number[] {
  const row = [...text.replace(/[\s,]/g, '')].map(Number);
  if (row.length >= 1 && row.length <= longest && row.every((digit) => digit >= 0 && digit <= 9)) return row;
  throw new ExampleError(`--row: expected 1 to ${longest} digits, got ${JSON.stringify(text)}`, {
    exitCode: exitCodes.usage,
  });
}
