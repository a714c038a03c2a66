/** The files of docs/deploy are read by what will read them, as far as that runs here. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { INGEST_USER } from '../../../cloud/broker/files.ts';
import { parseCloudConfig } from '../../../cloud/config.ts';
import { topics } from '../../../protocol/stream.ts';

const ROOT = fileURLToPath(new URL('../../../docs/deploy/', import.meta.url));
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'evalroom-deploy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      { readonly image: string; readonly command?: readonly string[]; readonly volumes?: readonly string[] }
    >
  >;
  readonly volumes: object;
}

describe('docs/deploy', () => {
  const configs = readdirSync(ROOT).filter((name) => name.endsWith('.yaml'));

  it.each(configs)('%s is a configuration of the cloud', (name) => {
    const key = join(folder, 's3.key');
    writeFileSync(key, 'id\nsecret\n');
    const config = parseCloudConfig(read(name).replace('/etc/evalroom/s3.key', key), ROOT);
    expect(config.store.kind).toBe('postgres');
    expect(config.roles).toHaveLength(1);
    if (config.roles[0] !== 'broker') expect(config.mqtt.kind).toBe('outside');
  });

  it('has a composition whose processes use these configurations', () => {
    const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
    expect(Object.keys(compose.services).sort()).toEqual(['emqx', 'ingest', 'postgres', 's3', 'web']);
    for (const name of ['ingest', 'web']) {
      const { command = [], image } = compose.services[name]!;
      expect(image).toMatch(/^node:24/);
      expect(command.slice(0, 4)).toEqual(['node', 'scripts/cli.ts', 'cloud', '--config']);
      expect(configs).toContain(command[4]!.replace('docs/deploy/', ''));
    }
    for (const { volumes = [] } of Object.values(compose.services))
      for (const [from = ''] of volumes.map((volume) => volume.split(':')))
        if (!from.startsWith('.')) expect(Object.keys(compose.volumes)).toContain(from);
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
    }
  });
});
