import { ArgumentError } from '@poiesis/core';
import { describe, expect, it } from 'vitest';
import * as node from '../src/index';
import * as web from '../src/web';
import { createWebBackend } from '../src/web-backend';
import { webProvider } from '../src/web-provider';

describe('the entry for browsers', () => {
  it('has the names of the one for Node', () => {
    expect(Object.keys(web).sort()).toEqual(Object.keys(node).sort());
  });

  it('says what it would run on', async () => {
    expect(await webProvider.available()).toEqual({
      ok: true,
      reason: 'onnxruntime-web, 1 thread, since the page is not cross-origin isolated',
    });
  });

  it('checks its options', async () => {
    await expect(createWebBackend({ dump: 'models' })).rejects.toThrow(
      /options\.dump.*take the models with onModel/,
    );
    await expect(createWebBackend({ threads: 0 })).rejects.toThrow(ArgumentError);
  });
});
