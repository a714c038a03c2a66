/** `evalroom agent replay` over a box's own folder: spoken words in its segments, events in an outbox that an agent holds open. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { loadRoomConfig } from '../../../agent/config.ts';
import { type Replay, replay } from '../../../agent/replay.ts';
import { storedEvents } from '../../../agent/store/look.ts';
import type { Outbox } from '../../../agent/store/outbox.ts';
import { openOutbox } from '../../../agent/store/sqlite.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import { signRulePack } from '../../../models/rules/sign.ts';
import { writeRulePackFiles } from '../../../models/rules/write.ts';
import { type EpisodeBody, SUSPECTED } from '../../../protocol/event.ts';
import { type ReplayOptions, replayRoom } from '../../../scripts/agent-replay.ts';

const EVALROOM = fileURLToPath(new URL('../../../scripts/evalroom.mjs', import.meta.url));
const run = promisify(execFile);
const log = pino({ level: 'silent' });
const clock = systemClock();
const BEGAN = Date.parse('2026-03-01T06:00:00Z');
const TEXT = 'please they will give you a kickback later';

const episode = (episodeId: string, more: Partial<EpisodeBody> = {}): EpisodeBody => ({
  kind: 'episode',
  episodeId,
  phase: 'end',
  behaviour: 'left_seat',
  level: 'notice',
  seatIds: ['1'],
  beganWallMs: BEGAN,
  from: 'AWAY',
  to: 'RETURNED',
  durationMs: 12_000,
  rule: { pack: 'demo', packVersion: '1.0.0', ruleId: 'left_seat', citation: 'c' },
  figures: [],
  sentence: { zh: '离席', en: 'away' },
  ...more,
});

describe('agent replay', () => {
  let folder: string;
  let outbox: Outbox;
  const room = () => join(folder, 'room.yaml');
  const over = (rules = 'demo', span: { from?: string; to?: string } = {}): Promise<Replay> => {
    const wallMs = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Date.parse(text));
    return replay({
      config: loadRoomConfig(room()),
      pack: loadRulePack(rules),
      base: loadRulePack('demo'),
      span: { fromWallMs: wallMs(span.from, 0), toWallMs: wallMs(span.to, clock.wallMs()) },
      clock,
      log,
    });
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-replay-'));
    const data = join(folder, 'data');
    mkdirSync(join(data, 'segments/cam-a'), { recursive: true });
    writeFileSync(join(folder, 'secret'), 'x'.repeat(24));
    writeFileSync(
      room(),
      `room: { id: room-1, name: r, centre: c, timeZone: Asia/Shanghai }
cloud: { mqtt: 'mqtt://127.0.0.1:9', upload: 'http://127.0.0.1:9' }
identity: { deviceId: box-1, secretFile: ./secret }
data: ./data
models: ./no-models
rulePack: demo
languages: [en, zh-CN]
cameras: [{ id: cam-a, main: 'rtsp://127.0.0.1:9/', audio: true }]
seats: []
`,
    );
    outbox = openOutbox({
      path: join(data, 'outbox.db'),
      roomId: 'room-1',
      clock,
      log,
      quotaEvents: 1000,
      quotaClipBytes: 1e9,
    });
    const at = { ...clock.now(), wallMs: BEGAN };
    const words = { language: 'en', engine: 'pocketsphinx', text: TEXT, hit: [7, 36] as const };
    outbox.accept([
      { at, body: episode('e-short') },
      { at, body: episode('e-words', { behaviour: 'speech_prohibited', level: 'alarm', transcript: words }) },
    ]);
  });
  afterAll(() => {
    outbox?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('reads a copy of what waits in the outbox while an agent writes to it', () => {
    const path = join(folder, 'data/outbox.db');
    const at = { ...clock.now(), wallMs: BEGAN + 1000 };
    for (let n = 0; n < 20; n++) {
      outbox.accept([
        { at, body: { kind: 'gap', sourceId: 'cam-a', role: 'audio', fromWallMs: 1, toWallMs: 2, reason: 'r' } },
      ]);
      expect(storedEvents(path)).toHaveLength(3 + n);
    }
    expect(storedEvents(join(folder, 'none.db'))).toEqual([]);
  });

  it('compares the waiting events with another pack, and says that it has no sound', async () => {
    const { pack, raised, sound, stored } = await over('default');
    expect(pack).toEqual({ name: 'default', version: expect.any(String) });
    expect(raised).toEqual([]);
    expect(sound.map(({ sourceId, language, segments }) => [sourceId, language, segments])).toEqual([
      ['cam-a', 'en', 0],
      ['cam-a', 'zh-CN', 0],
    ]);
    expect(sound[0]?.deaf).toContain('no sound');
    // Twelve seconds are a notice in the demo only; its phrase about a kickback is in no other pack.
    expect(stored.findings.map(({ episodeId, change }) => [episodeId, change])).toEqual([
      ['e-short', 'silenced'],
      ['e-words', 'silenced'],
    ]);
    expect((await over()).stored.findings).toEqual([]);
    expect((await over('default', { to: '2026-02-01T00:00Z' })).stored.episodes).toBe(0);
  }, 60_000);

  it('refuses a pack or a time that is none, with what would be right', async () => {
    const refused = (more: Partial<ReplayOptions>) =>
      replayRoom({ room: room(), ...more }).then(
        () => 'taken',
        (error: { code: string }) => error.code,
      );
    expect(await refused({ rules: 'nowhere' })).toBe('rule_pack_unknown');
    expect(await refused({ from: 'yesterday' })).toBe('replay_time');
    expect(await refused({ from: '2026-03-02T00:00', to: '2026-03-01T00:00' })).toBe('replay_time');
    writeFileSync(join(folder, 'odd.json'), '{}');
    expect(await refused({ rules: join(folder, 'odd.json') })).toBe('replay_rules');
  }, 60_000);

  it('compares with the pack that the cloud ordered only where the box trusts it', async () => {
    const own = { ...loadRulePack('default'), name: 'province', version: '2.0.0' };
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const orders = { roomId: 'room-1', revision: 3, rulePack: signRulePack(writeRulePackFiles(own), privateKey) };
    const kept = join(folder, 'data/orders.json');
    writeFileSync(kept, JSON.stringify({ orders, refused: [] }));
    const runs = async () => {
      const { stdout, stderr } = await run(process.execPath, [EVALROOM, 'agent', 'replay', '--room', room(), '--json']);
      return { ...(JSON.parse(stdout) as Replay).pack, stderr };
    };
    expect(await runs()).toMatchObject({ name: 'demo', stderr: expect.stringContaining('signed by key') });
    writeFileSync(join(folder, 'rules.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    expect(await runs()).toMatchObject({ name: 'province', version: '2.0.0' });
    rmSync(kept);
  }, 60_000);

  it('hears again what is in the segments, and says which ear is missing', async (ctx) => {
    if (spawnSync('espeak-ng', ['--version']).error) return ctx.skip('needs the Debian package espeak-ng');
    if (!existsSync('/usr/share/pocketsphinx/model/en-us'))
      return ctx.skip('needs the Debian package pocketsphinx-en-us');
    const wav = join(folder, 'said.wav');
    execFileSync('espeak-ng', ['-v', 'en-us', '-s', '140', '-w', wav, TEXT]);
    const name = (order: number, from: number, to: number) =>
      join(folder, 'data/segments/cam-a', `${String(order).padStart(12, '0')}_${from}_${to}_00000000.mp4`);
    const segment = (order: number, from: number, sound: string[]) =>
      execFileSync('ffmpeg', [
        ...['-v', 'error', '-f', 'lavfi', '-i', 'color=size=64x64:rate=5:duration=6', ...sound],
        ...[
          '-af',
          'adelay=1500,apad',
          '-ar',
          '16000',
          '-ac',
          '1',
          '-t',
          '6',
          '-c:v',
          'libx264',
          '-c:a',
          'aac',
          name(order, from, from + 6000),
        ],
      ]);
    segment(1, BEGAN, ['-f', 'lavfi', '-i', 'anoisesrc=amplitude=0.001:duration=6']);
    segment(2, BEGAN + 6000, ['-i', wav]);
    writeFileSync(name(3, BEGAN + 12_000, BEGAN + 13_000), 'still being written');
    const span = ['--from', '2026-03-01T05:00Z', '--to', '2026-03-01T07:00Z'];
    // The ear only suspected it then, under a pack that it has changed since.
    const doubted = episode('e-doubt', {
      behaviour: 'speech_prohibited',
      beganWallMs: BEGAN + 7500,
      durationMs: 3000,
      from: 'SILENT',
      to: SUSPECTED,
      transcript: { language: 'en', engine: 'pocketsphinx', text: TEXT, hit: [7, 36] },
    });
    outbox.accept([{ at: { ...clock.now(), wallMs: BEGAN + 9000 }, body: doubted }]);
    const { stdout } = await run(process.execPath, [EVALROOM, 'agent', 'replay', '--room', room(), '--json', ...span]);
    const { raised, sound, stored } = JSON.parse(stdout) as Replay;
    expect(raised).toMatchObject([
      { phraseId: 'demo-en-pro-02', level: 'alarm', begins: true, sourceId: 'cam-a', language: 'en' },
    ]);
    expect(raised[0]).not.toHaveProperty('suspected');
    expect(stored.findings.filter(({ episodeId }) => episodeId === 'e-doubt')).toMatchObject([
      { change: 'sure', suspected: true, before: 'notice', after: 'alarm', hit: { phraseId: 'demo-en-pro-02' } },
    ]);
    // In the second segment, after its second and a half of silence.
    expect(raised[0]!.wallMs).toBeGreaterThan(BEGAN + 7500);
    expect(raised[0]!.wallMs).toBeLessThan(BEGAN + 12_500);
    expect(sound.find(({ language }) => language === 'zh-CN')?.deaf).toContain('evalroom models fetch zh');
    expect((await over('demo', { to: '2026-03-01T06:00:05Z' })).raised).toEqual([]);
  }, 120_000);
});
