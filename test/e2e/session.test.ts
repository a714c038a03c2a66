/** An evaluation from the page to the box and back in Chromium: a break and a permit keep the calm, and a viewer changes nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCloud, type TestCloud } from '../medium/cloud/cloud.ts';
import { browserMissing, DESKTOP, launchBrowser, openContext, PHONE } from './browser.ts';
import { type ScriptedBox, startScriptedBox } from './session-box.ts';
import { buildPage, PASSWORD } from './web-fixture.ts';

const missing = browserMissing();
const soon = { timeout: 15_000 };
let folder: string;
let cloud: TestCloud;
let box: ScriptedBox;
let browser: Browser;
let page: Page;
let faults: string[];

const left = () => box.episodes.filter(({ behaviour }) => behaviour === 'left_seat');
const phase = async (name: string) => {
  await page.click(`.phase-button[data-phase=${name}]`);
  await page.waitForSelector(`.phase-button[data-phase=${name}][aria-pressed=true]`);
  await expect.poll(() => box.session()?.phase, soon).toBe(name);
};
const choosePassword = async (where: Page) => {
  for (const field of await where.locator('input[type=password]').all()) await field.fill(PASSWORD);
  await where.click('button[type=submit]');
  await where.waitForSelector('.frame');
};

describe('an evaluation at the desk', () => {
  beforeAll(async () => {
    if (missing) return;
    folder = mkdtempSync(join(tmpdir(), 'evalroom-session-'));
    await buildPage(folder);
    cloud = await startTestCloud('sqlite', folder);
    box = await startScriptedBox(cloud.cloud(), 'room-1', '评标一室');
    browser = await launchBrowser();
    const { context, faults: seen } = await openContext(browser, DESKTOP);
    faults = seen;
    page = await context.newPage();
    await page.goto(cloud.cloud().setupUrl!);
    await page.fill('input[name=name]', '王监督');
    await choosePassword(page);
  });
  afterAll(async () => {
    await browser?.close();
    await box?.close();
    await cloud?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('begins at the page, and in a break nobody is alarmed for an empty seat', async (ctx) => {
    if (missing) return ctx.skip(missing);
    await box.sit(20);
    await page.click('a[href="#/sessions"]');
    await page.fill('input[name=title]', '市政道路养护采购');
    await page.click('[data-action=begin]');
    await page.waitForSelector('.phase-button[data-phase=evaluating][aria-pressed=true]');
    await expect.poll(() => box.session()?.phase, soon).toBe('evaluating');
    await page.waitForSelector('[data-taken=yes]');
    await phase('break');
    await page.waitForSelector('[data-quiet=phase]');
    await box.away(120);
    expect(left()).toEqual([]);
    await box.sit(20);
    await phase('evaluating');
    await page.waitForSelector('[data-quiet=phase]', { state: 'detached' });
    await box.away(45);
    expect(left()[0]).toMatchObject({ phase: 'begin', seatIds: ['3'], sessionId: expect.any(String) });
    await page.click('.session-alerts');
    await page.waitForSelector('[data-episode-id][data-behaviour=left_seat]');
    await box.sit(40);
    await page.goBack();
  });

  it('gives a permit by two clicks, shows it count down, and takes it back', async (ctx) => {
    if (missing) return ctx.skip(missing);
    const before = left().length;
    await page.click('[data-permit-for="3"]');
    await page.click('[data-give=absence-10]');
    await page.waitForSelector('[data-seat="3"] [data-permit=absence]');
    await expect.poll(() => box.session()?.permits, soon).toBe(1);
    expect(await page.locator('[data-quiet=permit]').textContent()).toMatch(/3号席.*9:\d\d|3号席.*10:00/);
    await box.away(100);
    expect(left()).toHaveLength(before);
    await page.click('[data-seat="3"] .permit-revoke');
    await page.waitForSelector('[data-permit]', { state: 'detached' });
    await expect.poll(() => box.session()?.permits, soon).toBe(0);
    await box.away(45);
    expect(left().length).toBeGreaterThan(before);
  });

  it('draws permits on the timeline by mouse, by keys and by finger, over the phases and what happened', async (ctx) => {
    if (missing) return ctx.skip(missing);
    const row = (seat: string) => page.locator(`[data-line-row="${seat}"] [role=slider]`);
    await page.waitForSelector('[data-phase-span=break]');
    // The absence of the test before, beneath the row of its seat.
    await page.waitForSelector('[data-line-row="3"] .line-episode-notice, [data-line-row="3"] .line-episode-alarm');
    expect(await page.locator('[data-line-row="1"] .line-episode-notice').count()).toBe(0);

    // Looked up each time: why nothing is raised is said above, and moves what is below.
    const move = async (share: number) => {
      const track = (await row('3').boundingBox())!;
      await page.mouse.move(track.x + share * track.width, track.y + track.height / 2);
    };
    // Of thirty minutes ten are past: two thirds of the way to the right are ten minutes from now.
    await move(0.4);
    await page.mouse.down();
    await page.mouse.up();
    expect(await page.locator('[data-draft]').count()).toBe(0);
    await page.mouse.down();
    await move(0.5);
    await move(2 / 3);
    await page.mouse.up();
    await page.waitForSelector('[data-draft="10"]');
    expect(box.session()?.permits).toBe(0);
    await page.click('[data-action=give-permit]');
    await page.waitForSelector('[data-seat="3"] [data-permit=absence]');
    await page.waitForSelector('[data-draft]', { state: 'detached' });
    await expect.poll(() => box.session()?.permits, soon).toBe(1);
    const before = left().length;
    await box.sit(30);
    await box.away(100);
    expect(left()).toHaveLength(before);

    // Dragged again: another end in its place, one permit as before.
    await move(0.5);
    await page.mouse.down();
    await move(0.8);
    await move(0.9);
    await page.mouse.up();
    await page.waitForSelector('[data-draft="17"]');
    await page.click('[data-action=give-permit]');
    await page.waitForSelector('[data-draft]', { state: 'detached' });
    await expect.poll(() => box.session()?.permits, soon).toBe(1);
    expect(await page.locator('[data-seat="3"] [data-permit=absence]').innerText()).toMatch(/1[67]:\d\d/);

    // Keys alone: the kind, the seat, the minutes, and given; then taken back the same way.
    await page.locator('[data-kind=escorted]').focus();
    await page.keyboard.press('Enter');
    await row('2').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await row('2').getAttribute('aria-valuetext')).toBe('6 分');
    await page.keyboard.press('Escape');
    expect(await page.locator('[data-draft]').count()).toBe(0);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-seat="2"] [data-permit=escorted]');
    await expect.poll(() => box.session()?.permits, soon).toBe(2);
    await page.waitForSelector('[data-draft]', { state: 'detached' });
    await row('2').focus();
    await page.keyboard.press('Home');
    await page.waitForSelector('[data-draft="0"]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-seat="2"] [data-permit]', { state: 'detached' });
    await page.click('[data-seat="3"] .permit-revoke');
    await expect.poll(() => box.session()?.permits, soon).toBe(0);

    // A finger on a telephone.
    const small = await browser.newContext({ ...PHONE, storageState: await page.context().storageState() });
    const phone = await small.newPage();
    await phone.goto(`${cloud.cloud().url}/#/sessions?room=room-1`);
    const room = phone.locator('[data-line-row="room"] [role=slider]');
    await room.scrollIntoViewIfNeeded();
    const track = (await room.boundingBox())!;
    expect(track.height).toBeGreaterThanOrEqual(44);
    const touch = await small.newCDPSession(phone);
    const finger = (type: 'touchStart' | 'touchMove' | 'touchEnd', share: number) =>
      touch.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [{ x: track.x + share * track.width, y: track.y + 20 }],
      });
    await finger('touchStart', 0.4);
    for (const share of [0.45, 0.5, 0.6, 2 / 3]) await finger('touchMove', share);
    await finger('touchEnd', 2 / 3);
    await phone.waitForSelector('[data-draft="10"]');
    expect(Number(await phone.evaluate('document.documentElement.scrollWidth'))).toBeLessThanOrEqual(390);
    await phone.locator('[data-action=give-permit]').click();
    await page.waitForSelector('[data-permit=staff]');
    await page.click('[data-permit=staff] .permit-revoke');
    await expect.poll(() => box.session()?.permits, soon).toBe(0);
    await small.close();
    expect(faults).toEqual([]);
  }, 60_000);

  it('lets a second person in by a link, who sees all and changes nothing, until disabled', async (ctx) => {
    if (missing) return ctx.skip(missing);
    await page.click('a[href="#/people"]');
    await page.fill('.people-add input[name=name]', '李监管');
    await page.selectOption('.people-add select[name=role]', 'viewer');
    await page.click('.people-add button[type=submit]');
    const link = (await page.locator('[data-link]').textContent())!.trim();
    const second = await openContext(browser, PHONE);
    const other = await second.context.newPage();
    await other.goto(link);
    await choosePassword(other);
    expect(other.url()).not.toContain('invite');
    await other.goto(`${cloud.cloud().url}/#/sessions?room=room-1`);
    await other.waitForSelector('.phase-button[data-phase=evaluating][aria-pressed=true]');
    expect(await other.locator('.phase-button:enabled, [data-permit-for]:enabled, [data-action=end]').count()).toBe(0);
    expect(Number(await other.evaluate('document.documentElement.scrollWidth'))).toBeLessThanOrEqual(390);
    await other.goto(`${cloud.cloud().url}/#/queue`);
    await other.locator('[data-episode-id]').first().tap();
    await other.waitForSelector('[data-action=confirm]:disabled');
    const refused = (await other.evaluate(
      "fetch('/api/alerts/x/actions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{\"kind\":\"confirm\"}' }).then((a) => a.status)",
    )) as number;
    expect(refused).toBe(403);
    const row = page.locator('[data-person="李监管"]');
    await page.waitForSelector('[data-person="李监管"]');
    await row.locator('[data-action=disable]').click();
    await row.locator('[data-action=disable-sure]').click();
    await page.waitForSelector('[data-person="李监管"][data-state=disabled]');
    await other.waitForSelector('input[name=password]');
    await second.context.close();
    await page.goto(`${cloud.cloud().url}/#/sessions?room=room-1`);
    await page.click('[data-action=end]');
    await page.click('[data-action=end-sure]');
    await page.waitForSelector('[data-action=begin]');
    await expect.poll(() => box.session()?.phase, soon).toBe('idle');

    // Not out before the cloud has heard it.
    const button = page.locator('.me button');
    await page.route('**/api/logout', (route) => route.abort());
    await button.click();
    await page.waitForSelector('.me-failed');
    expect(await page.locator('.frame').count()).toBe(1);
    faults.splice(0);
    await page.unroute('**/api/logout');
    await button.click();
    await page.waitForSelector('input[name=password]');
    expect(faults).toEqual([]);
  });
});
