/** The page where the cloud refuses or is away: each part says in a sentence what it could not get, and asks again; nothing of anybody's is lost. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AlertView, ErrorView, LayoutView } from '../../cloud/http/api.ts';
import type { EvaluationDetailView, EvaluationView } from '../../cloud/http/sessions-api.ts';
import type { LayoutOrder } from '../../protocol/orders.ts';
import { browserMissing, launchBrowser, openContext } from './browser.ts';
import { buildPage, type Fixture, PASSWORD, startFixture } from './web-fixture.ts';
import { layoutOf, plainZone, stateOf } from './web-world.ts';

const missing = browserMissing();
const WAIT = { timeout: 20_000 };
let browser: Browser;
let page: Page;
let fixture: Fixture;
let folder: string;

const said: ErrorView = {
  code: 'not_now',
  message: { zh: '服务暂时不可用，请稍后再试。', en: 'Not now; try again.' },
};
const refuse = (route: Route, status = 503, body = said) => route.fulfill({ status, json: body });
const HOUR = 3_600_000;

async function logIn(hash: string): Promise<void> {
  await page.goto(`${fixture.url}/${hash}`);
  await page.fill('input[name=name]', '王监督');
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.waitForSelector('.frame');
}

describe('the page without an answer', () => {
  beforeAll(async () => {
    if (missing) return;
    folder = await mkdtemp(path.join(tmpdir(), 'evalroom-refusals-'));
    await buildPage(folder);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    if (folder && existsSync(folder)) await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async (ctx) => {
    if (missing) return ctx.skip(missing);
    fixture = await startFixture({ page: folder, user: true });
    page = await (await openContext(browser)).context.newPage();
    fixture.heard(stateOf(layoutOf(1, plainZone)));
  });
  afterEach(async () => {
    if (missing) return;
    await page.context().close();
    await fixture.close();
  });

  it('shows the evaluation that an alert belongs to and not the one that is on; its alerts come page by page', async () => {
    const now = Date.now();
    const evaluation = (sessionId: string, over: Partial<EvaluationView>): EvaluationView => ({
      sessionId,
      roomId: 'room-101',
      title: '新的采购',
      project: '',
      roster: [],
      bidders: [],
      startWallMs: now,
      begunWallMs: now,
      begunBy: '王监督',
      phase: 'break',
      phaseSinceWallMs: now,
      permits: [],
      revision: 9,
      ...over,
    });
    const old = evaluation('s-old', {
      title: '上周的采购',
      begunWallMs: now - 4 * HOUR,
      endedWallMs: now - HOUR,
      phase: 'idle',
    });
    const detail: EvaluationDetailView = {
      evaluation: old,
      steps: [
        { n: 1, wallMs: now - 4 * HOUR, actor: '王监督', what: 'begin', phase: 'evaluating' },
        { n: 2, wallMs: now - HOUR, actor: '王监督', what: 'end', phase: 'idle' },
      ],
    };
    const alerts: AlertView[] = Array.from({ length: 250 }, (_, n) => ({
      episodeId: `e-${n}`,
      roomId: 'room-101',
      sessionId: 's-old',
      behaviour: 'left_seat',
      level: 'notice',
      seatIds: ['3'],
      beganWallMs: now - 2 * HOUR - n * 1000,
      lastWallMs: now - 2 * HOUR,
      firstStoredWallMs: now - 2 * HOUR - n * 1000,
      lastStoredWallMs: now - 2 * HOUR - n * 1000,
      durationMs: 30_000,
      phase: 'end',
      state: 'closed',
      escalated: false,
      sentence: { zh: '3号席离席 30秒', en: 'Seat 3 away 30 s' },
      clips: [],
    }));
    let broken = true;
    let held = false;
    let release: () => void = () => {};
    const pages: (string | null)[] = [];
    await page.route('**/api/sessions?**', (route) =>
      route.fulfill({ json: { open: [evaluation('s-new', {})], past: [old] } }),
    );
    await page.route('**/api/sessions/s-old', (route) => (broken ? refuse(route) : route.fulfill({ json: detail })));
    await page.route('**/api/sessions/s-old/alerts?**', async (route) => {
      const query = new URL(route.request().url()).searchParams;
      pages.push(query.get('beforeId'));
      if (broken) return refuse(route);
      if (held) await new Promise<void>((resolve) => (release = resolve));
      // One more went on meanwhile: it is before what was read, and no page behind has it.
      const total = query.get('beforeId') === null ? 250 : 251;
      const from = alerts.findIndex(({ episodeId }) => episodeId === query.get('beforeId')) + 1;
      return route.fulfill({ json: { alerts: alerts.slice(from, from + Number(query.get('limit'))), total } });
    });
    await page.route('**/api/alerts/e-0', (route) =>
      route.fulfill({ json: { alert: alerts[0], events: [], actions: [], clips: [], views: [] } }),
    );
    await logIn('#/queue?room=room-101&session=s-old');
    await page.locator('.queue-list .refused-line', { hasText: '服务暂时不可用' }).waitFor(WAIT);
    broken = false;
    await page.locator('.queue-list .refused-line button').click();
    await page.waitForSelector('.list-foot[data-loaded="200"][data-total="250"]', WAIT);
    const earlier = page.locator('.list-foot button');
    await earlier.focus();
    held = true;
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.list-foot button[aria-disabled="true"]', WAIT);
    await expect.poll(() => pages.length, WAIT).toBe(3);
    expect(await page.locator('.list-foot button:focus').count()).toBe(1);
    release();
    await page.waitForSelector('.list-foot[data-loaded="250"]:not(:has(button))', WAIT);
    expect(pages).toEqual([null, null, 'e-199']);
    expect(await page.locator('[data-episode-id]').count()).toBe(250);

    broken = true;
    await page.locator('[data-episode-id="e-0"]').click();
    await page.locator('.event-side .refused-line').waitFor(WAIT);
    broken = false;
    await page.locator('.event-side .refused-line button').click();
    const belongs = page.locator('[data-belongs="s-old"]');
    await belongs.waitFor(WAIT);
    expect(await belongs.textContent()).toMatch(/上周的采购.*评审.*2:00:00/);
    // The break of today says nothing about an alert of last week.
    expect(await page.locator('.event [data-evaluation], .event [data-quiet]').count()).toBe(0);
    await belongs.locator('a').click();
    await page.waitForSelector('[data-past="s-old"] .steps li', WAIT);
  }, 60_000);

  it('says what the log, an evaluation, the boxes and earlier alerts could not bring', async () => {
    await page.route('**/api/refused', (route) => refuse(route));
    await page.route('**/api/devices', (route) => refuse(route));
    await page.route('**/api/sessions?**', (route) => refuse(route));
    await page.route('**/api/alerts?**', (route) => refuse(route));
    await logIn('#/log');
    await page.locator('.log-refused .refused-line').waitFor(WAIT);
    await page.click('a[href="#/devices"]');
    await page.locator('.boxes .refused-line').waitFor(WAIT);
    await page.click('a[href="#/sessions"]');
    await page.locator('.session .refused-line', { hasText: '已结束的评标未能载入' }).waitFor(WAIT);
    const episodeId = fixture.world.begin({
      roomId: 'room-101',
      behaviour: 'left_seat',
      level: 'alarm',
      seatIds: ['3'],
      agoMs: 0,
      sentence: { zh: '3号席离席', en: 'Seat 3 away' },
    });
    await page.goto(`${fixture.url}/#/queue/${episodeId}`);
    await page.locator('.event-below .refused-line').waitFor(WAIT);
  }, 60_000);

  it('reads earlier evaluations once however often one asks, and after a failed look at the newest asks for those', async () => {
    const now = Date.now();
    const past: EvaluationView[] = Array.from({ length: 30 }, (_, n) => ({
      ...{
        sessionId: `s-${n}`,
        roomId: 'room-101',
        title: `采购 ${n}`,
        project: '',
        roster: [],
        bidders: [],
        permits: [],
      },
      ...{ startWallMs: now, begunWallMs: now - n * HOUR, endedWallMs: now - n * HOUR + 1, begunBy: '王监督' },
      ...{ phase: 'idle' as const, phaseSinceWallMs: now, revision: 1 },
    }));
    const asked: (string | null)[] = [];
    let broken = false;
    let answer: () => void = () => {};
    const on: EvaluationView = { ...past[0]!, sessionId: 's-on', title: '正在进行的采购', phase: 'evaluating' };
    await page.route('**/api/overview', async (route) => {
      const response = await route.fetch();
      return route.fulfill({ response, json: { ...((await response.json()) as object), sessions: [on] } });
    });
    await page.route('**/api/sessions/s-on**', (route) => route.fulfill({ json: { evaluation: on, steps: [] } }));
    await page.route('**/api/sessions/s-on/alerts?**', (route) => route.fulfill({ json: { alerts: [], total: 0 } }));
    await page.route('**/api/sessions/s-on/end', (route) => {
      const ended = { ...on, phase: 'idle' as const, endedWallMs: now, revision: 2 };
      past.unshift({ ...ended, endedWallMs: now });
      return route.fulfill({ json: ended });
    });
    await page.route('**/api/sessions?**', async (route) => {
      const query = new URL(route.request().url()).searchParams;
      const before = query.get('before');
      if (query.get('room') === null) return route.fulfill({ json: { open: [on], past: [] } });
      asked.push(before);
      if (broken) return refuse(route);
      // Asked for a second time before the first answer is here.
      if (before !== null) await new Promise<void>((resolve) => (answer = resolve));
      const from = before === null ? 0 : past.findIndex(({ begunWallMs }) => begunWallMs < Number(before));
      return route.fulfill({ json: { open: [], past: past.slice(from, from + 20) } });
    });
    await logIn('#/sessions?room=room-101');
    const rows = page.locator('.past > li');
    await expect.poll(() => rows.count(), WAIT).toBe(20);
    const more = page.locator('.session article > .button');
    await more.focus();
    await more.dblclick();
    await expect.poll(() => asked.length, WAIT).toBe(2);
    expect(await more.getAttribute('aria-disabled')).toBe('true');
    answer();
    await expect.poll(() => rows.count(), WAIT).toBe(30);
    expect(asked).toEqual([null, String(past[19]!.begunWallMs)]);

    // The one that is on ends, which is when the list is read anew; that fails, and is what is asked again.
    broken = true;
    await page.click('[data-action="end"]');
    await page.click('[data-action="end-sure"]');
    await page.locator('.session .refused-line', { hasText: '已结束的评标未能载入' }).waitFor(WAIT);
    broken = false;
    await page.locator('.session .refused-line button').click();
    await page.waitForSelector('.past [data-session-id="s-on"]', WAIT);
    expect(asked.slice(2)).toEqual([null, null]);
    expect(await rows.count()).toBe(20);
  }, 60_000);

  it('saves a layout once, and replaces that of somebody else only when told to', async () => {
    const drawn = layoutOf(1, plainZone);
    const layout = { seats: drawn.seats, zones: [], doorLines: [], floor: [] };
    let now: LayoutView = { revision: 1, tag: 'first', layout };
    const sent: { was: string; seats: number }[] = [];
    let away = true;
    let cut = false;
    await page.route('**/api/rooms/*/layout', async (route) => {
      if (away) return refuse(route);
      if (route.request().method() === 'GET') return route.fulfill({ json: now });
      const body = route.request().postDataJSON() as { layout: LayoutOrder; was: string };
      sent.push({ was: body.was, seats: body.layout.seats.length });
      // Long enough for a second Ctrl+S.
      await new Promise((resolve) => setTimeout(resolve, 300));
      if (body.was !== now.tag)
        return refuse(route, 409, { code: 'layout_changed', message: { zh: '布局刚被他人更改。', en: 'Changed.' } });
      now = { revision: now.revision + 1, tag: `tag-${sent.length}`, layout: body.layout };
      if (cut) return route.abort();
      return route.fulfill({ json: now });
    });
    fixture.snapshot('room-101');
    await logIn('#/setup?room=room-101');
    await page.locator('.blank-ours', { hasText: '服务暂时不可用' }).waitFor(WAIT);
    away = false;
    await page.locator('.blank-ours button').click();
    await page.waitForSelector('.board-picture', WAIT);
    await page.locator('[data-thing="seat-0"]').click();
    const name = page.locator('input[name=seat-name]');
    await name.fill('甲');
    await page.keyboard.press('Control+s');
    await page.keyboard.press('Control+s');
    await page.waitForSelector('[data-save="saved"]', WAIT);
    expect(sent).toEqual([{ was: 'first', seats: 5 }]);

    // Somebody else takes a seat away meanwhile.
    now = { revision: 7, tag: 'theirs', layout: { ...layout, seats: layout.seats.slice(1) } };
    await name.fill('乙');
    await page.keyboard.press('Control+s');
    await page.waitForSelector('[data-overtaken]', WAIT);
    expect(now.layout!.seats).toHaveLength(4);
    await page.click('[data-action=theirs]');
    await expect.poll(() => page.locator('.things [data-thing^="seat-"]').count(), WAIT).toBe(4);
    await page.click('[data-tool=redo]');
    await expect.poll(() => page.locator('.things [data-thing^="seat-"]').count(), WAIT).toBe(5);
    // Who has seen the other one may replace it.
    await page.keyboard.press('Control+s');
    await expect.poll(() => now.layout!.seats.map((seat) => seat.name)[0], WAIT).toBe('乙');
    expect(sent.at(-1)).toEqual({ was: 'theirs', seats: 5 });

    now = { revision: 9, tag: 'again', layout };
    await page.locator('[data-thing="seat-0"]').click();
    await name.fill('丙');
    await page.keyboard.press('Control+s');
    await page.click('[data-action=mine]');
    await expect.poll(() => now.layout!.seats[0]!.name, WAIT).toBe('丙');
    await page.waitForSelector('[data-overtaken]', { ...WAIT, state: 'detached' });

    // The line breaks after the cloud has stored it: what counts is the own one, and nobody else's.
    cut = true;
    await name.fill('丁');
    await page.keyboard.press('Control+s');
    await page.waitForSelector('.save-failed', WAIT);
    expect(now.layout!.seats[0]!.name).toBe('丁');
    cut = false;
    await page.keyboard.press('Control+s');
    await page.waitForSelector('[data-save="saved"]', WAIT);
    // Also where one has drawn on before saving again.
    cut = true;
    await name.fill('戊');
    await page.keyboard.press('Control+s');
    await page.waitForSelector('.save-failed', WAIT);
    cut = false;
    await name.fill('己');
    await page.keyboard.press('Control+s');
    await page.waitForSelector('[data-save="saved"]', WAIT);
    expect(now.layout!.seats[0]!.name).toBe('己');
    expect(await page.locator('[data-overtaken]').count()).toBe(0);

    // What is put aside for theirs outlives a reload.
    now = { revision: 20, tag: 'other', layout: { ...layout, seats: layout.seats.slice(1) } };
    await name.fill('庚');
    await page.keyboard.press('Control+s');
    await page.click('[data-action=theirs]');
    await expect.poll(() => page.locator('.things [data-thing^="seat-"]').count(), WAIT).toBe(4);
    await page.reload();
    await expect.poll(() => page.locator('.things [data-thing^="seat-"]').count(), WAIT).toBe(5);
    expect(await page.locator('[data-save="unsaved"]').count()).toBe(1);
  }, 60_000);

  it('confirms the picture of a camera on top of what somebody else has drawn meanwhile', async () => {
    const drawn = layoutOf(1, plainZone);
    const layout = { seats: drawn.seats, zones: [], doorLines: [], floor: [] };
    let now: LayoutView = { revision: 1, tag: 'first', layout };
    await page.route('**/api/rooms/*/layout', async (route) => {
      if (route.request().method() === 'GET') return route.fulfill({ json: now });
      const body = route.request().postDataJSON() as { layout: LayoutOrder; was: string };
      if (body.was !== now.tag)
        return refuse(route, 409, { code: 'layout_changed', message: { zh: '布局刚被他人更改。', en: 'Changed.' } });
      now = { revision: now.revision + 1, tag: `after-${now.tag}`, layout: body.layout };
      return route.fulfill({ json: now });
    });
    const state = stateOf(drawn);
    const cameras = state.health.cameras.map((one) => ({ ...one, fault: 'moved' }));
    fixture.heard({ ...state, health: { ...state.health, cameras } });
    fixture.snapshot('room-101');
    await logIn('#/setup?room=room-101');
    await page.waitForSelector('.board-picture', WAIT);
    const seats = () => page.locator('.things [data-thing^="seat-"]').count();
    await expect.poll(seats, WAIT).toBe(5);
    now = { revision: 7, tag: 'theirs', layout: { ...layout, seats: layout.seats.slice(1) } };
    await page.locator('[data-moved] button').first().click();
    await expect.poll(() => now.layout?.references?.length, WAIT).toBe(1);
    expect(now.layout!.seats).toHaveLength(4);
    await expect.poll(seats, WAIT).toBe(4);
    expect(await page.locator('[data-overtaken]').count()).toBe(0);
  }, 60_000);
});
