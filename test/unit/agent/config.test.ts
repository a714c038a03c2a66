/** room.yaml: the committed example loads, and every kind of fault is reported with its place, all at once. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRoomConfig, loadRoomConfig } from '../../../agent/config.ts';
import { DEFAULT_FOLDER } from '../../../models/manifest.ts';
import { signedBy } from '../../medium/cloud/identity-world.ts';

const example = readFileSync(new URL('../../../room.example.yaml', import.meta.url), 'utf8');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-config-'));
  writeFileSync(join(folder, 'secret'), 'device-secret\n');
  writeFileSync(join(folder, 'cam-a.password'), 'camera-secret\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (text: string): string => {
  const path = join(folder, 'room.yaml');
  writeFileSync(path, text);
  return path;
};
const problems = (text: string) => {
  const checked = checkRoomConfig(write(text), {});
  return checked.ok ? [] : checked.problems;
};
const lineOf = (key: string) => example.slice(0, example.indexOf(key)).split('\n').length;
const change = (from: string | RegExp, to: string): string => {
  const changed = example.replace(from, to);
  expect(changed).not.toBe(example);
  return changed;
};

describe('loadRoomConfig', () => {
  it('reads the example', () => {
    const config = loadRoomConfig(write(example), { EVALROOM_MODELS: '/models' });
    expect(config.layout).toMatchObject({ roomId: 'room-101', timeZone: 'Asia/Shanghai', roster: [{ seatId: '1' }] });
    expect(config.cameras).toEqual([
      {
        cameraId: 'cam-a',
        source: { kind: 'onvif', host: '192.168.1.64', port: 80 },
        user: 'operator',
        password: 'camera-secret',
        analyseFps: 2,
        audio: true,
      },
    ]);
    expect(config.identity).toEqual({ deviceId: 'box-101', secret: 'device-secret' });
    expect(config).toMatchObject({ dataFolder: join(folder, 'data'), modelsFolder: '/models', rulePack: 'default' });
    expect(config.perception).toEqual({ kind: 'auto' });
    expect(Object.isFrozen(config.layout.seats[0]?.views)).toBe(true);
  });

  it('looks for models where they were fetched to, unless the box has a folder of its own', () => {
    expect(loadRoomConfig(write(example), {}).modelsFolder).toBe(DEFAULT_FOLDER);
    mkdirSync(join(folder, 'data', 'models'), { recursive: true });
    expect(loadRoomConfig(write(example), {}).modelsFolder).toBe(join(folder, 'data', 'models'));
    rmSync(join(folder, 'data'), { recursive: true });
  });

  it('warns of a room that nobody listens to', () => {
    expect(loadRoomConfig(write(example), {}).warnings.join()).not.toContain('deaf');
    expect(loadRoomConfig(write(change('audio: true', 'audio: false')), {}).warnings.join()).toContain('deaf');
    const mute = `${example.replace(/^languages:.*$/m, '')}\nlanguages: []\n`;
    expect(loadRoomConfig(write(mute), {}).warnings).toEqual([expect.stringContaining('languages is empty')]);
  });

  it('warns of an engine that minds no words around a phrase, where no other one does', () => {
    const warned = (engines: string) => loadRoomConfig(write(`${example}\nengines: ${engines}\n`), {}).warnings.join();
    expect(warned('{ zh-CN: [sherpa-kws] }')).toContain('sherpa-kws alone for zh-CN');
    for (const fine of ['{ zh-CN: [fsmn, sherpa-kws] }', '{ zh-CN: [fsmn] }'])
      expect(warned(fine)).not.toContain('kws');
  });

  it('throws one error that lists every fault', () => {
    const text = change('timeZone: Asia/Shanghai', 'timeZone: Mars').replace(
      'camera: cam-a\n        zone',
      'camera: cam-b\n        zone',
    );
    expect(() => loadRoomConfig(write(text), {})).toThrow(/2 fault\(s\)[\s\S]*line 6[\s\S]*did you mean "cam-a"/);
  });
});

describe('checkRoomConfig', () => {
  const faults: [string, () => string, { path: string; reason: RegExp; line?: number }][] = [
    ['malformed YAML', () => change('  name: 评标一室', '  name: [评标一室'), { path: '', reason: /./, line: 5 }],
    ['an empty file', () => '', { path: '', reason: /empty/ }],
    [
      'an unknown key',
      () => change('analyseFps', 'analyzeFps'),
      { path: 'cameras.0.analyzeFps', reason: /did you mean "analyseFps"/, line: lineOf('analyseFps:') },
    ],
    ['an unknown section', () => change('roster:', 'rooster:'), { path: 'rooster', reason: /did you mean "roster"/ }],
    ['a missing key', () => change(/centre: .*/, ''), { path: 'room.centre', reason: /missing/ }],
    [
      'a polygon outside the picture',
      () => change('[0.23, 0.41]', '[1.23, 0.41]'),
      { path: 'seats.0.views.0.zone.0.0', reason: /outside the picture/ },
    ],
    [
      'a polygon of two points',
      () => change(/zone: .*/, 'zone: [[0.1, 0.1], [0.2, 0.2]]'),
      { path: 'seats.0.views.0.zone', reason: /three points/ },
    ],
    [
      'a bow tie',
      () => change(/zone: .*/, 'zone: [[0, 0], [1, 1], [1, 0], [0, 1]]'),
      { path: 'seats.0.views.0.zone', reason: /crosses itself/ },
    ],
    [
      'an unknown camera in a view',
      () => change('- camera: cam-a\n        zone', '- camera: cam-x\n        zone'),
      { path: 'seats.0.views.0.camera', reason: /no camera.*did you mean "cam-a"/ },
    ],
    [
      'an unknown seat in the roster',
      () => change('seat: "1"', 'seat: "9"'),
      { path: 'roster.0.seat', reason: /no seat/ },
    ],
    [
      'an id given twice',
      () => change('microphones: []', 'microphones: [{ id: cam-a, alsa: hw }]'),
      { path: 'microphones.0.id', reason: /twice/ },
    ],
    [
      'a missing password file',
      () => change('cam-a.password', 'none'),
      { path: 'cameras.0.passwordFile', reason: /ENOENT.*first line/ },
    ],
    [
      'a missing variable',
      () => change('passwordFile: ./cam-a.password', 'passwordEnv: CAM'),
      { path: 'cameras.0.passwordEnv', reason: /no variable CAM/ },
    ],
    [
      'plain MQTT beyond loopback',
      () => change('mqtt://127.0.0.1:1883', 'mqtt://cloud.example:1883'),
      { path: 'cloud.mqtt', reason: /in clear.*mqtts/ },
    ],
    [
      'plain HTTP beyond loopback',
      () => change('http://127.0.0.1:8080', 'http://10.0.0.1:8080'),
      { path: 'cloud.upload', reason: /in clear.*https/ },
    ],
    [
      'an authority whose file is missing',
      () => change('upload: http', 'ca: ./nowhere.pem\n  upload: http'),
      { path: 'cloud.ca', reason: /nowhere\.pem.*no such file.*PEM/ },
    ],
    [
      'an authority that is none',
      () => change('upload: http', 'ca: ./secret\n  upload: http'),
      { path: 'cloud.ca', reason: /no certificate/ },
    ],
    [
      'a password in an address',
      () => change(/onvif: .*/, 'main: rtsp://u:p@host/x'),
      { path: 'cameras.0.main', reason: /credentials do not belong/ },
    ],
    ['no source', () => change(/onvif: .*/, ''), { path: 'cameras.0', reason: /either onvif/ }],
    [
      'a bad host',
      () => change(/onvif: .*/, 'onvif: http://192.168.1.64/'),
      { path: 'cameras.0.onvif', reason: /host:port/ },
    ],
    ['a bad time zone', () => change('Asia/Shanghai', 'China'), { path: 'room.timeZone', reason: /IANA/ }],
    [
      'three calibration points',
      () => change(/ {6}- \{ image: \[0.2.*\n/, ''),
      { path: 'floor.0.points', reason: /four points/ },
    ],
    [
      'an engine for a language that is not listened for',
      () => `${example}\nengines: { zh: [fsmn], en: [vosk] }\n`,
      { path: 'engines.zh', reason: /none of the room's languages.*zh-CN, en/ },
    ],
    [
      'an engine for a language that is written otherwise',
      () => `${example.replace(/^languages:.*$/m, '')}\nlanguages: [zh-CN]\nengines: { zh-CM: [fsmn] }\n`,
      { path: 'engines.zh-CM', reason: /languages \(zh-CN\)/ },
    ],
    [
      'an engine that there is not',
      () => `${example}\nengines: { en: [whisper] }\n`,
      { path: 'engines.en.0', reason: /fsmn.*pocketsphinx.*vosk.*sherpa/ },
    ],
    [
      'a language given twice',
      () => `${example.replace(/^languages:.*$/m, '')}\nlanguages: [en, en]\n`,
      { path: 'languages.1', reason: /twice/ },
    ],
  ];
  it.each(faults)('reports %s', (_name, text, { path, reason, line }) => {
    const found = problems(text()).find((problem) => problem.path === path && reason.test(problem.reason));
    expect(found, JSON.stringify(problems(text()))).toBeDefined();
    if (line !== undefined) expect(found?.line).toBe(line);
  });

  it('reports a wrong shape, a wrong reference and a missing file in one go', () => {
    const text = change('[0.23, 0.41]', '[1.23, 0.41]')
      .replace('seat: "1"', 'seat: "9"')
      .replace('./secret ', './none ');
    expect(
      problems(text)
        .map((problem) => problem.path)
        .sort(),
    ).toEqual(['identity.secretFile', 'roster.0.seat', 'seats.0.views.0.zone.0.0']);
  });

  it('never shows a secret', () => {
    const text = change(/onvif: .*/, 'main: rtsp://u:hunter2@host/x');
    expect(JSON.stringify(problems(text))).not.toContain('hunter2');
  });

  it('says which file cannot be read', () => {
    expect(checkRoomConfig(join(folder, 'nowhere.yaml'))).toMatchObject({
      ok: false,
      problems: [{ reason: /ENOENT/ }],
    });
  });
});

describe('identity by certificate', () => {
  const secure = () =>
    change('secretFile: ./secret ', 'certificate: ./identity ')
      .replace('mqtt: mqtt://127.0.0.1:1883', 'mqtt: mqtts://cloud.example:8883')
      .replace('upload: http://127.0.0.1:8080', 'upload: https://cloud.example:8443');
  const enrol = async (deviceId: string, roomId: string) => {
    const made = await signedBy(join(folder, 'ca'), { deviceId, roomId });
    mkdirSync(join(folder, 'identity'), { recursive: true });
    writeFileSync(join(folder, 'identity/box.pem'), made.key + made.cert);
    writeFileSync(join(folder, 'identity/ca.pem'), made.ca);
  };

  it('says how a box gets one, and then reads it', async () => {
    expect(problems(secure())).toMatchObject([
      { path: 'identity.certificate', reason: expect.stringContaining('evalroom enroll') },
    ]);
    await enrol('box-101', 'room-101');
    const config = loadRoomConfig(write(secure()), {});
    expect(config.identity).toEqual({ deviceId: 'box-101', folder: join(folder, 'identity') });
    expect(config.warnings).toEqual([]);
  });

  it('refuses one of another device or room, one that is cut, and one in clear', async () => {
    await enrol('box-7', 'room-7');
    expect(problems(secure()).map(({ path }) => path)).toEqual(['identity.deviceId', 'room.id']);
    await enrol('box-101', 'room-101');
    const plain = change('secretFile: ./secret ', 'certificate: ./identity ');
    expect(problems(plain).map(({ path }) => path)).toEqual(['cloud.mqtt', 'cloud.upload']);
    const file = join(folder, 'identity/box.pem');
    writeFileSync(file, readFileSync(file).subarray(0, 700));
    expect(problems(secure())).toMatchObject([
      { path: 'identity.certificate', reason: expect.stringContaining('cut') },
    ]);
    const both = change('secretFile: ./secret ', 'secretFile: ./secret\n  certificate: ./identity ');
    expect(problems(both)).toMatchObject([{ path: 'identity', reason: expect.stringContaining('either') }]);
  });

  it('warns of a secret that is to go beyond this machine', () => {
    const text = change('mqtt: mqtt://127.0.0.1:1883', 'mqtt: mqtts://cloud.example:8883');
    expect(loadRoomConfig(write(text), {}).warnings).toEqual([expect.stringContaining('evalroom enroll')]);
  });
});
