import { hostChoice, setHostChoiceRecorder } from '@poiesis/core';
import { expect, it } from 'vitest';

it('chooses now, and tells the recorder how to choose again', () => {
  const seen: [() => number, number][] = [];
  const recorder = (choose: () => number, chosen: number) => seen.push([choose, chosen]);
  let n = 4;
  const choose = () => n++;
  expect(setHostChoiceRecorder(recorder)).toBeNull();
  expect(hostChoice(choose)).toBe(4);
  expect(setHostChoiceRecorder(null)).toBe(recorder);
  expect(hostChoice(choose)).toBe(5);
  expect(seen).toEqual([[choose, 4]]);
});
