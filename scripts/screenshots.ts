/** Takes the pictures of docs/screenshots from a running demo room: `node scripts/screenshots.ts` (two minutes, needs Chromium). */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { loadRulePack } from '../models/rules/load.ts';
import { launchBrowser } from './browser.ts';
import { startStand } from './stand.ts';

const OUT = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
const MODELS = fileURLToPath(new URL('../.data/models', import.meta.url));
const { version } = loadRulePack('default');
const AWAY = '[data-behaviour="left_seat"]';

async function logIn(page: Page, setupUrl: string): Promise<void> {
  await page.goto(setupUrl);
  await page.fill('input[name=name]', '王监督');
  for (const field of await page.locator('input[type=password]').all()) await field.fill('only-for-pictures');
  await page.click('button[type=submit]');
  await page.waitForSelector('.frame');
}

async function openClip(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/#/queue`);
  await page.locator(AWAY).first().click();
  // The walk to the door lies some twelve seconds into the clip of the begin.
  for (
    let i = 0;
    i < 100 && (await page.evaluate<number>("document.querySelector('video')?.currentTime ?? 0")) < 11;
    i += 1
  )
    await pause(200);
}

await mkdir(OUT, { recursive: true });
const data = await mkdtemp(join(tmpdir(), 'evalroom-pictures-'));
const stand = await startStand({ data, env: { EVALROOM_MODELS: process.env.EVALROOM_MODELS ?? MODELS } });
const browser = await launchBrowser();
try {
  const desk = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await desk.newPage();
  await logIn(page, stand.setupUrl);
  await page.waitForSelector('.frame');
  await page.goto(`${stand.url}/#/queue`);
  await page.waitForSelector(AWAY, { timeout: 120_000 });
  // Until the alarm, a phrase or two, and their clips are there.
  await pause(40_000);
  await page.screenshot({ path: join(OUT, 'queue.png') });
  await page.goto(`${stand.url}/#/wall`);
  await pause(2000);
  await page.screenshot({ path: join(OUT, 'wall.png') });
  await openClip(page, stand.url);
  await page.screenshot({ path: join(OUT, 'event.png') });
  await page.goto(`${stand.url}/#/rules?pack=default@${version}`);
  await page.click('[data-phrase="zh-pro-01"]');
  await page.fill('textarea[name=forms]', '中标的人早就定好了\n把空调开小一点');
  await page.waitForSelector('.rules-finding');
  await page.screenshot({ path: join(OUT, 'rules.png') });
  const phone = await browser.newContext({
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
    storageState: await desk.storageState(),
  });
  const small = await phone.newPage();
  await small.goto(`${stand.url}/#/queue`);
  await pause(2000);
  await small.screenshot({ path: join(OUT, 'phone-queue.png') });
  await openClip(small, stand.url);
  await small.screenshot({ path: join(OUT, 'phone-event.png') });
  await small.goto(`${stand.url}/#/rules?pack=default@${version}&tab=limits`);
  await small.waitForSelector('[data-rule=left_seat]');
  await small.screenshot({ path: join(OUT, 'phone-rules.png') });
  await page.goto(`${stand.url}/#/sessions`);
  await page.fill('input[name=title]', '市政道路养护采购（二标段）');
  await page.click('[data-action=begin]');
  await page.waitForSelector('.phase-button[aria-pressed=true]');
  await page.click('[data-permit-for="2"]');
  await page.click('[data-give=escorted-10]');
  await page.waitForSelector('[data-permit=escorted]');
  // A second permit is being drawn on the timeline: seven minutes for seat 4.
  await page.locator('[data-line-row="4"] [role=slider]').focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
  await page.waitForSelector('[data-draft="7"]');
  await pause(3000);
  await page.screenshot({ path: join(OUT, 'session.png') });
  await small.goto(`${stand.url}/#/sessions`);
  await pause(2000);
  await small.screenshot({ path: join(OUT, 'phone-session.png') });
} finally {
  await browser.close();
  await stand.close();
  await rm(data, { recursive: true, force: true });
}
