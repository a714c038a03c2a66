import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadRulePack } from '../../../models/rules/load.ts';
import { signRulePack } from '../../../models/rules/sign.ts';
import { writeRulePackFiles } from '../../../models/rules/write.ts';
import { Unavailable } from '../../../protocol/errors.ts';
import { attention, broken, look, ok, printFindings } from '../../../scripts/doctor/finding.ts';
import { lookAtDisk, lookAtPort, lookForDamage } from '../../../scripts/doctor/machine.ts';
import { soundFinding } from '../../../scripts/doctor/microphone.ts';
import { lookAtAddress, lookAtRoom } from '../../../scripts/doctor/room.ts';
import { lookAtWeights } from '../../../scripts/doctor/weights.ts';
import { signedBy } from '../../medium/cloud/identity-world.ts';

const EXAMPLE = fileURLToPath(new URL('../../../room.example.yaml', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-doctor-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
});

async function listening(): Promise<{ port: number; close: () => void }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe('the doctor', () => {
  it('tells a sound card that the agent may be reading from one that is not there', () => {
    const reason = 'the sound device is not there';
    const inUse = soundFinding('mic-1 sound', { delivered: 0, reason, inUse: true }, 1000);
    expect(inUse).toMatchObject({ state: 'attention', found: expect.stringContaining('the agent itself, if it runs') });
    expect(soundFinding('mic-1 sound', { delivered: 0, reason }, 1000)).toMatchObject({
      state: 'broken',
      found: reason,
    });
    expect(soundFinding('mic-1 sound', { delivered: 0 }, 1000)).toMatchObject({ found: 'nothing within 1 s' });
  });

  it('tells a port that is in use from a free one', async () => {
    const { port, close } = await listening();
    expect(await lookAtPort(port, 'the page')).toMatchObject({ state: 'attention', part: `port ${port}` });
    close();
    expect(await lookAtPort(0, 'the page')).toMatchObject({ state: 'ok' });
  });

  it('tells an address that answers from one that refuses, and says what to do', async () => {
    const { port, close } = await listening();
    expect(await lookAtAddress('cam-a', '127.0.0.1', port, 'switch it on')).toMatchObject({ state: 'ok' });
    close();
    await vi.waitFor(async () =>
      expect(await lookAtAddress('cam-a', '127.0.0.1', port, 'switch it on')).toEqual(
        broken('cam-a', `127.0.0.1:${port}: ECONNREFUSED`, 'switch it on'),
      ),
    );
  });

  it('measures the disk of the nearest folder that exists', async () => {
    const { found } = await lookAtDisk(join(folder, 'not/yet/made'));
    expect(found).toContain(folder);
  });

  it('says that a data folder is a file', async () => {
    const file = join(folder, 'data');
    writeFileSync(file, '');
    for (const place of [file, join(file, 'deeper')])
      expect(await lookAtDisk(place)).toMatchObject({ state: 'broken', found: expect.stringContaining('is a file') });
    expect(lookForDamage(file)).toEqual([]);
  });

  it('finds outbox files that were put aside as damaged, and says how to bring back what is intact', () => {
    expect(lookForDamage(join(folder, 'not/yet/made'))).toEqual([]);
    for (const name of ['outbox.db', 'outbox.db.damaged-17', 'outbox.db.damaged-17-wal', 'outbox.db-wal.damaged-18'])
      writeFileSync(join(folder, name), '');
    const found = lookForDamage(folder);
    expect(found).toHaveLength(2);
    expect(found[1]!.todo).toContain(`evalroom outbox salvage ${join(folder, 'outbox.db.damaged-17')} --into`);
  });

  it('lists every fault of a room.yaml with its line', () => {
    const path = join(folder, 'room.yaml');
    writeFileSync(path, 'room: { id: "room 1" }\nseatz: []\n');
    const { findings, config } = lookAtRoom(path);
    expect(config).toBeUndefined();
    expect(findings.length).toBeGreaterThan(2);
    expect(findings.map(({ found }) => found).join('\n')).toMatch(/line 2: .*seatz/);
    expect(lookAtRoom(join(folder, 'none.yaml')).findings).toEqual([
      expect.objectContaining({ state: 'broken', found: expect.stringContaining('cannot be read') }),
    ]);
  });

  it('accepts the annotated example once its secrets are written', () => {
    const path = join(folder, 'room.yaml');
    for (const name of ['secret', 'cam-a.password']) writeFileSync(join(folder, name), 'x\n', { mode: 0o600 });
    copyFileSync(EXAMPLE, path);
    const { findings, config } = lookAtRoom(path);
    expect(findings.filter(({ state }) => state === 'broken')).toEqual([]);
    expect(config?.layout.roomId).toBe('room-101');
  });

  it('says that a layout drawn at the desk counts, or why it can not run here', () => {
    const path = join(folder, 'room.yaml');
    for (const name of ['secret', 'cam-a.password']) writeFileSync(join(folder, name), 'x\n', { mode: 0o600 });
    copyFileSync(EXAMPLE, path);
    const { config } = lookAtRoom(path);
    const { dataFolder, layout, cameras } = config!;
    const keep = (cameraId: string) => {
      const { name, seatId } = layout.seats[0]!;
      const zone = layout.seats[0]!.views[0]!.zone;
      const seats = [{ seatId, name, views: [{ cameraId, zone }] }];
      const orders = { roomId: layout.roomId, revision: 7, layout: { seats, zones: [], doorLines: [], floor: [] } };
      mkdirSync(dataFolder, { recursive: true });
      writeFileSync(join(dataFolder, 'orders.json'), JSON.stringify({ orders, refused: [] }));
    };
    const found = () => lookAtRoom(path).findings.filter(({ part }) => part === 'layout');
    expect(found()).toEqual([]);
    keep(cameras[0]!.cameraId);
    expect(found()).toEqual([ok('layout', expect.stringMatching(/at the desk, revision 7: 1 seats/) as string)]);
    keep('gone');
    expect(found()).toMatchObject([{ state: 'attention', found: expect.stringContaining('gone') }]);
  });

  it('looks at the rule pack of room.yaml, and at the one that was ordered', () => {
    const path = join(folder, 'room.yaml');
    const text = readFileSync(EXAMPLE, 'utf8');
    for (const name of ['secret', 'cam-a.password']) writeFileSync(join(folder, name), 'x\n', { mode: 0o600 });
    const found = () => lookAtRoom(path).findings.filter(({ part }) => part === 'rule pack');
    writeFileSync(path, `${text.replace(/^rulePack:.*$/m, '')}\nrulePack: nowhere\n`);
    expect(found()).toMatchObject([{ state: 'broken', found: expect.stringContaining('default, demo, eval') }]);
    writeFileSync(path, text);
    expect(found()).toMatchObject([{ state: 'ok', found: expect.stringMatching(/^default .* rules, \d+ phrases$/) }]);
    const { dataFolder, layout } = lookAtRoom(path).config!;
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const own = { ...loadRulePack('default'), name: 'province', version: '2.0.0' };
    const orders = {
      roomId: layout.roomId,
      revision: 9,
      rulePack: signRulePack(writeRulePackFiles(own), privateKey),
    };
    mkdirSync(dataFolder, { recursive: true });
    writeFileSync(join(dataFolder, 'orders.json'), JSON.stringify({ orders, refused: [] }));
    expect(found()).toMatchObject([
      { state: 'attention', found: expect.stringContaining('revision 9') },
      { state: 'ok', found: expect.stringMatching(/^default /) },
    ]);
    writeFileSync(join(folder, 'rules.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    expect(found()).toMatchObject([{ state: 'ok', found: expect.stringMatching(/^province 2\.0\.0.*revision 9$/) }]);
  });

  it('says how long the certificate of a box is good', async () => {
    const path = join(folder, 'room.yaml');
    const text = readFileSync(EXAMPLE, 'utf8')
      .replace('secretFile: ./secret ', 'certificate: ./identity ')
      .replace('mqtt: mqtt://127.0.0.1:1883', 'mqtt: mqtts://cloud.example:8883')
      .replace('upload: http://127.0.0.1:8080', 'upload: https://cloud.example:8443');
    writeFileSync(path, text);
    writeFileSync(join(folder, 'cam-a.password'), 'x\n', { mode: 0o600 });
    mkdirSync(join(folder, 'identity'));
    const day = 86_400_000;
    for (const [oldDays, state] of [
      [0, 'ok'],
      [80, 'attention'],
      [91, 'broken'],
    ] as const) {
      const device = { deviceId: 'box-101', roomId: 'room-101', lifetimeMs: 90 * day };
      const made = await signedBy(join(folder, 'ca'), { ...device, beganWallMs: Date.now() - oldDays * day });
      writeFileSync(join(folder, 'identity/box.pem'), made.key + made.cert);
      writeFileSync(join(folder, 'identity/ca.pem'), made.ca);
      expect(lookAtRoom(path).findings).toContainEqual(
        expect.objectContaining({ part: 'identity', state, found: expect.stringContaining('box-101') }),
      );
    }
  });

  it('names a truncated weight file and an ear that is missing', async () => {
    writeFileSync(join(folder, 'yolox_nano.onnx'), 'cut off');
    const findings = await lookAtWeights([folder]);
    const byPart = new Map(findings.map((finding) => [finding.part, finding]));
    expect(byPart.get('better eyes')).toMatchObject({
      state: 'broken',
      found: expect.stringContaining('only 7 of 3660092'),
    });
    expect(byPart.get('ear for Mandarin')).toMatchObject({
      state: 'attention',
      found: expect.stringContaining('deaf in Mandarin'),
      todo: expect.stringContaining('evalroom models fetch zh'),
    });
  });

  it('makes a finding of a look that fails', async () => {
    const fail = async () => {
      throw new Unavailable('camera_silent', 'cam-a does not answer');
    };
    expect(await look('cam-a', fail)).toMatchObject([
      { part: 'cam-a', state: 'broken', found: 'cam-a does not answer', todo: 'camera_silent in docs/errors.md' },
    ]);
    const slip = () => Promise.reject(new TypeError('x is undefined'));
    expect(await look('cam-a', slip)).toMatchObject([{ todo: expect.stringContaining('report it') }]);
  });

  it('ends with 1 when something is broken, and prints one JSON object when asked', () => {
    const print = vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(printFindings([ok('a', 'fine'), attention('b', 'so so', 'mend')], true)).toBe(0);
    expect(JSON.parse(print.mock.calls[0]?.[0])).toMatchObject({ broken: 0, attention: 1 });
    expect(printFindings([broken('c', 'gone', 'bring back')], false)).toBe(1);
    expect(print.mock.calls.flat().join('\n')).toContain('bring back');
  });
});
