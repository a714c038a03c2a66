/** Rule packs over HTTP in a real cloud: tried, saved, published, and taken by a box that asks for its orders. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { openOrders } from '../../../agent/orders.ts';
import { createRulesHolder } from '../../../agent/rules.ts';
import type {
  CheckView,
  ListenView,
  PackVersionView,
  PackView,
  RerunView,
  RulesView,
  SentenceView,
  SoundView,
} from '../../../cloud/http/rules-api.ts';
import { createRulesJobs } from '../../../cloud/review/rules-jobs.ts';
import { openStore } from '../../../cloud/store/open.ts';
import { loadRulePack, loadRulePackFiles } from '../../../models/rules/load.ts';
import { openRulePack, rulesKeysIn } from '../../../models/rules/sign.ts';
import type { RulePackOrder } from '../../../protocol/orders.ts';
import type { RulePack } from '../../../protocol/rules.ts';
import { wavOf } from '../../../protocol/wav.ts';
import { Browser, eventually, startTestCloud, type TestCloud } from './cloud.ts';
import { delivery, episodeBody, roomEvent } from './events.ts';

const DEFAULT = loadRulePack('default').version;

describe('rule packs at the desk', () => {
  let test: TestCloud;
  let desk: Browser;
  let base: RulePack;
  let folder: string;
  const changed = (version: string, more: Partial<RulePack> = {}): RulePack => ({
    ...base,
    name: 'province',
    version,
    title: { zh: '某省规则', en: 'Rules of a province' },
    ...more,
  });
  const phrase = {
    phraseId: 'own-1',
    language: 'zh-CN',
    category: 'prohibited' as const,
    forms: ['老地方拿信封'],
    citation: '招标投标法第四十四条',
    context: { unless: ['没有'] },
  };
  const withPhrase = (version: string) => changed(version, { phrases: [...base.phrases, phrase] });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-box-'));
    test = await startTestCloud();
    desk = new Browser(test.cloud().url);
    await desk.setUp(test.cloud().setupUrl!);
    base = (await desk.json<PackView>('GET', `/api/rules/packs/default/${DEFAULT}`)).pack;
  }, 60_000);
  afterAll(async () => {
    await test?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers supervisors only, and takes nothing from the page of another site', async () => {
    const stranger = new Browser(test.cloud().url);
    for (const [method, path] of [
      ['GET', '/api/rules'],
      ['GET', `/api/rules/packs/default/${DEFAULT}`],
      ['POST', '/api/rules/check'],
      ['POST', '/api/rules/packs'],
      ['POST', '/api/rules/publish'],
    ] as const)
      expect((await stranger.send(method, path, method === 'GET' ? undefined : {})).status).toBe(401);
    const foreign = { origin: 'https://elsewhere.example' };
    expect((await desk.send('POST', '/api/rules/publish', { to: [{ kind: 'all' }] }, foreign)).status).toBe(403);
    for (const body of [{}, { to: [] }, { to: [{ kind: 'planet' }] }, { to: [{ kind: 'room', of: '' }] }])
      expect((await desk.send('POST', '/api/rules/publish', body)).status).toBe(400);
    expect((await desk.send('GET', '/api/rules/packs/default/7.0.0')).status).toBe(404);
  });

  it('has the packs of the product from the first start on, signed, and keeps its key to itself', async () => {
    const { versions, keyId, spoken } = await desk.json<RulesView>('GET', '/api/rules');
    expect(versions.map(({ name, builtIn }) => [name, builtIn]).sort()).toEqual([
      ['default', true],
      ['demo', true],
    ]);
    expect(spoken).toMatchObject({ ok: false, words: { zh: expect.stringContaining('evalroom models fetch zh') } });
    const order = await desk.json<RulePackOrder>('GET', `/api/rules/packs/default/${DEFAULT}/file`);
    const keys = rulesKeysIn(test.cloud().rulesKey, 'k');
    expect(openRulePack(order, keys).name).toBe('default');
    expect(order.keyId).toBe(keyId);
    expect(statSync(join(test.folder, 'identity/rules.key.pem')).mode & 0o777).toBe(0o600);
  });

  it('says while somebody writes what is wrong, and what matches everyday speech or a neighbour', async () => {
    const check = (pack: unknown, phraseId?: string) =>
      desk.json<CheckView>('POST', '/api/rules/check', { pack, phraseId });
    expect(await check(withPhrase('1.0.0'), 'own-1')).toEqual({ problems: [], findings: [], more: 0 });
    const everyday = { ...phrase, forms: ['把空调开小一点'] };
    const noisy = changed('1.0.0', { phrases: [...base.phrases, everyday] });
    const { findings } = await check(noisy, 'own-1');
    expect(findings[0]).toMatchObject({ phraseId: 'own-1', kind: 'everyday', form: '把空调开小一点' });
    const near = { ...phrase, forms: ['中标的人早就定号了'] };
    const twin = await check(changed('1.0.0', { phrases: [...base.phrases, near] }), 'own-1');
    expect(twin.findings.map(({ kind, otherId }) => [kind, otherId])).toContainEqual(['neighbour', 'zh-pro-01']);
    const short = await check(changed('1.0.0', { phrases: [{ ...phrase, forms: ['标'], citation: '' }] }));
    expect(short.problems.map(({ words }) => words.zh)).toEqual([
      '请写明依据：哪条法律或纪律。',
      expect.stringContaining('太短'),
    ]);
    expect((await check({ nonsense: true })).problems).toHaveLength(1);
    expect((await check(null)).problems).toHaveLength(1);
  }, 60_000);

  it('tries a sentence, and says what the words around a phrase forbid', async () => {
    const say = (text: string) =>
      desk.json<SentenceView>('POST', '/api/rules/sentence', { pack: withPhrase('1.0.0'), language: 'zh-CN', text });
    const said = await say('晚上老地方拿信封吧');
    expect(said).toMatchObject({ hits: [{ phraseId: 'own-1', level: 'alarm', from: 2, to: 8 }], stopped: [] });
    expect(await say('没有老地方拿信封')).toMatchObject({
      hits: [],
      stopped: [{ phraseId: 'own-1', why: 'unless', word: '没有' }],
    });
    expect(await say('请翻到第五页')).toEqual({ hits: [], stopped: [] });
    const named = changed('1.0.0', {
      phrases: [{ ...phrase, phraseId: 'own-2', forms: ['{BIDDER}必须拿第一'], context: {} }],
    });
    const ask = (bidders?: unknown) =>
      desk.send('POST', '/api/rules/sentence', {
        pack: named,
        language: 'zh-CN',
        text: '宏远必须拿第一',
        ...(bidders === undefined ? {} : { bidders }),
      });
    const formsOf = async (answer: Response) => ((await answer.json()) as SentenceView).hits.map(({ form }) => form);
    expect(await formsOf(await ask())).not.toContain('宏远必须拿第一');
    expect(await formsOf(await ask([['宏远建设有限公司', '宏远']]))).toEqual(['宏远必须拿第一']);
    for (const wrong of ['宏远', [[]], [['']], [[7]], Array.from({ length: 51 }, () => ['宏远'])])
      expect((await ask(wrong)).status).toBe(400);
  });

  it('lists which stored episodes a draft would have silenced or raised', async () => {
    const text = 'zuo tian 中标的人早就定好了 lao di fang na xin feng';
    const at = text.indexOf('中');
    const store = await openStore({ kind: 'sqlite', path: join(test.folder, 'cloud.db') });
    const body = episodeBody('e-words', 'begin', 'alarm');
    const spoken = {
      ...body,
      behaviour: 'speech_prohibited' as const,
      transcript: { language: 'zh-CN', engine: 'fsmn', text, hit: [at, at + 9] as const },
    };
    const away = episodeBody('e-away', 'begin', 'notice');
    await store.ingest(
      [delivery([roomEvent('s1', 1, spoken), roomEvent('s1', 2, { ...away, durationMs: 45_000 })])],
      1,
    );
    await store.close();
    const { left_seat } = base.rules;
    const draft = changed('1.0.0', {
      // Without any of the product's own: some of them sound alike.
      phrases: [{ ...phrase, context: {} }],
      rules: { ...base.rules, left_seat: { ...left_seat!, noticeMs: 60_000 } },
    });
    const found = await desk.json<RerunView>('POST', '/api/rules/rerun', {
      pack: draft,
      base: { name: 'default', version: DEFAULT },
    });
    expect(found).toMatchObject({ episodes: 2, excerpts: 1, more: 0 });
    expect(found.findings.map(({ episodeId, change }) => `${episodeId} ${change}`).sort()).toEqual([
      'e-away silenced',
      'e-words raised',
      'e-words silenced',
    ]);
  });

  it('saves versions that only rise, under a name of their own, and nothing with faults', async () => {
    const save = (pack: RulePack, note = '') =>
      desk.send('POST', '/api/rules/packs', { pack, note, base: { name: 'default', version: DEFAULT } });
    const code = async (answer: Response) => ((await answer.json()) as { code: string }).code;
    expect(await code(await save({ ...base, version: '1.0.1' }))).toBe('rule_name_taken');
    expect(await code(await save(changed('1.0.0', { phrases: [{ ...phrase, forms: ['标'] }] })))).toBe(
      'rules_draft_faults',
    );
    const saved = await save(withPhrase('1.2.0'), '加了一条');
    expect(saved.status).toBe(201);
    expect((await saved.json()) as PackVersionView).toMatchObject({
      name: 'province',
      version: '1.2.0',
      madeBy: '王监督',
      note: '加了一条',
      basedOn: `default ${DEFAULT}`,
      builtIn: false,
    });
    for (const version of ['1.2.0', '1.1.9'])
      expect(await code(await save(withPhrase(version)))).toBe('rule_version_low');
    expect((await save(withPhrase('1.10.0'))).status).toBe(201);
    const { pack } = await desk.json<PackView>('GET', '/api/rules/packs/province/1.2.0');
    expect(pack.phrases.find(({ phraseId }) => phraseId === 'own-1')).toEqual(phrase);
  });

  it('publishes into rooms: the box takes what is signed, refuses what is not, and both are seen at the desk', async () => {
    const secret = await test.cloud().addDevice({ deviceId: 'box-1', roomId: 'room-1' });
    await test.cloud().addDevice({ deviceId: 'box-2', roomId: 'room-2' });
    const keyFile = join(folder, 'rules.pem');
    writeFileSync(keyFile, test.cloud().rulesKey);
    const clock = systemClock();
    const rules = createRulesHolder({ rulePack: 'default', keyFile });
    const orders = openOrders({
      folder,
      roomId: 'room-1',
      connection: { url: test.cloud().url, deviceId: 'box-1', secret },
      clock,
      log: pino({ level: 'silent' }),
    });
    orders.on('rulePack', (order) => rules.take(order));
    await orders.start(new AbortController().signal);
    try {
      const publish = (version: string | undefined, to: unknown[]) =>
        desk.json<RulesView>('POST', '/api/rules/publish', {
          ...(version === undefined ? {} : { pack: { name: 'province', version } }),
          to,
        });
      const follow = (to: unknown[]) => desk.json<RulesView>('POST', '/api/rules/publish', { follow: true, to });
      const placed = async () =>
        Object.fromEntries(
          (await desk.json<RulesView>('GET', '/api/rules')).rooms.map((one) => [one.roomId, one.placed?.pack?.version]),
        );
      const view = await publish('1.2.0', [{ kind: 'room', of: 'room-1' }]);
      expect(view.rooms.map(({ roomId, placed }) => [roomId, placed?.pack?.version])).toEqual([
        ['room-1', '1.2.0'],
        ['room-2', undefined],
      ]);
      await eventually(() => [rules.current().name, rules.current().version]).toEqual(['province', '1.2.0']);
      expect(rules.current().phrases.some(({ phraseId }) => phraseId === 'own-1')).toBe(true);
      // A box that lost the key keeps what it has, and says so.
      writeFileSync(keyFile, 'no key');
      await publish('1.10.0', [{ kind: 'all' }]);
      // The room's own version goes before that of all, until it follows them again.
      expect((await placed())['room-1']).toBe('1.2.0');
      await follow([{ kind: 'room', of: 'room-1' }]);
      expect((await placed())['room-1']).toBe('1.10.0');
      await eventually(() => orders.report().refused).toMatchObject([{ part: 'rulePack', code: 'rules_key_bad' }]);
      expect(rules.current().version).toBe('1.2.0');
      writeFileSync(keyFile, test.cloud().rulesKey);
      await publish(undefined, [{ kind: 'all' }]);
      await eventually(() => rules.current().name).toBe('default');
      const { entries } = await desk.json<{ entries: { action: string; object: string }[] }>('GET', '/api/log');
      const objects = (action: string) => entries.filter((one) => one.action === action).map(({ object }) => object);
      expect(objects('publish_rules')).toEqual(['province 1.10.0 → all', 'province 1.2.0 → room:room-1']);
      expect(objects('order_rules')).toEqual([
        'room-1 ← province 1.10.0',
        'room-2 ← province 1.10.0',
        'room-1 ← province 1.2.0',
      ]);
      expect(objects('save_rules')[0]).toMatch(/^province 1\.10\.0 [0-9a-f]{16}$/);
    } finally {
      await orders.close();
    }
  }, 60_000);

  it('keeps its key over a restart, and what was stored', async () => {
    const key = readFileSync(join(test.folder, 'identity/rules.key.pem'));
    await test.restart();
    const { cookie } = desk;
    desk = new Browser(test.cloud().url);
    desk.cookie = cookie;
    expect(readFileSync(join(test.folder, 'identity/rules.key.pem'))).toEqual(key);
    const { versions } = await desk.json<RulesView>('GET', '/api/rules');
    expect(versions.map(({ name, version }) => `${name} ${version}`)).toEqual(
      expect.arrayContaining(['province 1.10.0', 'province 1.2.0', `default ${DEFAULT}`]),
    );
  });

  it('refuses what is no recording, and says that there is no ear', async () => {
    const send = (bytes: Uint8Array, type = 'audio/wav') =>
      fetch(`${test.cloud().url}/api/rules/sounds`, {
        method: 'POST',
        headers: { cookie: desk.cookie, origin: test.cloud().url, 'content-type': type },
        body: Buffer.from(bytes),
      });
    expect((await send(new Uint8Array(100))).status).toBe(400);
    expect((await send(new Uint8Array(11 * 1024 * 1024))).status).toBe(413);
    const answer = await send(wavOf(new Int16Array(16_000).fill(3277)));
    expect(answer.status).toBe(201);
    const { soundId, seconds } = (await answer.json()) as SoundView;
    expect(seconds).toBe(1);
    const heard = await desk.send('POST', '/api/rules/listen', { pack: withPhrase('2.0.0'), soundId });
    expect([heard.status, ((await heard.json()) as { code: string }).code]).toEqual([503, 'model_missing']);
  });
});

describe('a recording through the ear', () => {
  it('finds the phrase that is said in it', async (ctx) => {
    const models = process.env.EVALROOM_MODELS;
    const media = process.env.EVALROOM_MEDIA;
    const path = join(media ?? '', 'audio/zh-splice');
    if (!models || !existsSync(join(models, 'fsmn-zh/kwsr.net'))) return ctx.skip('needs EVALROOM_MODELS');
    if (!media || !existsSync(join(path, 'labels.json'))) return ctx.skip('needs EVALROOM_MEDIA');
    const labels = JSON.parse(readFileSync(join(path, 'labels.json'), 'utf8')) as {
      clips: { file: string; phrase?: string }[];
    };
    const clip = labels.clips.find(({ phrase }) => phrase);
    if (!clip?.phrase) return ctx.skip('needs a recording with a phrase in EVALROOM_MEDIA');
    const run = createRulesJobs();
    // As a telephone or a desk recorder would have it: another rate, two channels.
    const args = ['-v', 'error', '-i', join(path, clip.file), '-ac', '2', '-ar', '44100', '-f', 'wav', '-'];
    const recording = execFileSync('ffmpeg', args, { maxBuffer: 2 ** 26 });
    const samples = run({ kind: 'sound', wav: new Uint8Array(recording) });
    const draft: RulePack = {
      ...loadRulePackFiles({
        'pack.yaml': `name: one
version: '1.0.0'
title: { zh: 试, en: try }
cooldownMs: 1000
rules: { speech_prohibited: { citation: c, level: alarm, alarmAfter: null, mergeMs: 5000 } }
phrases: []
`,
      }),
      phrases: [{ phraseId: 'p', language: 'zh-CN', category: 'prohibited', forms: [clip.phrase], citation: 'c' }],
    };
    const { hits } = run({ kind: 'listen', draft, samples, modelsFolder: models }) as ListenView;
    expect(hits).toMatchObject([{ phraseId: 'p', level: 'alarm', text: clip.phrase }]);
  }, 60_000);
});
