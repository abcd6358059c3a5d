import { PoiesisError } from '@poiesis/core';
import { expect, it, vi } from 'vitest';
import { usearch } from '../../../src/node/embedding-index';

vi.mock('usearch', () => {
  throw new Error("Cannot find package 'usearch'");
});

it('names the install where USearch is not there', async () => {
  await expect(usearch()).rejects.toThrow('Fix: npm install usearch');
  await expect(usearch()).rejects.toSatisfy(PoiesisError.isInstance);
});
