/** A second, independent broker for a test: Debian's nats-server with the file of docs/deploy, and certificates of our own authority. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askWithNewKey } from '../../agent/identity.ts';
import { INGEST_USER } from '../../cloud/broker/files.ts';
import { openAuthority } from '../../cloud/identity/authority.ts';
import { freePort } from '../medium/agent/mosquitto.ts';

const CONF = fileURLToPath(new URL('../../docs/deploy/nats.conf', import.meta.url));
const PROGRAM = '/usr/sbin/nats-server';
const DAY_MS = 86_400_000;

export const natsThere = (): boolean => existsSync(PROGRAM);

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Nats {
  readonly url: string;
  readonly ca: string;
  /** Of `box-1`, `box-2`, the ingest, and a box that the file does not name. */
  readonly pairs: Readonly<Record<'box-1' | 'box-2' | 'box-9' | 'ingest', Pair>>;
  close(): Promise<void>;
}

/** Starts it in `folder`; the places of the file are moved there, nothing else in it is changed. */
export async function startNats(folder: string): Promise<Nats> {
  const wallMs = Date.now();
  const authority = await openAuthority({ folder: join(folder, 'identity'), wallMs });
  const issue = async (deviceId: string): Promise<Pair> => {
    const { key, csr } = await askWithNewKey();
    const { certificate } = await authority.issueDevice({ csr, deviceId, wallMs, lifetimeMs: DAY_MS });
    return { cert: certificate, key };
  };
  const server = await authority.issueServer({ names: ['localhost', '127.0.0.1'], wallMs, lifetimeMs: DAY_MS });
  const files = join(folder, 'etc');
  mkdirSync(files);
  for (const [name, text] of [
    ['server.pem', server.certificate],
    ['server.key', server.key],
    ['ca.pem', authority.caPem],
  ] as const)
    writeFileSync(join(files, name), text, { mode: 0o600 });
  const conf = join(folder, 'nats.conf');
  const start = async (): Promise<{ readonly child: ChildProcess; readonly port: number }> => {
    for (let tries = 0; ; tries++) {
      const port = await freePort();
      const moved = readFileSync(CONF, 'utf8')
        .replaceAll('/etc/evalroom', files)
        .replace('/var/lib/nats', join(folder, 'jetstream'))
        .replace('127.0.0.1:4222', '127.0.0.1:-1')
        .replace('host: "0.0.0.0"', 'host: "127.0.0.1"')
        .replace('port: 8883', `port: ${port}`);
      writeFileSync(conf, moved);
      const child = spawn(PROGRAM, ['-c', conf], { stdio: ['ignore', 'ignore', 'pipe'] });
      try {
        await ready(child);
        return { child, port };
      } catch (error) {
        // Somebody else may have taken the port in between.
        if (tries === 4) throw error;
      }
    }
  };
  const { child, port } = await start();
  return {
    url: `mqtts://localhost:${port}`,
    ca: authority.caPem,
    pairs: {
      'box-1': await issue('box-1'),
      'box-2': await issue('box-2'),
      'box-9': await issue('box-9'),
      ingest: await issue(INGEST_USER),
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function ready(child: ChildProcess): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`nats-server ended with ${code}: ${said}`)));
    child.stderr!.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-4000);
      if (said.includes('Server is ready')) resolve();
    });
  });
}
