/** The page in a real Chromium against the scripted cloud: set-up to verdict, a broken line, the keyboard, a phone. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { browserMissing, DESKTOP, launchBrowser, openContext, PHONE } from './browser.ts';
import { buildPage, type Fixture, PASSWORD, startFixture } from './web-fixture.ts';
import { type Happening, layoutOf, stateOf } from './web-world.ts';

const missing = browserMissing();
let browser: Browser;
let page: Page;
let faults: string[];
let fixture: Fixture;
let folder: string;

const AWAY: Happening = {
  roomId: 'room-101',
  behaviour: 'left_seat',
  level: 'alarm',
  seatIds: ['3'],
  agoMs: 0,
  sentence: { zh: '3号席离席 30秒（阈值 30秒）', en: 'Seat 3 away 30 s (threshold 30 s)' },
};
const FAR: Happening = {
  ...AWAY,
  behaviour: 'too_far',
  level: 'notice',
  seatIds: ['5'],
  sentence: { zh: '5号席距席位 2.1米', en: 'Seat 5 is 2.1 m away' },
};

const row = (episodeId: string) => page.locator(`[data-episode-id="${episodeId}"]`);
const rows = () => page.locator('[data-episode-id]');
const line = () => page.locator('[data-connection]').getAttribute('data-connection');

function withClip(happening: Happening = AWAY): string {
  const { world, media } = fixture;
  const episodeId = world.begin(happening);
  const clipId = world.announce(episodeId, 'begin', media.mp4, {
    beginWallMs: Date.now() - 20_000,
    durationMs: media.durationMs,
    files: media.files,
  });
  world.arrive(clipId);
  return episodeId;
}

async function logIn(hash = '#/queue'): Promise<void> {
  await page.goto(`${fixture.url}/${hash}`);
  await page.fill('input[name=name]', '王监督');
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.waitForSelector('.frame');
}

/** Waits for an expression of the page; not by waitForFunction, which the page's own security policy forbids. */
async function holds(expression: string): Promise<void> {
  await expect.poll(() => page.evaluate(expression), { timeout: 30_000 }).toBe(true);
}

async function playing(): Promise<void> {
  await holds(
    "(document.querySelector('video')?.currentTime ?? 0) > 0.2 && document.querySelector('video').videoWidth > 0",
  );
}

describe('the page', () => {
  beforeAll(async () => {
    if (missing) return;
    folder = await mkdtemp(path.join(tmpdir(), 'evalroom-page-'));
    await buildPage(folder);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    if (folder && existsSync(folder)) await rm(folder, { recursive: true, force: true });
  });

  const opened = (options: { user?: boolean; phone?: boolean } = {}) => {
    beforeEach(async (ctx) => {
      if (missing) return ctx.skip(missing);
      fixture = await startFixture({ page: folder, user: options.user ?? true });
      const made = await openContext(browser, options.phone ? PHONE : DESKTOP);
      page = await made.context.newPage();
      faults = made.faults;
      fixture.heard(stateOf(layoutOf(1, fixture.media.zoneOf), { away: ['3'] }));
    });
    afterEach(async () => {
      if (missing) return;
      await page.context().close();
      await fixture.close();
    });
  };

  describe('from the one-time link to the verdict', () => {
    opened({ user: false });

    it('sets up, sees an alert come in live, plays its clip and judges it', async () => {
      await page.goto(`${fixture.url}/#token=${fixture.token}`);
      await page.fill('input[name=name]', '李监督');
      await page.fill('input[name=password]', 'short');
      await page.fill('input[name=again]', 'short');
      await page.click('button[type=submit]');
      expect(await page.getByRole('alert').textContent()).toContain('8');
      await page.fill('input[name=password]', PASSWORD);
      await page.fill('input[name=again]', PASSWORD);
      await page.click('button[type=submit]');
      await page.waitForSelector('[data-seat-id="3"][data-state="away"]');
      expect(page.url()).not.toContain('token');

      await page.click('a[href="#/queue"]');
      await page.getByText('没有需要处置的告警').waitFor();
      const before = Date.now();
      const episodeId = fixture.world.begin(AWAY);
      await row(episodeId).waitFor();
      expect(await row(episodeId).getAttribute('data-level')).toBe('alarm');
      expect(await row(episodeId).getAttribute('data-behaviour')).toBe('left_seat');
      expect(await row(episodeId).getAttribute('data-event-id')).toBe(fixture.world.events(episodeId)[0]?.eventId);
      const shownAt = Number(await row(episodeId).getAttribute('data-t'));
      expect(shownAt).toBeGreaterThan(before - 1_000);

      await row(episodeId).click();
      await page.getByText('录像片段尚未生成').waitFor();
      const clipId = fixture.world.announce(episodeId, 'begin', fixture.media.mp4, {
        beginWallMs: Date.now() - 20_000,
        durationMs: fixture.media.durationMs,
        files: fixture.media.files,
      });
      await page.getByText('录像片段正在上传').waitFor();
      expect(fixture.grants).toEqual([]);
      fixture.world.arrive(clipId);
      await playing();
      expect(fixture.grants).toEqual([clipId]);
      // Something is drawn over the picture.
      await holds(
        "(() => { const c = document.querySelector('canvas'); return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0); })()",
      );
      await page.locator('[data-action=confirm]').click();
      await page.waitForSelector(`[data-episode-id="${episodeId}"][data-state="closed"]`);
      expect(fixture.world.actions(episodeId).map((action) => action.kind)).toEqual(['confirm']);
      await page.getByText('李监督 判定属实').waitFor();

      await page.click('a[href="#/log"]');
      await page.getByText('查看录像').waitFor();
      expect(faults.filter((fault) => !fault.includes('401'))).toEqual([]);
    });
  });

  describe('the line', () => {
    opened();

    it('comes back from where it was: nothing missed, nothing twice, and the room is not blamed', async () => {
      const first = fixture.world.begin(AWAY);
      await logIn();
      await row(first).waitFor();
      fixture.cut(true);
      await page.waitForSelector('[data-connection=offline]');
      await page.getByText('恢复后自动补收').first().waitFor();
      const missed = [fixture.world.begin(FAR), fixture.world.begin({ ...AWAY, seatIds: ['1'] })];
      expect(await rows().count()).toBe(1);
      fixture.repeat(3);
      fixture.cut(false);
      for (const episodeId of missed) await row(episodeId).waitFor({ timeout: 20_000 });
      expect(await rows().count()).toBe(3);
      const shown = (await rows().all()).map((one) => one.getAttribute('data-episode-id'));
      expect(new Set(await Promise.all(shown)).size).toBe(3);
      await page.waitForSelector('[data-connection=live]');
      // A reload shows the same three.
      await page.reload();
      await row(first).waitFor();
      expect(await rows().count()).toBe(3);
    });

    it('asks for a login when the session is over, and comes back to the same place', async () => {
      const episodeId = withClip();
      await logIn(`#/queue/${episodeId}`);
      await page.waitForSelector(`[data-open-episode="${episodeId}"]`);
      fixture.expire();
      fixture.cut();
      await page.getByText('登录已过期').waitFor({ timeout: 20_000 });
      await page.fill('input[name=name]', '王监督');
      await page.fill('input[name=password]', 'wrong password');
      await page.click('button[type=submit]');
      await page.getByText('姓名或密码不正确').waitFor();
      await page.fill('input[name=password]', PASSWORD);
      await page.click('button[type=submit]');
      await page.waitForSelector(`[data-open-episode="${episodeId}"]`);
      expect(page.url()).toContain(episodeId);
    });
  });

  describe('the desk', () => {
    opened();

    it('is worked from the keyboard alone', async () => {
      const [far, away] = [withClip(FAR), withClip()];
      await logIn();
      await row(away).waitFor();
      await page.keyboard.press('j');
      await page.waitForSelector(`[data-open-episode="${away}"]`);
      await playing();
      await page.keyboard.press('Space');
      await holds("document.querySelector('video').paused");
      const stood = Number(await page.evaluate("document.querySelector('video').currentTime"));
      await page.keyboard.press('ArrowRight');
      await holds(`document.querySelector('video').currentTime > ${stood}`);
      const next = Number(await page.evaluate("document.querySelector('video').currentTime"));
      expect(next - stood).toBeLessThan(0.3);
      await page.keyboard.press('Shift+ArrowLeft');
      await holds(`document.querySelector('video').currentTime < ${next - 0.8}`);
      await page.keyboard.press('a');
      await page.waitForSelector(`[data-episode-id="${away}"][data-state=acknowledged]`);
      await page.keyboard.press('k');
      await page.waitForSelector(`[data-open-episode="${far}"]`);
      // In the list itself, the arrows walk as j and k do.
      await page.locator('.list-rows').focus();
      await page.keyboard.press('ArrowDown');
      await page.waitForSelector(`[data-open-episode="${away}"]`);
      await page.keyboard.press('ArrowUp');
      await page.waitForSelector(`[data-open-episode="${far}"]`);
      await page.keyboard.press('2');
      await page.waitForSelector(`[data-episode-id="${far}"][data-state=closed]`);
      // The feed may tell of the verdict before its answer has come: until then no further step is taken.
      await page.waitForSelector('[data-action=escalate]:not([disabled])');
      await page.keyboard.press('e');
      await expect.poll(() => fixture.world.actions(far).map((action) => action.kind)).toEqual(['false', 'escalate']);
      await page.keyboard.press('?');
      await page.waitForSelector('dialog[open]');
      await page.keyboard.press('Escape');
      await page.waitForSelector('dialog[open]', { state: 'detached' });
      await page.keyboard.press('/');
      await page.keyboard.type('离席');
      await expect.poll(() => rows().count()).toBe(1);
      // Keys typed into a field are text, never a verdict.
      await page.keyboard.type('1');
      expect(fixture.world.actions(away).map((action) => action.kind)).toEqual(['acknowledge']);
      await page.keyboard.press('Escape');
      await expect.poll(() => rows().count()).toBe(2);
    });

    it('keeps the row that is read where it is when new ones come in, and counts them', async () => {
      const old = Array.from({ length: 40 }, () => fixture.world.begin({ ...FAR, agoMs: 60_000 }));
      await logIn();
      const read = old[20]!;
      await row(read).click();
      const before = await row(read).boundingBox();
      for (let i = 0; i < 3; i++) fixture.world.begin(AWAY);
      await page.getByText('3 条新告警').waitFor();
      const after = await row(read).boundingBox();
      expect(Math.abs((after?.y ?? 0) - (before?.y ?? 99))).toBeLessThan(2);
      await page.getByText('3 条新告警').click();
      await page.getByText('3 条新告警').waitFor({ state: 'detached' });
      expect(await rows().first().getAttribute('data-level')).toBe('alarm');
    });

    it('says what is safe when a clip cannot be played, and names the address of what is on screen', async () => {
      const broken = path.join(folder, 'broken.mp4');
      await writeFile(broken, 'this is no film');
      const episodeId = fixture.world.begin(AWAY);
      const clip = { beginWallMs: Date.now(), durationMs: 9_000, files: fixture.media.files };
      fixture.world.arrive(fixture.world.announce(episodeId, 'begin', broken, clip));
      await logIn(`#/queue/${episodeId}`);
      await page.getByText('录像无法播放').waitFor();
      await page.getByText('下载原始文件').waitFor();
      await page.goto(`${fixture.url}/#/queue/no-such-episode`);
      await page.getByText('没有找到这条告警').first().waitFor();
      await page.click('a[href="#/devices"]');
      await page.getByText('待发队列').waitFor();
      await page.goBack();
      await page.getByText('没有找到这条告警').first().waitFor();
      await page.click('text=English');
      await page.getByRole('link', { name: 'Devices' }).waitFor();
      await holds("document.documentElement.lang === 'en'");
    });
  });

  describe('on a phone', () => {
    opened({ phone: true });

    it('shows cards, acknowledges by a swipe and has the verdict at the thumb', async () => {
      const [far, away] = [withClip(FAR), withClip()];
      await logIn();
      await row(far).waitFor();
      const box = await row(far).boundingBox();
      if (!box) throw new TypeError('the card has no box');
      const touch = await page.context().newCDPSession(page);
      const y = box.y + box.height / 2;
      await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: 60, y }] });
      for (let x = 80; x <= 260; x += 20)
        await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x, y }] });
      await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
      await page.waitForSelector(`[data-episode-id="${far}"][data-state=acknowledged]`);
      expect(page.url()).not.toContain(far);

      // A tap while the fling of a swipe goes on only stops it, as on a real phone: the next one opens.
      const isOpen = () => page.url().includes(away);
      await expect
        .poll(
          async () => {
            if (!isOpen())
              await row(away)
                .tap({ timeout: 3000 })
                .catch(() => undefined);
            return isOpen();
          },
          { timeout: 20_000, interval: 300 },
        )
        .toBe(true);
      await playing();
      const verdict = await page.locator('[data-action=confirm]').boundingBox();
      expect(verdict?.height).toBeGreaterThanOrEqual(44);
      expect(verdict?.y).toBeGreaterThan(844 * 0.7);
      expect(Number(await page.evaluate('document.documentElement.scrollWidth'))).toBeLessThanOrEqual(390);
      await page.locator('[data-action=confirm]').tap();
      await expect.poll(() => fixture.world.alert(away)?.verdict).toBe('confirmed');
      await page.goBack();
      await row(away).waitFor();
      expect(await line()).toBe('live');
    });
  });
});
