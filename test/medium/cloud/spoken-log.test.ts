/** What was said stands in no line of the cloud's log: not when it is stored, not when it is refused, not when something fails, not over a restart. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PackView } from '../../../cloud/http/rules-api.ts';
import { openSqlite } from '../../../cloud/store/sqlite.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import type { EpisodeBody } from '../../../protocol/event.ts';
import { keptLog } from '../../fixtures/kept-log.ts';
import { Box, Browser, eventually, startTestCloud, type TestCloud } from './cloud.ts';
import { batchBytes, episodeBody, roomEvent } from './events.ts';

const FORM = '老地方拿信封';
const HEARD = 'wan shang 老地方拿信封 bie gao su ta';
const WORDS = [FORM, '信封', 'gao su ta', 'wan shang'];

const spoken = (episodeId: string, more: Partial<EpisodeBody> = {}): EpisodeBody => ({
  ...episodeBody(episodeId, 'begin', 'alarm'),
  behaviour: 'speech_prohibited',
  sentence: {
    zh: `听到禁用语“${FORM}”，本场第 1 次`,
    en: `Heard prohibited words “${FORM}”, number 1 in this session`,
  },
  transcript: { language: 'zh-CN', engine: 'fsmn', text: HEARD, hit: [10, 16] },
  ...more,
});

const { log, lines } = keptLog();
let test: TestCloud;
let secret: string;
beforeAll(async () => {
  test = await startTestCloud('sqlite', undefined, log);
  secret = await test.cloud().addDevice({ deviceId: 'box-1', roomId: 'room-1' });
}, 60_000);
afterAll(() => test?.stop());

it('is kept out of the log of a cloud that stores, refuses, fails and starts again', async () => {
  const desk = new Browser(test.cloud().url);
  await desk.setUp(test.cloud().setupUrl!);
  let box = await Box.enter(test.cloud(), 'box-1', 'room-1', secret);
  await box.publish(batchBytes([roomEvent('s1', 1, spoken('e-1'))]), 'alert');
  // One that the schema refuses, a batch that is none, an end twice.
  const wrong = spoken('e-2', { level: 'shouted' as never, behaviour: FORM as never });
  await box.publish(batchBytes([roomEvent('s1', 2, wrong)]), 'alert');
  await box.publish(new TextEncoder().encode(`{"events": [${JSON.stringify(spoken('e-3'))}`), 'alert');
  const alerts = async () => (await desk.json<{ alerts: unknown[] }>('GET', '/api/alerts')).alerts.length;
  await eventually(alerts).toBe(1);

  // A draft with faults, one that is tried, a sound that is none, a request that nobody knows.
  const { pack } = await desk.json<PackView>('GET', `/api/rules/packs/default/${loadRulePack('default').version}`);
  const own = { phraseId: 'own', language: 'zh-CN', category: 'prohibited', forms: [FORM], citation: 'c' };
  const draft = { ...pack, name: 'own', phrases: [...pack.phrases, own] };
  const twice = { ...draft, phrases: [...draft.phrases, { ...own, phraseId: 'own-2' }] };
  const asked: [string, unknown, number][] = [
    ['/api/rules/sentence', { pack: draft, language: 'zh-CN', text: `晚上${FORM}` }, 200],
    ['/api/rules/sentence', { pack: twice, language: 'zh-CN', text: FORM }, 400],
    ['/api/rules/sentence', { pack: FORM, language: 'zh-CN', text: FORM }, 400],
    ['/api/rules/check', { pack: draft, phraseId: 'own' }, 200],
    ['/api/rules/packs', { pack: twice, note: '' }, 400],
    ['/api/rules/packs', { pack: draft, note: '' }, 201],
    ['/api/rules/listen', { pack: draft, soundId: FORM }, 404],
    ['/api/rules/nothing', { pack: own }, 404],
  ];
  for (const [path, body, status] of asked)
    expect([path, (await desk.send('POST', path, body)).status]).toEqual([path, status]);
  await desk.json('POST', '/api/rules/rerun', { pack: draft, base: { name: 'default', version: pack.version } });

  // A database in which something is missing: what it says of the words that it was given must not be said on.
  const sql = openSqlite(join(test.folder, 'cloud.db'));
  await sql.write((tx) => tx.all('alter table alerts rename to alerts_away'));
  await sql.write((tx) => tx.all('alter table rule_versions rename to rule_versions_away'));
  await box.publish(batchBytes([roomEvent('s3', 1, spoken('e-5'))]), 'alert');
  await eventually(() => lines.some((line) => line.includes('storing events failed'))).toBe(true);
  const later = { ...draft, version: '9.9.9' };
  expect((await desk.send('POST', '/api/rules/packs', { pack: later, note: FORM })).status).toBeGreaterThanOrEqual(500);
  await sql.write((tx) => tx.all('alter table alerts_away rename to alerts'));
  await sql.write((tx) => tx.all('alter table rule_versions_away rename to rule_versions'));
  await sql.close();

  box.leave();
  await test.restart();
  box = await Box.enter(test.cloud(), 'box-1', 'room-1', secret);
  await box.publish(batchBytes([roomEvent('s2', 1, spoken('e-4'))]), 'alert');
  const again = new Browser(test.cloud().url);
  again.cookie = desk.cookie;
  await eventually(
    async () => (await again.json<{ alerts: unknown[] }>('GET', '/api/alerts')).alerts.length,
  ).toBeGreaterThanOrEqual(2);
  box.leave();

  expect(lines.join('')).toContain('storing events failed');
  expect(lines.join('')).toContain('a request failed');
  expect(lines.filter((line) => WORDS.some((word) => line.includes(word)))).toEqual([]);
}, 60_000);
