import { describe, expect, it } from 'vitest';
import { familyOf } from '../../src/emoji/families';

/** `🏃🏾‍♀️` → `1f3c3-1f3fe-200d-2640-fe0f` */
const codes = (emoji: string) => Array.from(emoji, (c) => c.codePointAt(0)!.toString(16)).join('-');
const family = (emoji: string) => familyOf(codes(emoji));

describe('familyOf', () => {
  it.each([
    ['skin tone', '👋', ['👋🏻', '👋🏿']],
    ['gender', '🏃', ['🏃‍♀️', '🏃‍♂️', '🏃🏾‍♀️', '🏃‍♀️‍➡️', '🏃🏾‍➡️']],
    ['gender of a worker', '🧑‍⚕️', ['👩‍⚕️', '👨‍⚕️', '👨🏽‍⚕️']],
    ['hair', '🧑', ['👨‍🦰', '👩🏾‍🦱', '🧑‍🦲', '👩‍🦳', '👩', '👨']],
    ['hair of its own', '👱', ['👱‍♀️', '👱🏿‍♂️']],
    ['direction', '🧑‍🦯', ['👩‍🦯‍➡️', '👨🏿‍🦯']],
    ['a family of any people', '👪', ['👨‍👩‍👧', '👩‍👩‍👦‍👦', '👨‍👦', '🧑‍🧑‍🧒']],
    ['two people', '🧑‍🤝‍🧑', ['👫', '👭', '👬🏽', '👩🏻‍🤝‍👨🏿']],
    ['a couple', '💑', ['👩‍❤️‍👨', '👨🏻‍❤️‍👨🏿']],
    ['a kiss', '💏', ['👩‍❤️‍💋‍👨', '🧑🏻‍❤️‍💋‍🧑🏼']],
    ['who brings gifts', '🧑‍🎄', ['🎅', '🤶🏿']],
    ['the sign that asks for a picture', '☹️', ['☹']],
  ])('is the same for variants of %s', (_, base, variants) => {
    for (const variant of variants) expect([variant, family(variant)]).toEqual([variant, family(base)]);
  });

  it('tells different emoji apart', () => {
    const all = [
      '👋',
      '🤚',
      '🏃',
      '🚶',
      '🧑',
      '🧒',
      '🧑‍⚕️',
      '🧑‍🍳',
      '👪',
      '💑',
      '💏',
      '❤️',
      '🐱',
      '😺',
      '🇩🇪',
      '🇩🇯',
      '➡️',
      '♀️',
      '♂️',
      '#️⃣',
      '🦰',
    ];
    expect(new Set(all.map(family)).size).toBe(all.length);
  });
});
