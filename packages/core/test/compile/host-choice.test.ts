import { hostChoice, setHostChoiceRecorder } from '@poiesis/core';
import { expect, it } from 'vitest';

it('chooses now, or leaves the choice to a recorder', () => {
  const seen: (() => number)[] = [];
  const recorder = (choose: () => number) => {
    seen.push(choose);
    return choose();
  };
  let n = 4;
  const choose = () => n++;
  expect(setHostChoiceRecorder(recorder)).toBeNull();
  expect(hostChoice(choose)).toBe(4);
  expect(setHostChoiceRecorder(null)).toBe(recorder);
  expect(hostChoice(choose)).toBe(5);
  expect(seen).toEqual([choose]);
});
