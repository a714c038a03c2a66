/** An alert whose words have left says so where they stood, on a desk and on a telephone. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wordlessSentence } from '../../protocol/words.ts';
import { browserMissing, DESKTOP, launchBrowser, openContext, PHONE } from './browser.ts';
import { buildPage, type Fixture, PASSWORD, startFixture } from './web-fixture.ts';

const missing = browserMissing();
let browser: Browser;
let folder: string;
let fixture: Fixture;

describe('words whose time is over', () => {
  beforeAll(async () => {
    if (missing) return;
    folder = await mkdtemp(path.join(tmpdir(), 'evalroom-page-'));
    await buildPage(folder);
    browser = await launchBrowser();
    fixture = await startFixture({ page: folder, user: true });
  });
  afterAll(async () => {
    await browser?.close();
    await fixture?.close();
    if (folder && existsSync(folder)) await rm(folder, { recursive: true, force: true });
  });

  it.for([
    ['desk', DESKTOP],
    ['telephone', PHONE],
  ] as const)('are said to be gone on a %s', async ([, size], ctx) => {
    if (missing) return ctx.skip(missing);
    const removed = { afterDays: 30, wallMs: Date.now() - 60_000, by: 'cloud' } as const;
    const sentence = wordlessSentence({ behaviour: 'speech_fee', phase: 'begin' }, removed);
    const episodeId = fixture.world.begin({
      roomId: 'room-101',
      behaviour: 'speech_fee',
      level: 'alarm',
      seatIds: [],
      agoMs: 0,
      sentence,
      body: { wordsRemoved: removed, figures: [{ name: 'hits', value: 3, threshold: 3, unit: '' }] },
    });
    const { context, faults } = await openContext(browser, size);
    const page = await context.newPage();
    await page.goto(`${fixture.url}/#/queue`);
    await page.fill('input[name=name]', '王监督');
    await page.fill('input[name=password]', PASSWORD);
    await page.click('button[type=submit]');
    await page.waitForSelector('.frame');
    const row = page.locator(`[data-episode-id="${episodeId}"]`).first();
    await row.waitFor();
    await row.click();
    await page.locator('.words-gone').waitFor();
    expect(await page.locator('.words-gone').textContent()).toContain('原话已在 30 天后按保留期限删除');
    expect(await page.locator('.heard').count()).toBe(0);
    await page.locator('.words-gone').scrollIntoViewIfNeeded();
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(faults.filter((fault) => !fault.includes('401'))).toEqual([]);
    await context.close();
  });
});
