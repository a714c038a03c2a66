/** The files of docs/deploy are read by what will read them, as far as that runs here. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { boxesUrl } from '../../../cloud/broker/broker.ts';
import { INGEST_USER } from '../../../cloud/broker/files.ts';
import { parseCloudConfig } from '../../../cloud/config.ts';
import { LIMITS, topics } from '../../../protocol/stream.ts';

const ROOT = fileURLToPath(new URL('../../../docs/deploy/', import.meta.url));
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'evalroom-deploy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly image: string;
        readonly command?: readonly string[];
        readonly volumes?: readonly string[];
        readonly tmpfs?: readonly string[];
        readonly secrets?: readonly string[];
        readonly environment?: Readonly<Record<string, string>>;
        readonly networks?: { readonly default: { readonly aliases: readonly string[] } };
        readonly healthcheck?: { readonly test: readonly string[] };
      }
    >
  >;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: object;
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
/** Runs a program to its end; undefined where it is not installed. */
const ran = (program: string, args: readonly string[], cwd = ROOT) => {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  return error ? undefined : { status, said: stdout + stderr };
};

describe('docs/deploy', () => {
  const configs = readdirSync(ROOT).filter((name) => name.endsWith('.yaml') && name !== 'authority.yaml');
  /** Read by the cloud itself, with files in place of those that lie on a machine. */
  const parsed = (name: string) => {
    writeFileSync(join(folder, 's3.key'), 'id\nsecret\n');
    writeFileSync(join(folder, 'ca.pem'), 'x');
    return parseCloudConfig(read(name).replaceAll('/etc/evalroom/', `${folder}/`), ROOT);
  };

  it.each(configs)('%s is a configuration of the cloud', (name) => {
    const config = parsed(name);
    expect(config.store.kind).toBe('postgres');
    expect(config.roles).toHaveLength(1);
    if (config.roles[0] !== 'broker') expect(config.mqtt.kind).toBe('outside');
  });

  it('tells boxes where boxes come in, never the port of the workers', () => {
    for (const [name, mqtt] of [
      ['compose-web.yaml', 'mqtts://broker.example:8883'],
      ['web.yaml', 'mqtts://cloud.example:8883'],
    ] as const) {
      const config = parsed(name).mqtt;
      expect(boxesUrl(config, 'mqtts://not.this:8884', 'cloud.example')).toBe(mqtt);
    }
    const page = read('README.md');
    expect(page).toMatch(/certify .*--server emqx,broker\.example/);
  });

  it('has an authority that can sign, where the web processes of the composition look for it', () => {
    const { identity } = parseCloudConfig(read('authority.yaml'), ROOT);
    expect(identity?.folder).toBe(join(ROOT, 'secrets/identity'));
    expect(compose.services.web!.volumes).toContain('./secrets/identity:/etc/evalroom/identity');
    expect(parsed('compose-web.yaml').identity?.folder).toBe(join(folder, 'identity'));
  });

  it('has a composition whose processes use these configurations', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['emqx', 'ingest', 'postgres', 'revoked', 's3', 'web']);
    expect(read('Dockerfile')).toMatch(/^FROM node:24-/m);
    for (const name of ['ingest', 'web']) {
      const { command = [] } = compose.services[name]!;
      expect(command.slice(0, 4)).toEqual(['node', 'scripts/cli.ts', 'cloud', '--config']);
      expect(configs).toContain(command[4]!.replace('docs/deploy/', ''));
    }
    for (const { volumes = [] } of Object.values(compose.services))
      for (const [from = ''] of volumes.map((volume) => volume.split(':')))
        if (!from.startsWith('.')) expect(Object.keys(compose.volumes)).toContain(from);
  });

  it('mounts what its configurations name, and nothing that is neither here nor made by the steps of the page', () => {
    for (const [name, config] of [
      ['ingest', 'compose-ingest.yaml'],
      ['web', 'compose-web.yaml'],
    ] as const) {
      const { volumes = [], environment = {} } = compose.services[name]!;
      const mounted = volumes.map((volume) => volume.split(':')[1]!);
      const text = read(config).replace(/^\s*#.*$/gm, '') + Object.values(environment).join('\n');
      const named = text.match(/\/(?:etc|var)\/[A-Za-z0-9./-]+/g) ?? [];
      expect(named.length).toBeGreaterThan(3);
      for (const path of named)
        expect(mounted.some((target) => path === target || path.startsWith(`${target}/`))).toBe(true);
    }
    const page = read('README.md');
    const sources = Object.values(compose.services).flatMap(({ volumes = [] }) =>
      volumes.map((one) => one.split(':')[0]!),
    );
    const made = [...sources, ...Object.values(compose.secrets).map(({ file }) => file)];
    for (const from of made.filter((one) => one.startsWith('.')))
      if (!from.startsWith('./secrets')) expect(existsSync(join(ROOT, from))).toBe(true);
      else if (from !== './secrets') expect(page).toContain(from.replace(/^\.\/secrets\//, ''));
  });

  it('shows each process the secrets that it needs and no other, in the checkout neither', () => {
    const page = read('README.md');
    const own = ['ca.pem', 'ingest.pem', 'ingest.key', 'pgpass', 's3.key'];
    const all = [
      ...[...own, 'identity/ca.key', 's3.user', 's3.password', 'postgres.password', 'emqx/server.key'],
      ...['postgres/server.key', 's3/private.key'],
    ];
    const seenBy = (name: string) => {
      const { volumes = [], tmpfs = [] } = compose.services[name]!;
      const mounts = volumes.map((volume) => volume.split(':') as [string, string]).filter(([from]) => from[0] === '.');
      const covers = [...mounts.map(([, target]) => target), ...tmpfs.map((one) => one.split(':')[0]!)];
      return all.filter((secret) =>
        mounts.some(([from, target]) => {
          const within = relative(join(ROOT, from), join(ROOT, 'secrets', secret));
          if (within.startsWith('..')) return false;
          const there = join(target, within);
          return !covers.some((one) => one !== target && one.startsWith(`${target}/`) && isBelow(there, one));
        }),
      );
    };
    expect(seenBy('ingest')).toEqual(['ca.pem', 'ingest.pem', 'ingest.key', 'pgpass']);
    expect(seenBy('web')).toEqual([...own, 'identity/ca.key']);
    expect(seenBy('revoked')).toEqual(['ca.pem']);
    expect(seenBy('emqx')).toEqual(['emqx/server.key']);
    expect([seenBy('postgres'), compose.services.postgres!.secrets]).toEqual([['postgres/server.key'], ['postgres']]);
    expect([seenBy('s3'), compose.services.s3!.secrets]).toEqual([['s3/private.key'], ['s3_user', 's3_password']]);
    const [, closed = ''] = /^chmod 600 (.*)$/m.exec(page) ?? [];
    for (const file of ['pgpass', 's3.key', 's3.user', 's3.password', 'postgres.password'])
      expect(closed.split(' ')).toContain(`secrets/${file}`);
    // Its folder is mounted to be read alone, and it ends where it can not make this one.
    expect(compose.services.s3!.volumes).toContain('./secrets/s3:/certs:ro');
    expect(page).toMatch(/^mkdir secrets\/s3\/CAs/m);
  });

  it('asks processes for their health where they say it, and believes them', async () => {
    let answer = 200;
    const server = createServer((request, response) =>
      response.writeHead(request.url === '/healthz' ? answer : 404).end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    for (const [name, config] of [
      ['ingest', 'compose-ingest.yaml'],
      ['web', 'compose-web.yaml'],
    ] as const) {
      const [kind, program, flag, script] = compose.services[name]!.healthcheck!.test;
      expect([kind, program, flag]).toEqual(['CMD', 'node', '-e']);
      const { http } = parsed(config);
      const asked = `${http.tls ? 'https://localhost' : 'http://127.0.0.1'}:${http.port}/`;
      expect(script).toContain(asked);
      const check = () =>
        new Promise((resolve) =>
          execFile(process.execPath, ['-e', script!.replace(asked, `http://127.0.0.1:${port}/`)], (error) =>
            resolve(error ? error.code : 0),
          ),
        );
      answer = 200;
      expect(await check()).toBe(0);
      answer = 503;
      expect(await check()).toBe(1);
    }
    server.close();
  });

  it('hands out the list of revoked certificates in plain, or says that it has none', async () => {
    let answer = 200;
    const cloud = createServer((request, response) =>
      response.writeHead(request.url === '/api/device/revoked.pem' ? answer : 404).end('the list'),
    );
    await new Promise<void>((resolve) => cloud.listen(0, '127.0.0.1', resolve));
    const { port } = cloud.address() as AddressInfo;
    const [program, flag, script] = compose.services.revoked!.command!;
    expect([program, flag]).toEqual(['node', '-e']);
    const web = compose.services.web!.networks!.default.aliases[0]!;
    const asked = `https://${web}:${parsed('compose-web.yaml').http.port}/`;
    const { listUrl } = parsed('compose-web.yaml').identity!;
    const listening = `.listen(${new URL(listUrl!).port})`;
    for (const part of [asked, listening]) expect(script).toContain(part);
    const child = spawn(process.execPath, [
      '-e',
      script!
        .replace(asked, `http://127.0.0.1:${port}/`)
        .replace(listening, ".listen(0, '127.0.0.1', function () { console.log(this.address().port) })"),
    ]);
    try {
      const at = await new Promise((resolve) => child.stdout.once('data', (chunk) => resolve(Number(String(chunk)))));
      const list = await fetch(`http://127.0.0.1:${at}/revoked.pem`);
      expect([list.status, await list.text()]).toEqual([200, 'the list']);
      answer = 409;
      expect((await fetch(`http://127.0.0.1:${at}/revoked.pem`)).status).toBe(409);
      cloud.closeAllConnections();
      await new Promise((resolve) => cloud.close(resolve));
      expect((await fetch(`http://127.0.0.1:${at}/revoked.pem`)).status).toBe(503);
    } finally {
      child.kill('SIGKILL');
      cloud.close();
    }
  });

  it('is a composition for docker-compose', (ctx) => {
    const args = ['-f', 'docker-compose.yml', 'config', '--quiet'];
    const plugin = ran('docker', ['compose', 'version'])?.status === 0;
    const found = plugin ? ran('docker', ['compose', ...args]) : ran('docker-compose', args);
    if (!found) return ctx.skip('needs the Debian package docker-compose, or the compose plugin of docker');
    expect(found.said).not.toMatch(/invalid|error|warn/i);
    expect(found.status).toBe(0);
  });

  it('gives EMQX the topics of the wire and no other', () => {
    const acl = read('acl.conf');
    const room = '$' + '{client_attrs.room}';
    for (const topic of [
      topics.events(room, 'alert'),
      topics.events(room, 'routine'),
      topics.state(room),
      topics.snapshot(room, '+'),
      topics.ack(room),
      topics.ack('+'),
      topics.state('+'),
      topics.ingestFilter.replace('$share/ingest/', ''),
    ])
      expect(acl).toContain(`"${topic}"`);
    expect(acl).toContain(INGEST_USER);
    expect(acl.match(/\{allow, all, publish/g)).toHaveLength(1);
    expect(acl.trimEnd().endsWith('{deny, all, all, ["#"]}.')).toBe(true);
  });

  it('keeps boxes and workers apart at EMQX: one connection for each certificate of a box, as many as there are for workers', () => {
    const conf = hocon(read('emqx.conf'));
    for (const [listener, port, zone] of [
      ['default', 8883, 'devices'],
      ['ingest', 8884, 'workers'],
    ] as const) {
      const at = `listeners.ssl.${listener}`;
      expect(conf.get(`${at}.bind`)).toBe(`0.0.0.0:${port}`);
      expect(conf.get(`${at}.zone`)).toBe(zone);
      expect(conf.get(`${at}.ssl_options.verify`)).toBe('verify_peer');
      expect(conf.get(`${at}.ssl_options.fail_if_no_peer_cert`)).toBe('true');
      expect(conf.get(`zones.${zone}.mqtt.peer_cert_as_username`)).toBe('cn');
      const [mb] = /^\d+(?=KB$)/.exec(conf.get(`zones.${zone}.mqtt.max_packet_size`)!)!;
      expect(Number(mb) * 1024).toBeGreaterThan(LIMITS.batchBytes);
      for (const name of ['cacertfile', 'certfile', 'keyfile'])
        expect(conf.get(`${at}.ssl_options.${name}`)).toMatch(/^\/opt\/emqx\/etc\/certs\//);
    }
    expect(conf.get('zones.devices.mqtt.peer_cert_as_clientid')).toBe('cn');
    expect(conf.has('zones.workers.mqtt.peer_cert_as_clientid')).toBe(false);
    expect(conf.has('mqtt.peer_cert_as_clientid')).toBe(false);
    expect(conf.get('listeners.ssl.default.ssl_options.enable_crl_check')).toBe('true');
    for (const plain of ['tcp', 'ws', 'wss']) expect(conf.get(`listeners.${plain}.default.enable`)).toBe('false');
    expect(conf.get('mqtt.retain_available')).toBe('false');
    expect(conf.get('authorization.no_match')).toBe('deny');
    // A list of captures is no text; its first one is the room.
    expect(read('emqx.conf')).toContain("nth(1,regex_extract(dn,'OU=([A-Za-z0-9_-]+)'))");
    const { ports, volumes } = compose.services.emqx as unknown as { ports: string[]; volumes: string[] };
    expect(ports).toEqual(['8883:8883']);
    const mounted = volumes.map((volume) => volume.split(':')[1]);
    const [path] = /(?<=path = ")[^"]+/.exec(read('emqx.conf'))!;
    expect(mounted).toEqual(expect.arrayContaining([path, '/opt/emqx/etc/emqx.conf', '/opt/emqx/etc/certs']));
    for (const name of ['compose-ingest.yaml', 'compose-web.yaml'])
      expect((parse(read(name)) as { mqtt: { broker: string } }).mqtt.broker).toBe('mqtts://emqx:8884');
    // Without it EMQX finds no list and refuses every box.
    const { listUrl } = (parse(read('compose-web.yaml')) as { identity: { listUrl: string } }).identity;
    // It takes no list by https, and finds that name among the containers.
    expect(listUrl).toMatch(/^http:/);
    expect(compose.services.revoked!.networks?.default.aliases).toContain(new URL(listUrl).hostname);
  });

  it('has an ACL that is a list of Erlang terms, each with who, what and where', () => {
    const terms = read('acl.conf')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('%%'));
    for (const term of terms)
      expect(term).toMatch(
        /^\{(?:allow|deny), (?:all|\{username, "[^"]+"\}), (?:publish|subscribe|all), \["[^"]+"(?:, "[^"]+")*\]\}\.$/,
      );
    expect(terms.length).toBe(6);
  });

  it('gives NATS the same topics in its own spelling, for the ingest and for every box', () => {
    const conf = read('nats.conf');
    const spelt = (topic: string) => `"${topic.replaceAll('/', '.').replaceAll('+', '*')}"`;
    const users = [...conf.matchAll(/\{ user: "urn:evalroom:device:([^"]+)", permissions: \{([\s\S]*?)\} \}/g)];
    expect(users.map(([, name]) => name)).toEqual([INGEST_USER, 'box-1', 'box-2']);
    for (const [, name = '', rules = ''] of users) {
      const room = name.replace('box', 'room');
      const box = [
        [topics.events(room, 'alert'), topics.events(room, 'routine'), topics.state(room), topics.snapshot(room, '+')],
        [topics.ack(room)],
      ];
      const worker = [[topics.ack('+')], [topics.eventsFilter, topics.stateFilter, topics.snapshotFilter]];
      const [publish, subscribe] = name === INGEST_USER ? worker : box;
      const listed = (verb: string) => new RegExp(`${verb}: \\[([\\s\\S]*?)\\]`).exec(rules)![1]!.split(/,\s*/);
      expect(listed('publish').sort()).toEqual(publish!.map(spelt).sort());
      expect(listed('subscribe').sort()).toEqual([...subscribe!.map(spelt), '$OWN'].sort());
    }
  });

  it('has units that start a configuration that exists', () => {
    const units = readdirSync(ROOT).filter((name) => name.endsWith('.service'));
    expect(units).toHaveLength(3);
    for (const unit of units) {
      const [, config] = /^ExecStart=.* --config \/etc\/evalroom\/(\S+)$/m.exec(read(unit)) ?? [];
      expect(configs).toContain(config);
      // Five tries in ten seconds, and a database that is away for a minute would end them for good.
      expect(read(unit)).toMatch(/^StartLimitIntervalSec=0$/m);
    }
  });

  it('has units that systemd understands', (ctx) => {
    const units = readdirSync(ROOT).filter((name) => name.endsWith('.service'));
    const files = units.map((unit) => {
      const file = join(folder, unit.replace('@.', '@1.'));
      // Whether the program is there is looked at, too.
      writeFileSync(file, read(unit).replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
      return file;
    });
    const verified = ran('systemd-analyze', ['verify', '--man=no', ...files], folder);
    if (!verified) return ctx.skip('needs systemd-analyze');
    expect(verified.said.split('\n').filter((line) => line.includes(folder) || line.includes('evalroom'))).toEqual([]);
  });
});

const isBelow = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

/** Paths and values of as much of HOCON as emqx.conf uses: blocks, dotted names, scalars; lists are left out. */
function hocon(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const path: string[] = [];
  for (const line of text.split('\n').map((one) => one.replace(/(^|\s)#.*$/, '').trim())) {
    const opened = /^([\w.]+) \{$/.exec(line);
    const set = /^([\w.]+) = (?:"([^"]*)"|([\w.]+))$/.exec(line);
    if (opened) path.push(opened[1]!);
    else if (line === '}') path.pop();
    else if (set) found.set([...path, set[1]!].join('.'), set[2] ?? set[3]!);
    else if (line !== '' && !/^[\w.]+ = \[.*\]$/.test(line)) throw new Error(`not understood: ${line}`);
  }
  if (path.length > 0) throw new Error(`not closed: ${path.join('.')}`);
  return found;
}
