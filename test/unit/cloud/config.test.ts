/** cloud.yaml: defaults, every fault at once with its path, and no plaintext beyond this machine. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { isLoopback, loadCloudConfig, parseCloudConfig } from '../../../cloud/config.ts';
import { retentionWords } from '../../../cloud/config-retention.ts';
import type { InvalidInput } from '../../../protocol/errors.ts';

const faults = (text: string): string[] => {
  try {
    parseCloudConfig(text, '/etc/evalroom');
    return [];
  } catch (error) {
    expect(error).toMatchObject({ kind: 'InvalidInput', code: 'cloud_config' });
    return (error as InvalidInput).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(': ')[0]!);
  }
};

describe('cloud.yaml', () => {
  it('works without a file', () => {
    expect(parseCloudConfig('', '/srv')).toEqual({
      roles: ['ingest', 'web', 'broker'],
      data: '/srv/.data/cloud',
      models: '/srv/.data/cloud/models',
      http: { host: '127.0.0.1', port: 8080 },
      mqtt: { kind: 'child', host: '127.0.0.1', port: 0 },
      store: { kind: 'sqlite', path: '/srv/.data/cloud/cloud.db' },
    });
  });

  it('reads its own example', () => {
    const path = fileURLToPath(new URL('../../../cloud/cloud.example.yaml', import.meta.url));
    expect(loadCloudConfig(path)).toMatchObject({
      data: '/var/lib/evalroom',
      models: '/var/lib/evalroom/models',
      mqtt: { kind: 'child', port: 8883 },
      store: { kind: 'sqlite', path: '/var/lib/evalroom/cloud.db' },
    });
  });

  it('lets the command line stand above the file', () => {
    const config = parseCloudConfig('{ data: d, http: { port: 1 } }', '/srv', { data: '/tmp/x', port: 0 });
    expect(config).toMatchObject({ data: '/tmp/x', http: { port: 0 }, store: { path: '/tmp/x/cloud.db' } });
  });

  it('reads a full configuration', () => {
    const text = `
data: /var/lib/evalroom
http: { host: 0.0.0.0, port: 443, publicUrl: https://desk.example, tls: { certFile: c.pem, keyFile: k.pem } }
mqtt: { broker: "mqtts://broker.example:8883", user: ingest, passwordFile: pw, caFile: ca.pem }
store: postgres://evalroom@db.example/evalroom?sslmode=verify-full`;
    expect(parseCloudConfig(text, '/etc/evalroom')).toEqual({
      roles: ['ingest', 'web'],
      data: '/var/lib/evalroom',
      models: '/var/lib/evalroom/models',
      http: {
        host: '0.0.0.0',
        port: 443,
        publicUrl: 'https://desk.example',
        tls: { certFile: '/etc/evalroom/c.pem', keyFile: '/etc/evalroom/k.pem' },
      },
      mqtt: {
        kind: 'outside',
        url: 'mqtts://broker.example:8883',
        user: 'ingest',
        passwordFile: '/etc/evalroom/pw',
        caFile: '/etc/evalroom/ca.pem',
      },
      identity: {
        folder: '/var/lib/evalroom/identity',
        names: ['desk.example', 'localhost', '127.0.0.1', '::1'],
        deviceMs: 90 * 86_400_000,
      },
      store: { kind: 'postgres', url: 'postgres://evalroom@db.example/evalroom?sslmode=verify-full' },
    });
  });

  it.each([
    ['{ http: { port: 70000, hots: x }, colour: red, store: 3 }', ['http.port', 'http', 'store', 'the file']],
    ['http: { host: 0.0.0.0 }', ['http.host']],
    ['http: { publicUrl: http://desk.example }', ['http.publicUrl']],
    ['http: { publicUrl: https://desk.example/path }', ['http.publicUrl']],
    ['mqtt: { broker: "mqtt://broker.example" }', ['mqtt.broker']],
    ['mqtt: { broker: "http://x" }', ['mqtt.broker']],
    ['mqtt: { broker: "mqtts://u:p@x" }', ['mqtt.broker']],
    ['mqtt: { broker: "mqtts://x", boxesUrl: "mqtt://y" }', ['mqtt.boxesUrl']],
    ['mqtt: { broker: "mqtts://x", boxesUrl: "mqtts://u:p@y" }', ['mqtt.boxesUrl']],
    ['mqtt: { boxesUrl: "mqtts://y" }', ['mqtt.boxesUrl']],
    ['mqtt: { broker: "mqtts://x", port: 1 }', ['mqtt.port']],
    ['mqtt: { host: 10.0.0.1, user: x }', ['mqtt.user', 'mqtt.host']],
    ['mqtt: { tls: yes }', ['mqtt.tls']],
    ['identity: { names: ["a b"], deviceDays: 0 }', ['identity.names.0', 'identity.deviceDays']],
    ['{ http: { tls: auto }, identity: { ca: { certFile: ca.pem } } }', ['identity.ca']],
    [
      '{ mqtt: { tls: { certFile: c, keyFile: k } }, identity: { ca: { certFile: ca.pem } } }',
      ['identity.ca.listFile'],
    ],
    ['store: postgres://db.example/x', ['store']],
    ['roles: [ingest]', ['roles']],
    ['provinces: { 浙江: [] }', ['provinces.浙江']],
    ['provinces: { 浙江: [市中心], 江苏: [市中心] }', ['provinces.江苏']],
    ['retention: { days: 0 }', ['retention.days']],
    ['retention: {}', ['retention']],
    ['retention: { words: {} }', ['retention.words']],
    ['retention: { words: { rude: 3, fee: 0 } }', ['retention.words', 'retention.words.fee']],
    ['retention: { days: 90, words: { days: 30, prohibited: 91 } }', ['retention.words.prohibited']],
    ['retention: { days: 90, words: { days: 91 } }', ['retention.words.days']],
    ['{ roles: [broker, web], mqtt: { broker: "mqtts://x" } }', ['roles']],
    ['{ roles: [painter], mqtt: { broker: "mqtts://x" } }', ['roles.0']],
    ['store: mysql://db.example/x', ['store']],
    ['{ http: { host: 10.0.0.1 }, store: "postgres://db.example/x" }', ['http.host', 'store']],
  ])('refuses %s', (text, paths) => {
    expect(faults(text).sort()).toEqual([...paths].sort());
  });

  it('keeps words by their class, and says what is in force', () => {
    const DAY = 86_400_000;
    const { retentionMs, wordDays } = parseCloudConfig(
      'retention: { days: 400, words: { days: 90, fee: 30 } }',
      '/srv',
    );
    expect(retentionMs).toBe(400 * DAY);
    expect(wordDays).toEqual({ prohibited: 90, suggestive: 90, tendentious: 90, irrelevant: 90, fee: 30 });
    const some = parseCloudConfig('retention: { words: { fee: 30 } }', '/srv');
    expect([some.retentionMs, some.wordDays]).toEqual([undefined, { fee: 30 }]);
    expect(retentionWords(some)).toEqual([
      'events, alerts, clips: for ever (nothing leaves for its age)',
      ...['prohibited', 'suggestive', 'tendentious', 'irrelevant'].map(
        (name) => `words, ${name}: as long as their event`,
      ),
      'words, fee: 30 days',
    ]);
    expect(() => parseCloudConfig('retention: { days: 90, words: { fee: 91 } }', '/srv')).toThrow(
      /give at most 90, or raise retention.days/,
    );
  });

  it('takes names and an authority of its own or from outside, and asks for certificates wherever TLS is', () => {
    const auto = parseCloudConfig(
      '{ http: { host: 0.0.0.0, tls: auto }, mqtt: { host: 0.0.0.0, port: 8883, tls: auto }, identity: { names: [cloud.example, 10.0.0.5], deviceDays: 30 } }',
      '/srv',
    );
    expect(auto).toMatchObject({
      http: { tls: 'auto' },
      mqtt: { kind: 'child', tls: 'auto' },
      identity: {
        folder: '/srv/.data/cloud/identity',
        names: ['cloud.example', '10.0.0.5', 'localhost', '127.0.0.1', '::1'],
        deviceMs: 30 * 86_400_000,
      },
    });
    const outside = parseCloudConfig('identity: { folder: id, ca: { certFile: ca.pem, keyFile: ca.key } }', '/srv');
    expect(outside.identity).toMatchObject({
      folder: '/srv/id',
      ca: { certFile: '/srv/ca.pem', keyFile: '/srv/ca.key' },
    });
    expect(parseCloudConfig('', '/srv').identity).toBeUndefined();
  });

  it('takes a port for the workers of other machines, only where they need a certificate', () => {
    const { mqtt } = parseCloudConfig('mqtt: { host: 0.0.0.0, port: 8883, tls: auto, workersPort: 8884 }', '/srv');
    expect(mqtt).toMatchObject({ kind: 'child', port: 8883, workersPort: 8884 });
    expect(faults('mqtt: { workersPort: 8884 }')).toEqual(['mqtt.workersPort']);
    expect(faults('mqtt: { broker: "mqtts://b.example", workersPort: 8884 }')).toEqual(['mqtt.workersPort']);
  });

  it('refuses what is no YAML and a file that is not there', () => {
    expect(() => parseCloudConfig('a: [', '/srv')).toThrow(expect.objectContaining({ code: 'cloud_config' }));
    expect(() => loadCloudConfig('/nowhere/cloud.yaml')).toThrow(/nowhere/);
  });

  it('knows what stays on this machine', () => {
    expect(
      ['127.0.0.1', '127.1.2.3', '::1', 'localhost', '0.0.0.0', '127.0.0.1.example', '10.0.0.1'].map(isLoopback),
    ).toEqual([true, true, true, true, false, false, false]);
  });
});

describe('where clips lie', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-config-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const parse = (clips: string) => parseCloudConfig(`clips: { bucket: evalroom, keyFile: s3.key, ${clips} }`, folder);

  it('is storage with the key and the authority from files beside the configuration', () => {
    writeFileSync(join(folder, 's3.key'), 'id\n secret \n');
    writeFileSync(join(folder, 'ca.pem'), 'x');
    expect(parse('endpoint: https://s3.example, caFile: ca.pem, lockDays: 2').clips).toEqual({
      endpoint: 'https://s3.example',
      bucket: 'evalroom',
      region: 'us-east-1',
      prefix: '',
      accessKeyId: 'id',
      secretAccessKey: 'secret',
      caFile: join(folder, 'ca.pem'),
      lockMs: 172_800_000,
    });
  });

  it('says which file is missing, and refuses plaintext beyond this machine', () => {
    expect(() => parse('endpoint: https://s3.example, caFile: none.pem')).toThrow(/clips\.caFile: ENOENT/);
    expect(() => parse('endpoint: http://s3.example')).toThrow(/clips\.endpoint: must be https/);
    expect(() => parse('endpoint: http://127.0.0.1:9000')).not.toThrow();
  });
});
