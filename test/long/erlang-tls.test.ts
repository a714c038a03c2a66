/** Our certificates and revocation lists at Erlang's own TLS, on which EMQX is built: who comes in, with a list that it fetches. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askWithNewKey } from '../../agent/identity.ts';
import { INGEST_USER } from '../../cloud/broker/files.ts';
import { type Authority, openAuthority } from '../../cloud/identity/authority.ts';
import { eventually } from '../medium/cloud/cloud.ts';

const LIBRARY = '/usr/lib/erlang/lib';
const PARTS = ['ssl', 'public_key', 'inets'];
const there = () =>
  existsSync('/usr/bin/erl') && PARTS.every((part) => readdirSync(LIBRARY).some((name) => name.startsWith(`${part}-`)));
const wallMs = Date.now();
const life = { wallMs, lifetimeMs: 86_400_000 };

interface Device {
  readonly cert: string;
  readonly key: string;
  readonly serial: string;
}

describe("Erlang's TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-erlang-'));
  const running: ChildProcess[] = [];
  let authority: Authority;
  let list = '';
  let fetched = 0;
  const lists = createServer((_request, response) => {
    fetched++;
    response.end(list);
  });
  let listUrl: string;

  beforeAll(async () => {
    authority = await openAuthority({ folder: join(folder, 'identity'), wallMs });
    const server = await authority.issueServer({ names: ['localhost'], ...life });
    for (const [name, text] of [
      ['server.pem', server.certificate],
      ['server.key', server.key],
      ['ca.pem', authority.caPem],
    ] as const)
      writeFileSync(join(folder, name), text);
    await new Promise<void>((resolve) => lists.listen(0, '127.0.0.1', resolve));
    listUrl = `http://127.0.0.1:${(lists.address() as AddressInfo).port}/revoked.pem`;
  });
  beforeEach((ctx) => {
    if (!there())
      ctx.skip(
        'needs Debian packages: apt-get install --no-install-recommends erlang-ssl erlang-public-key erlang-inets',
      );
  });
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
    lists.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const issue = async (deviceId: string, place?: string): Promise<Device> => {
    const { key, csr } = await askWithNewKey();
    const wanted = { csr, deviceId, ...life, ...(place === undefined ? {} : { listUrl: place }) };
    const { certificate, serial } = await authority.issueDevice(wanted);
    return { cert: certificate, key, serial };
  };
  /** A server with the options of a listener of docs/deploy/emqx.conf; resolves with its port. */
  const serve = async (crlCheck: boolean): Promise<number> => {
    const file = (name: string) => JSON.stringify(join(folder, name));
    const child = spawn('erl', [
      '-noshell',
      '-eval',
      `ssl:start(), inets:start(),
       {ok, Listener} = ssl:listen(0, [{certfile, ${file('server.pem')}}, {keyfile, ${file('server.key')}},
         {cacertfile, ${file('ca.pem')}}, {verify, verify_peer}, {fail_if_no_peer_cert, true},
         {versions, ['tlsv1.2', 'tlsv1.3']},
         {crl_check, ${crlCheck ? 'peer' : 'false'}}, {crl_cache, {ssl_crl_cache, {internal, [{http, 5000}]}}}]),
       {ok, {_, Port}} = ssl:sockname(Listener), io:format("port ~p~n", [Port]),
       Serve = fun(Again) ->
         {ok, Line} = ssl:transport_accept(Listener),
         case ssl:handshake(Line, 8000) of {ok, Socket} -> ssl:send(Socket, "in"), ssl:close(Socket); _ -> out end,
         Again(Again)
       end, Serve(Serve).`,
    ]);
    running.push(child);
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
    await eventually(() => said).toMatch(/port \d+/);
    return Number(/port (\d+)/.exec(said)![1]);
  };
  /** `in`, or why not, in the other side's words. */
  const enter = (port: number, device?: Device): Promise<string> =>
    new Promise((resolve) => {
      const credentials = device ? { cert: device.cert, key: device.key } : {};
      const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.caPem, ...credentials });
      socket.once('data', (chunk) => resolve(chunk.toString('utf8')));
      socket.on('error', (error) => resolve(/alert ([a-z ]+):/.exec(error.message)?.[1] ?? error.message));
      socket.once('close', () => resolve('closed'));
    });

  it("on the boxes' listener looks at the list that the certificate names; a worker, whose names none, has a listener of its own", async () => {
    const [box, lost, worker] = [
      await issue('box-1', listUrl),
      await issue('box-2', listUrl),
      await issue(INGEST_USER),
    ];
    list = await authority.revocationList([{ serial: lost.serial, wallMs }], wallMs, listUrl);
    const [boxes, workers] = [await serve(true), await serve(false)];
    expect(await enter(boxes, box)).toBe('in');
    expect(fetched).toBeGreaterThan(0);
    expect(await enter(boxes, lost)).toBe('certificate revoked');
    expect(await enter(boxes, worker)).toBe('bad certificate');
    expect(await enter(boxes)).toBe('certificate required');
    expect(await enter(workers, worker)).toBe('in');
    expect(await enter(workers)).toBe('certificate required');
  }, 60_000);

  it('keeps everybody out whose list is not to be had by plain HTTP', async () => {
    const boxes = await serve(true);
    const secure = await issue('box-3', listUrl.replace('http:', 'https:'));
    expect(await enter(boxes, secure)).not.toBe('in');
  }, 60_000);
});
