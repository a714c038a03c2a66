/** OpenStack Swift for tests: S3-compatible storage that is none of ours, four servers on loopback with one folder as their disk. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from '../../../scripts/postgres.ts';

/** Debian's own interpreter: Swift is one of its packages. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('../../fixtures/swift-servers.py', import.meta.url));
const SERVERS = ['account', 'container', 'object', 'proxy'] as const;
type Server = (typeof SERVERS)[number];
const [REGION, BUCKET, ACCOUNT, USER, SECRET] = ['eu-test-1', 'evalroom', 'test', 'cloud', 'secret/of+a=key'];

/** What a test says when it is skipped. */
export const NEEDS_SWIFT =
  'needs the Debian package python3-swift: apt-get install --no-install-recommends python3-swift';
export const swiftThere = (): boolean => existsSync('/usr/lib/python3/dist-packages/swift/proxy/server.py');

export interface TestSwift {
  readonly endpoint: string;
  readonly region: string;
  /** Exists and is empty. */
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Other bytes in the file in which an object lies, or none: what a bad disk does. */
  damage(key: string, bytes: Buffer | undefined): void;
  /** SIGKILL to all four, in the middle of whatever they do; resolves when they are gone. */
  kill(): Promise<void>;
  /** After `kill`: resolves when it answers again, on the same disk and port. */
  revive(): Promise<void>;
  /** SIGSTOP: connections are taken and nothing is answered, until SIGCONT. Of all servers, or of the one where bytes lie. */
  signal(signal: 'SIGSTOP' | 'SIGCONT', which?: 'object'): void;
  stop(): Promise<void>;
}

/** With `tls` (PEM; `ca` is who signed) it speaks https. Run by root, it runs as nobody. */
export async function startSwift({
  tls,
}: {
  readonly tls?: { readonly certificate: string; readonly key: string; readonly ca: string };
} = {}): Promise<TestSwift> {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-swift-'));
  const disk = join(folder, 'disks');
  mkdirSync(join(disk, 'disk'), { recursive: true });
  const found = await Promise.all(SERVERS.map(async (name) => [name, await freePort()] as const));
  const ports = Object.fromEntries(found) as Record<Server, number>;
  const files = configurations({ folder, disk, ports, user: owner().name, tls: tls !== undefined });
  for (const [name, text] of Object.entries({
    ...files,
    ...(tls ? { 'tls.pem': tls.certificate, 'tls.key': tls.key } : {}),
  }))
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  const { as } = owner();
  if (as) execFileSync('chown', ['-R', `${as.uid}:${as.gid}`, folder]);

  let running: { readonly child: ChildProcess; readonly pids: readonly number[]; readonly ended: Promise<void> };
  const launch = async () => {
    const args = [PROGRAM, folder, ...SERVERS.map((name) => `${name}=${ports[name]}`)];
    const child = spawn(PYTHON, args, { ...as, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    // All of them hold its output: it is closed when the last one is gone.
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-4000);
    });
    const pids = await new Promise<readonly number[]>((resolve, reject) => {
      let told = '';
      // It may come in pieces.
      child.stdout.on('data', (chunk: Buffer) => {
        told += chunk.toString('utf8');
        const line = /^\d+(?: \d+)*(?=\n)/m.exec(told)?.[0];
        if (line) resolve(line.split(' ').map(Number));
      });
      child.once('close', () => reject(new Error(`Swift ended: ${said}`)));
    });
    running = { child, pids, ended };
    for (const name of SERVERS)
      while (!(await listens(ports[name]))) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`Swift ended: ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
  };
  const kill = async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  };
  const stop = async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const login = { accessKeyId: `${ACCOUNT}:${USER}`, secretAccessKey: SECRET };
  const endpoint = `${tls ? 'https' : 'http'}://127.0.0.1:${ports.proxy}`;
  await launch();
  try {
    const requestHandler = tls ? { httpsAgent: new Agent({ ca: tls.ca }) } : {};
    const client = new S3Client({ endpoint, region: REGION, forcePathStyle: true, credentials: login, requestHandler });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    client.destroy();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoint,
    region: REGION,
    bucket: BUCKET,
    ...login,
    damage(key, bytes) {
      // Where Swift puts an object: by the MD5 of its path and of the suffix in swift.conf.
      const hash = createHash('md5').update(`/AUTH_${ACCOUNT}/${BUCKET}/${key}test`).digest('hex');
      const [file] = globSync(join(disk, 'disk', 'objects', '*', '*', hash, '*.data'));
      if (bytes && file) writeFileSync(file, bytes);
      else if (file) rmSync(file);
    },
    kill,
    revive: launch,
    stop,
    signal(signal, which) {
      const chosen = SERVERS.map((name, index) => ({ name, pid: running.pids[index]! }));
      for (const { name, pid } of chosen) if (which === undefined || name === which) process.kill(pid, signal);
    },
  };
}

/** Whom it runs as. */
function owner(): { readonly name: string; readonly as?: { readonly uid: number; readonly gid: number } } {
  if (process.getuid?.() !== 0) return { name: userInfo().username };
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'nobody']))) as [number, number];
  return { name: 'nobody', as: { uid, gid } };
}

function configurations(world: {
  readonly folder: string;
  readonly disk: string;
  readonly ports: Readonly<Record<Server, number>>;
  readonly user: string;
  readonly tls: boolean;
}): Record<string, string> {
  const { folder, disk, ports, user, tls } = world;
  const head = (server: Server) => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${ports[server]}
swift_dir = ${folder}
devices = ${disk}
user = ${user}
mount_check = false
workers = 0
fallocate_reserve = 0
log_level = WARNING
`;
  const storage = (server: Server) => `${head(server)}
[pipeline:main]
pipeline = ${server}-server
[app:${server}-server]
use = egg:swift#${server}
`;
  const filters = ['catch_errors', 'gatekeeper', 'healthcheck', 'bulk', 'slo'];
  return {
    'swift.conf': '[swift-hash]\nswift_hash_path_suffix = test\n[storage-policy:0]\nname = one\ndefault = yes\n',
    'account.conf': storage('account'),
    'container.conf': storage('container'),
    'object.conf': storage('object'),
    // The check of passwords asks for a cache before it looks at signatures: there is none at that port, so it finds nothing.
    'proxy.conf': `${head('proxy')}${tls ? `cert_file = ${folder}/tls.pem\nkey_file = ${folder}/tls.key\n` : ''}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
${filters.map((name) => `[filter:${name}]\nuse = egg:swift#${name}\n`).join('')}[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:s3api]
use = egg:swift#s3api
location = ${REGION}
[filter:tempauth]
use = egg:swift#tempauth
user_${ACCOUNT}_${USER} = ${SECRET} .admin
`,
  };
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.destroy() !== undefined));
    socket.once('error', () => resolve(false));
  });
