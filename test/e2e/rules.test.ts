/** A rule pack from a supervisor's fingers to a running box: edited, checked, tried, saved and published in Chromium, taken by a real agent. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as agentClock } from '../../agent/clock.ts';
import { loadRoomConfig } from '../../agent/config.ts';
import { type Agent, startAgent } from '../../agent/main.ts';
import { systemClock } from '../../cloud/clock.ts';
import { parseCloudConfig } from '../../cloud/config.ts';
import { type Cloud, startCloud } from '../../cloud/main.ts';
import { loadRulePack } from '../../models/rules/load.ts';
import { browserMissing, launchBrowser, openContext } from './browser.ts';
import { buildPage } from './web-fixture.ts';

const missing = browserMissing();
const log = pino({ level: 'silent' });
const ROOM = 'room-1';

let folder: string;
let cloud: Cloud;
let agent: Agent;
let browser: Browser;
let page: Page;
let faults: string[];
const ending = new AbortController();

/** A box with ears and eyes that follow an empty script: what is tried here is what it is told, not what it sees. */
async function startBox(): Promise<Agent> {
  const box = path.join(folder, 'box');
  await mkdir(box, { recursive: true });
  const secret = await cloud.addDevice({ deviceId: 'box-1', roomId: ROOM });
  await writeFile(path.join(box, 'secret'), `${secret}\n`, { mode: 0o600 });
  await writeFile(path.join(box, 'rules.pem'), cloud.rulesKey);
  await writeFile(path.join(box, 'script.json'), JSON.stringify({ eyes: { steps: [] }, ears: [] }));
  await writeFile(
    path.join(box, 'room.yaml'),
    `room: { id: ${ROOM}, name: 评标一室, centre: 省中心, timeZone: Asia/Shanghai }
cloud: { mqtt: '${cloud.mqttUrl}', upload: '${cloud.url}' }
identity: { deviceId: box-1, secretFile: ./secret }
data: ./data
script: ./script.json
rulePack: default
cameras: [{ id: cam-a, main: 'rtsp://127.0.0.1:9/', audio: true }]
seats: []
`,
  );
  return startAgent(loadRoomConfig(path.join(box, 'room.yaml')), { clock: agentClock(), log, signal: ending.signal });
}

describe('the rule page', () => {
  beforeAll(async () => {
    if (missing) return;
    folder = await mkdtemp(path.join(tmpdir(), 'evalroom-rules-'));
    const built = path.join(folder, 'page');
    await buildPage(built);
    const config = parseCloudConfig(`{ data: ${path.join(folder, 'cloud')}, http: { port: 0 } }`, folder);
    cloud = await startCloud(config, { log, clock: systemClock(), page: built });
    [agent, browser] = await Promise.all([startBox(), launchBrowser()]);
    const opened = await openContext(browser);
    faults = opened.faults;
    page = await opened.context.newPage();
  });
  afterAll(async () => {
    ending.abort();
    await browser?.close();
    await agent?.close();
    await cloud?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('takes a changed phrase from the draft to the room, and says what the room runs', async (ctx) => {
    if (missing) ctx.skip(missing);
    await page.goto(cloud.setupUrl!);
    await page.fill('input[name=name]', '王监督');
    for (const field of await page.locator('input[type=password]').all()) await field.fill('a password of the test');
    await page.click('button[type=submit]');
    await page.waitForSelector('.frame');
    await page.goto(`${cloud.url}/#/rules?pack=default@${loadRulePack('default').version}`);

    // Edited: what is wrong stands beside the field, and goes when it is corrected.
    await page.click('[data-phrase="zh-pro-01"]');
    const forms = page.locator('textarea[name=forms]');
    await forms.fill('把空调开小一点\n标');
    await page.locator('.rules-problem', { hasText: '太短' }).waitFor();
    await page.locator('.rules-finding', { hasText: '日常用语' }).first().waitFor();
    await forms.fill('老地方拿信封');
    await page.locator('.rules-clean').waitFor();
    expect(await page.locator('[data-draft]').getAttribute('data-draft')).toBe('1');

    // A threshold, in minutes and seconds, with the sentence of what will happen.
    await page.click('.rules-tab:has-text("行为与时间")');
    const rule = page.locator('[data-rule=left_seat]');
    await rule.locator('input[name="noticeMs-min"]').fill('1');
    await rule.locator('.rules-sentence', { hasText: '满 1 分 30 秒：提示' }).waitFor();

    // Words of what is bought, with what of them counts.
    const topics = page.locator('[data-rule=off_subject] [data-topics]');
    await topics.locator('textarea').fill('电梯、医院，机');
    await topics.locator('small', { hasText: '现有 3 个' }).waitFor();
    await topics.locator('.rules-problem', { hasText: '机' }).waitFor();

    // Tried before it counts; what is written survives a reload.
    await page.reload();
    await page.click('.rules-tab:has-text("试一试")');
    await page.fill('input[name=sentence]', '晚上老地方拿信封吧');
    await page.click('.rules-ask .primary');
    await page.locator('[data-hit="zh-pro-01"] mark', { hasText: '老地方拿信封' }).waitFor();
    await page.locator('.rules-missing', { hasText: 'evalroom models fetch zh' }).waitFor();

    // Saved under a name of its own, and published into the room.
    await page.click('.rules-head .primary');
    await page.fill('.rules-dialog input[name=name]', 'zhejiang');
    await page.fill('.rules-dialog textarea[name=note]', '试一条');
    await page.click('.rules-dialog .primary');
    await page.waitForSelector('.rules-pack[data-pack="zhejiang 1.0.0"][aria-current]');
    const row = page.locator(`tr[data-room=${ROOM}]`);
    await row.waitFor();
    await row.locator('[type=checkbox]').check();
    await page.click('.rules-publish .primary');
    await page.locator('.rules-publish .primary', { hasText: '确定发布' }).click();

    // The running agent says so by its own state.
    await page.waitForSelector(`tr[data-room=${ROOM}][data-runs="zhejiang 1.0.0"]`, { timeout: 60_000 });
    await row.locator('.working-running', { hasText: '已生效' }).waitFor();
    expect(faults).toEqual([]);
  });
});
