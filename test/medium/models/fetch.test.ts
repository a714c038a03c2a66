import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FetchOptions, type FetchProgress, fetchModels } from '../../../models/fetch.ts';
import { acceptedHashes, type Manifest, type Weight } from '../../../models/manifest.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const BYTES = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
const log = pino({ level: 'silent' });

/** A server whose answers each test writes; it notes what was asked of it. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: { readonly path: string; readonly range: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', range: request.headers.range });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    asked,
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends the file from where the range begins; cuts the connection after `cutAfter` bytes. */
function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { cutAfter = Number.POSITIVE_INFINITY, bytes = BYTES } = {},
) {
  const begin = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const rest = bytes.subarray(begin);
  const headers = {
    'content-length': rest.length,
    'content-range': `bytes ${begin}-${bytes.length - 1}/${bytes.length}`,
  };
  response.writeHead(request.headers.range ? 206 : 200, headers);
  if (rest.length <= cutAfter) response.end(rest);
  else response.write(rest.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 20));
}

let folder: string;
let server: Awaited<ReturnType<typeof serve>> | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evalroom-fetch-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

function weightAt(addresses: string[], more: Partial<Weight> = {}): Weight {
  return {
    name: 'sample',
    groups: ['zh'],
    source: 'fetch',
    path: 'sub/sample.net',
    addresses,
    licence: 'Apache-2.0',
    licenceVerified: true,
    sha256: sha256(BYTES),
    bytes: BYTES.length,
    hashOf: 'mirror',
    input: 'none',
    ...more,
  };
}

function manifestOf(...weights: Weight[]): Manifest {
  return { version: 1, weights };
}

async function fetchOnly(weight: Weight, more: Partial<FetchOptions> = {}) {
  const [outcome] = await fetchModels({ names: ['zh'], folder, log, manifest: manifestOf(weight), ...more });
  return outcome!;
}

const target = () => join(folder, 'sub/sample.net');

describe('fetching a model file', () => {
  it('puts it in place with its hash checked, tells the progress, and asks nobody the next time', async () => {
    server = await serve(sendFile);
    const seen: FetchProgress[] = [];
    const weight = weightAt([`${server.address}/sample.net`]);
    expect(await fetchOnly(weight, { onProgress: (progress) => seen.push(progress) })).toMatchObject({
      outcome: 'fetched',
    });
    expect(await readFile(target())).toEqual(BYTES);
    expect(await readdir(join(folder, 'sub'))).toEqual(['sample.net']);
    expect(seen[0]).toMatchObject({ state: 'fetching', total: BYTES.length });
    expect(seen.at(-1)).toMatchObject({ state: 'done', bytes: BYTES.length });
    expect(await fetchOnly(weight)).toMatchObject({ outcome: 'present', sha256: weight.sha256 });
    expect(server.asked).toHaveLength(1);
  });

  it('goes on where a cut connection stopped', async () => {
    let answers = 0;
    server = await serve((request, response) => sendFile(request, response, answers++ < 2 ? { cutAfter: 60_000 } : {}));
    expect(await fetchOnly(weightAt([`${server.address}/sample.net`]))).toMatchObject({ outcome: 'fetched' });
    expect(await readFile(target())).toEqual(BYTES);
    expect(server.asked.map(({ range }) => range)).toEqual([undefined, 'bytes=60000-', 'bytes=120000-']);
  });

  it('goes on with what an earlier run left', async () => {
    await mkdir(join(folder, 'sub'));
    await writeFile(`${target()}.part`, BYTES.subarray(0, 150_000));
    server = await serve(sendFile);
    expect(await fetchOnly(weightAt([`${server.address}/sample.net`]))).toMatchObject({ outcome: 'fetched' });
    expect(server.asked[0]?.range).toBe('bytes=150000-');
  });

  it('begins anew at a server that cannot go on', async () => {
    await mkdir(join(folder, 'sub'));
    await writeFile(`${target()}.part`, Buffer.alloc(1_000, 9));
    server = await serve((_request, response) => response.end(BYTES));
    expect(await fetchOnly(weightAt([`${server.address}/sample.net`]))).toMatchObject({ outcome: 'fetched' });
    expect(await readFile(target())).toEqual(BYTES);
  });

  it('tries mirrors first, in the layout of a models folder, and the next address after a failure', async () => {
    server = await serve((request, response) => {
      if (request.url === '/official/sample.net') sendFile(request, response);
      else response.writeHead(404).end();
    });
    const weight = weightAt([`${server.address}/gone`, `${server.address}/official/sample.net`]);
    expect(await fetchOnly(weight, { mirrors: [`${server.address}/mirror/`] })).toMatchObject({ outcome: 'fetched' });
    expect(server.asked.map(({ path }) => path)).toEqual(['/mirror/sub/sample.net', '/gone', '/official/sample.net']);
  });

  it('gives up on an address that does not answer in time', async () => {
    server = await serve(() => {});
    const outcome = await fetchOnly(weightAt([`${server.address}/sample.net`]), { connectLimitMs: 50 });
    expect(outcome).toMatchObject({
      outcome: 'failed',
      error: {
        kind: 'Unavailable',
        code: 'model_unreachable',
        message: expect.stringContaining('no answer within 50 ms'),
      },
    });
  });

  it('says what to do without a network, and fetches the others all the same', async () => {
    server = await serve(sendFile);
    const lost = weightAt(['http://127.0.0.1:1/lost'], { name: 'lost', path: 'lost.net' });
    const found = weightAt([`${server.address}/sample.net`]);
    const outcomes = await fetchModels({ names: [], folder, log, manifest: manifestOf(lost, found) });
    expect(outcomes).toMatchObject([
      { outcome: 'failed', error: { message: expect.stringContaining('--from FOLDER') } },
      { outcome: 'fetched' },
    ]);
  });
});

describe('a file that is not what the manifest says', () => {
  const other = Buffer.concat([BYTES, Buffer.from('!')]);

  it('is not put in place, is kept for inspection, and both hashes are named', async () => {
    server = await serve((request, response) => sendFile(request, response, { bytes: other }));
    const outcome = await fetchOnly(weightAt([`${server.address}/sample.net`]));
    expect(outcome).toMatchObject({
      outcome: 'failed',
      error: {
        kind: 'Corrupt',
        code: 'model_hash_mismatch',
        message: expect.stringMatching(new RegExp(`${sha256(other)}.*${sha256(BYTES)}`)),
      },
    });
    expect(await readdir(join(folder, 'sub'))).toEqual(['sample.net.rejected']);
  });

  it('is taken when its hash is accepted, which the folder remembers', async () => {
    server = await serve((request, response) => sendFile(request, response, { bytes: other }));
    const weight = weightAt([`${server.address}/sample.net`]);
    expect(await fetchOnly(weight, { acceptSha256: [sha256(other)] })).toMatchObject({ outcome: 'fetched' });
    expect(await acceptedHashes(folder)).toEqual({ sample: sha256(other) });
    expect(await fetchOnly(weight)).toMatchObject({ outcome: 'present', sha256: sha256(other) });
  });

  it('is fetched again where a broken one lies', async () => {
    await mkdir(join(folder, 'sub'));
    await writeFile(target(), BYTES.subarray(0, 1_000));
    server = await serve(sendFile);
    expect(await fetchOnly(weightAt([`${server.address}/sample.net`]))).toMatchObject({ outcome: 'fetched' });
    expect(await readFile(target())).toEqual(BYTES);
  });
});

describe('a stick', () => {
  it.each(['sub/sample.net', 'sample.net'])('with %s is as good as a network', async (path) => {
    const from = join(folder, 'stick');
    await mkdir(join(from, 'sub'), { recursive: true });
    await writeFile(join(from, path), BYTES);
    expect(await fetchOnly(weightAt(['http://127.0.0.1:1/lost']), { from })).toMatchObject({ outcome: 'fetched' });
    expect(await readFile(target())).toEqual(BYTES);
  });

  it('is checked too: a truncated file is named as such', async () => {
    const from = join(folder, 'stick');
    await mkdir(from);
    await writeFile(join(from, 'sample.net'), BYTES.subarray(0, 10));
    expect(await fetchOnly(weightAt([]), { from })).toMatchObject({
      outcome: 'failed',
      error: { code: 'model_truncated' },
    });
    expect(await fetchOnly(weightAt([]), { from: join(folder, 'empty') })).toMatchObject({
      outcome: 'failed',
      error: { code: 'model_missing' },
    });
  });
});

it('refuses names that are unknown', async () => {
  await expect(fetchModels({ names: ['yolo'], folder, log })).rejects.toMatchObject({ code: 'unknown_model' });
});

it('looks for what comes by another way, and takes all for everything', async () => {
  const installed = join(folder, 'feat.params');
  await writeFile(installed, BYTES);
  const there: Weight = { ...weightAt([]), name: 'en-there', groups: ['en'], source: 'debian', path: installed };
  const lost: Weight = { ...there, name: 'en-lost', package: 'pocketsphinx-en-us 5', path: join(folder, 'no') };
  const manifest = manifestOf(there, lost, { ...weightAt([]), name: 'zh-net' });
  expect(await fetchModels({ names: ['en'], folder, log, manifest })).toMatchObject([
    { name: 'en-there', outcome: 'present', sha256: sha256(BYTES) },
    { name: 'en-lost', outcome: 'failed', error: { message: expect.stringContaining('pocketsphinx-en-us') } },
  ]);
  const all = await fetchModels({ names: ['all'], folder, log, manifest });
  expect(all.map(({ name }) => name)).toEqual(['en-there', 'en-lost', 'zh-net']);
});
