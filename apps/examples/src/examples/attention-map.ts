import '@poiesis/backend-onnx';
import { access } from 'node:fs/promises';
import { useBackend } from '@poiesis/core';
import { Command, Option } from 'commander';
import {
  type Attention,
  attentions,
  type Choice,
  type HeadMap,
  headMaps,
  type Subject,
} from '../attention-map/maps';
import { pngOf } from '../attention-map/picture';
import { loadSubject } from '../attention-map/subject';
import { svgMaps } from '../attention-map/svg';
import { terminalMaps } from '../attention-map/terminal';
import { integer } from '../cli/values';
import { ExampleError, exitCodes, oneLine } from '../errors';
import type { Example } from '../example';
import { userPath } from '../run/paths';
import { RunFolder } from '../run/run-folder';
import { writeFileWhole } from '../run/write-file';
import { g2p } from './g2p';
import { translateToy } from './translate-toy';

interface MapFlags {
  model?: string;
  word?: string;
  row?: string;
  attention: Attention | 'all';
  layer?: number;
  head?: number;
  out: string;
  backend: string;
  json?: boolean;
  quiet?: boolean;
}

export const attentionMap: Example = {
  name: 'attention-map',
  summary: 'Heat maps of where the heads of a trained Transformer look, as a picture and in the terminal',
  command() {
    return new Command(this.name)
      .summary(this.summary)
      .description(
        `${this.summary}\n\n` +
          'The model reads a word (of g2p) or a row of digits (of translate-toy), answers, and is watched while it says\n' +
          'its answer. Without --model it is the one in runs/g2p or runs/translate-toy; where there is neither,\n' +
          'translate-toy is trained first, which takes less than a minute.\n\n' +
          'A row is a query, a column a key: a light cell is looked at. Rows of decoder and cross-attention are named\n' +
          'by the token that is about to be said; ^ is the start, $ the end.',
      )
      .option('--model <path>', 'folder of a run of g2p or translate-toy, or its model.safetensors')
      .option('--word <word>', 'what a g2p model reads (default: phoenix)')
      .option('--row <digits>', 'what a translate-toy model reads (default: 3 1 4 1 5 9)')
      .addOption(
        new Option('--attention <which>', 'whose heads').choices(['all', ...attentions]).default('all'),
      )
      .option('--layer <n>', 'only this layer, from 1', integer)
      .option('--head <n>', 'only this head, from 1', integer)
      .option('--out <file>', 'where the PNG goes', 'attention-map.png')
      .option('--backend <name>', 'what to compute on: auto, onnx, wasm, cpu', 'auto')
      .option('--json', 'write the weights as one line of JSON to standard output, and nothing else')
      .option('--quiet', 'write nothing but errors')
      .action(draw);
  },
};

async function draw(flags: MapFlags): Promise<void> {
  const { word, row, backend, json = false, quiet = false } = flags;
  if (word !== undefined && row !== undefined)
    throw usage('--row: expected either --word or --row, got both');
  const path = flags.model === undefined ? await standardModel(flags) : userPath(flags.model);
  await useBackend(backend);
  const subject = await loadSubject(path, { word, row });
  const choice = choiceOf(flags);
  const maps = await headMaps(subject, choice);
  if (maps.length === 0) throw usage(nothingThere(await headMaps(subject), choice));
  subject.model.dispose();

  const file = userPath(flags.out);
  const png = await pngOf(svgMaps(subject.title, maps));
  await writeFileWhole(file, png).catch((cause) => {
    throw new ExampleError(`cannot write ${file}: ${oneLine(cause)}`, { cause });
  });
  if (json) process.stdout.write(`${JSON.stringify(told(path, file, subject, maps))}\n`);
  else if (!quiet) process.stdout.write(`${shown(subject, maps).join('\n')}\n\nPicture: ${file}\n`);
}

/** Lines for a person. */
function shown({ title }: Subject, maps: readonly HeadMap[]): string[] {
  const { columns = 80 } = process.stdout;
  const colours = process.stdout.isTTY === true && process.stdout.hasColors(2 ** 24);
  return [title, ...terminalMaps(maps, { width: columns, colours })];
}

/** What `--json` tells. */
function told(model: string, picture: string, subject: Subject, maps: readonly HeadMap[]) {
  const { example, source, target } = subject;
  return { model, example, source: source.labels, target: target.labels, picture, maps };
}

function choiceOf({ attention, layer, head }: MapFlags): Choice {
  return { layer, head, ...(attention !== 'all' && { attention }) };
}

function nothingThere(all: readonly HeadMap[], { layer, head }: Choice): string {
  const most = (of: 'layer' | 'head') => Math.max(...all.map((map) => map[of]));
  const there = (given: number | undefined, of: 'layer' | 'head') =>
    given === undefined || all.some((map) => map[of] === given);
  return there(layer, 'layer')
    ? `--head: expected 1 to ${most('head')}, got ${head}`
    : `--layer: expected 1 to ${most('layer')}, got ${layer}`;
}

/** The model of a run in its standard folder. Where there is none, the smallest one is trained. */
async function standardModel({ word, row, backend, json, quiet }: MapFlags): Promise<string> {
  const folderOf = ({ name }: Example) => new RunFolder(userPath(`runs/${name}`));
  const [ofG2p, ofToy] = [folderOf(g2p), folderOf(translateToy)];
  if (row === undefined && (await exists(ofG2p.model))) return ofG2p.model;
  if (word !== undefined) {
    throw new ExampleError(`--word: no trained model in ${ofG2p.path}; npm start -- g2p trains one`);
  }
  if (!(await exists(ofToy.model))) {
    if (!quiet)
      process.stderr.write('No trained model yet: translate-toy learns to reverse rows of digits first.\n');
    const silent = quiet || json ? ['--quiet'] : [];
    const args = ['--out', ofToy.path, '--backend', backend, ...silent];
    await translateToy.command().exitOverride().parseAsync(args, { from: 'user' });
  }
  return ofToy.model;
}

function usage(message: string): ExampleError {
  return new ExampleError(message, { exitCode: exitCodes.usage });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
