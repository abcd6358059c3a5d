import { decodePng } from '@poiesis/core/node';
import { describe, expect, it } from 'vitest';
import { colourOf } from '../../src/attention-map/colours';
import { byLayer, type HeadMap } from '../../src/attention-map/maps';
import { pngOf } from '../../src/attention-map/picture';
import { svgMaps } from '../../src/attention-map/svg';
import { terminalMaps } from '../../src/attention-map/terminal';

const map = (more: Partial<HeadMap> = {}): HeadMap => ({
  attention: 'cross',
  layer: 1,
  head: 1,
  queries: ['AE', 'T', '$'],
  keys: ['a', 't'],
  weights: [
    [0.9, 0.1],
    [0.3, 0.6],
    [0.04, 0.96],
  ],
  ...more,
});

describe('colourOf', () => {
  it('goes from dark to light, and stays there', () => {
    expect(colourOf(0)).toEqual([68, 1, 84]);
    expect(colourOf(1)).toEqual([253, 231, 37]);
    expect([colourOf(-1), colourOf(2)]).toEqual([colourOf(0), colourOf(1)]);
    const light = (weight: number) => colourOf(weight).reduce((sum, channel) => sum + channel, 0);
    for (let i = 1; i <= 50; i++) expect(light(i / 50)).toBeGreaterThanOrEqual(light((i - 1) / 50) - 1);
  });
});

describe('terminalMaps', () => {
  it('shades the cells, names rows and columns, and puts heads side by side', () => {
    const maps = [map(), map({ head: 2 }), map({ layer: 2 })];
    expect(byLayer(maps).map((heads) => heads.length)).toEqual([2, 1]);
    expect(terminalMaps(maps, { width: 80, colours: false })).toEqual([
      '',
      'cross, layer 1: what is about to be said looks at what was read',
      'head 1    head 2',
      '   a t       a t',
      'AE ██░░   AE ██░░',
      ' T ▒▒▓▓    T ▒▒▓▓',
      ' $   ██    $   ██',
      '',
      'cross, layer 2: what is about to be said looks at what was read',
      'head 1',
      '   a t',
      'AE ██░░',
      ' T ▒▒▓▓',
      ' $   ██',
      '',
      '░░ from 0.1  ▒▒ 0.25  ▓▓ 0.5  ██ 0.75',
    ]);
  });

  it('puts them below each other where they do not fit', () => {
    const lines = terminalMaps([map(), map({ head: 2 })], { width: 12, colours: false });
    expect(lines.filter((line) => line.startsWith('head'))).toEqual(['head 1', 'head 2']);
  });

  it('has colours where the terminal has them', () => {
    const text = terminalMaps([map()], { width: 80, colours: true }).join('\n');
    expect(text).toContain(`\u001b[48;2;${colourOf(0.96).join(';')}m  \u001b[0m`);
    expect(text).not.toMatch(/[░▒▓█]/);
  });
});

describe('the picture', () => {
  it('is a PNG with a cell of its colour for each weight', async () => {
    const picture = svgMaps('at → AE T', [map()]);
    const { width, height, data, channels } = await decodePng(await pngOf(picture));
    expect([width, height]).toEqual([Math.round(2 * picture.width), Math.round(2 * picture.height)]);
    const colours = new Set<string>();
    for (let i = 0; i < data.length; i += channels) colours.add(data.subarray(i, i + 3).join());
    for (const weight of map().weights.flat()) expect(colours).toContain(colourOf(weight).join());
    expect(colours).toContain('255,255,255');
  });

  it('leaves out what a decoder cannot see yet, and escapes what it names', () => {
    const weights = [
      [1, 0],
      [0.5, 0.5],
    ];
    const maps = [map({ attention: 'decoder', queries: ['<', '$'], keys: ['^', '<'], weights })];
    const { svg } = svgMaps('a & b', maps);
    expect(svg).toContain('a &amp; b');
    expect(svg).toContain('>&lt;</text>');
    const cells = (svg: string) => svg.match(/height="20\.3"/g)?.length;
    expect(cells(svg)).toBe(3);
    expect(cells(svgMaps('', [map({ ...maps[0]!, attention: 'encoder' })]).svg)).toBe(4);
  });

  it('turns long names of columns', () => {
    expect(svgMaps('', [map()]).svg).not.toContain('rotate');
    expect(svgMaps('', [map({ keys: ['first', 'second'] })]).svg).toContain('rotate(-90');
  });
});
