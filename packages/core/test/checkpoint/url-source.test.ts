import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeSafetensors, hostTensor, SafetensorsFile } from '../../src/checkpoint';
import { FileFormatError, StorageError } from '../../src/errors';

const state = { a: hostTensor(new Float32Array(1000).fill(3), [1000]), b: hostTensor([1, 2], [2], 'F16') };
const content = encodeSafetensors(state);
let server: Server | undefined;

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((ready) => server!.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.safetensors`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

function ranges(body: Uint8Array, sent: { bytes: number }): RequestListener {
  return (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!;
    const part = body.subarray(Number(from), Number(to) + 1);
    if (part.length === 0) return response.writeHead(416).end();
    sent.bytes += part.length;
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${body.length}`;
    response.writeHead(206, { 'content-range': range, 'content-length': part.length }).end(part);
  };
}

describe('a URL', () => {
  it('is read by ranges: header and one tensor', async () => {
    const sent = { bytes: 0 };
    const file = await SafetensorsFile.open(await serve(ranges(content, sent)));
    expect(await file.tensor('b')).toEqual(state.b);
    expect(sent.bytes).toBeLessThan(content.length - 4000 + 32);
    expect(await file.stateDict()).toEqual(state);
  });

  it('is read whole where the server knows no ranges', async () => {
    const url = await serve((_, response) => response.end(content));
    expect(await (await SafetensorsFile.open(url)).stateDict()).toEqual(state);
  });

  it('is read whole where the size is hidden', async () => {
    const url = await serve((request, response) => {
      response
        .writeHead(request.headers.range ? 206 : 200)
        .end(request.headers.range ? content.subarray(0, 8) : content);
    });
    expect(await (await SafetensorsFile.open(url)).stateDict()).toEqual(state);
  });

  it('gives typed errors', async () => {
    const missing = await serve((_, response) => response.writeHead(404).end('not here'));
    await expect(SafetensorsFile.open(missing)).rejects.toThrow(`${missing}: cannot read: HTTP 404`);
    server!.close();
    server!.closeAllConnections();
    await expect(SafetensorsFile.open(missing)).rejects.toSatisfy(StorageError.isInstance);
    const empty = await serve(ranges(new Uint8Array(0), { bytes: 0 }));
    await expect(SafetensorsFile.open(empty)).rejects.toSatisfy(FileFormatError.isInstance);
  });

  it('notices a transfer that breaks off, and a file that got shorter', async () => {
    let requests = 0;
    const broken = await serve((request, response) => {
      if (requests++ < 3) return ranges(content, { bytes: 0 })(request, response);
      response.writeHead(206, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    });
    await expect((await SafetensorsFile.open(broken)).stateDict()).rejects.toSatisfy(StorageError.isInstance);
    server!.close();
    let body = content;
    const shrinking = await serve((request, response) => ranges(body, { bytes: 0 })(request, response));
    const file = await SafetensorsFile.open(shrinking);
    body = content.subarray(0, content.length - 1);
    await expect(file.stateDict()).rejects.toSatisfy(FileFormatError.isInstance);
  });
});
