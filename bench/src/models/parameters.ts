import type { Module } from '@poiesis/core';

/** How many numbers the parameters of a model are. */
export function parametersOf(model: Module): number {
  return Object.values(model.namedParameters()).reduce((sum, { size }) => sum + size, 0);
}
