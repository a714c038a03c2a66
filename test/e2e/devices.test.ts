/** The devices page in a real Chromium: what a box says of its cameras and ears, by stage, at a desk and on a telephone. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RoomState } from '../../protocol/stream.ts';
import { browserMissing, DESKTOP, launchBrowser, openContext, PHONE } from './browser.ts';
import { buildPage, type Fixture, PASSWORD, startFixture } from './web-fixture.ts';
import { layoutOf, stateOf } from './web-world.ts';

const missing = browserMissing();
let browser: Browser;
let fixture: Fixture;
let folder: string;

const camera = (cameraId: string): RoomState['health']['cameras'][number] => ({
  cameraId,
  decode: 'running',
  record: 'running',
  audio: 'running',
  analysedFps: 2.04,
  drops: 3,
  inferenceMs: 62.4,
  rates: { detections: 2, regions: 0.4, poses: 1.3, strained: false },
  stages: { decodedFps: 2.1, lagMs: 118, detectorMs: 44.2, poseMs: 18.2, decideMs: 0.4, blind: 0 },
});
const HEALTH: Partial<RoomState['health']> = {
  cameras: [
    camera('cam-a'),
    {
      ...camera('cam-b'),
      analysedFps: 0.6,
      drops: 12_408,
      inferenceMs: 1503,
      rates: { detections: 0.6, regions: 0, poses: 0.6, strained: true },
      stages: { decodedFps: 2, lagMs: 640, detectorMs: 1210, poseMs: 293, decideMs: 0.5, blind: 17 },
    },
  ],
  ears: [
    { microphoneId: 'cam-a', language: 'zh-CN', state: 'hearing', rmsDb: -42, rtf: 0.021, dropped: 0, restarts: 0 },
    {
      microphoneId: 'cam-b',
      language: 'zh-CN',
      state: 'deaf',
      reason: 'this machine is too slow for it: …',
      slow: true,
      rmsDb: -39,
      rtf: 4.96,
      dropped: 420,
      restarts: 2,
    },
    {
      microphoneId: 'table',
      language: 'en',
      state: 'hearing',
      unconfirmed: true,
      fault: 'muted',
      rmsDb: -51,
      rtf: 0.3,
      dropped: 0,
      restarts: 9,
    },
  ],
};

/** No part of the page is wider than the page: nothing has to be pushed aside to be read. */
const FITS = 'document.scrollingElement.scrollWidth <= window.innerWidth';

describe('the devices page', () => {
  let page: Page;
  let faults: string[];
  beforeAll(async () => {
    if (missing) return;
    folder = await mkdtemp(path.join(tmpdir(), 'evalroom-devices-'));
    await buildPage(folder);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    if (folder && existsSync(folder)) await rm(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    if (missing) return;
    await page.context().close();
    await fixture.close();
  });

  const open = async (size: typeof DESKTOP) => {
    fixture = await startFixture({ page: folder, user: true });
    const made = await openContext(browser, size);
    faults = made.faults;
    // The scripted cloud keeps no list of boxes.
    await made.context.route('**/api/devices', (route) => route.fulfill({ json: { devices: [] } }));
    page = await made.context.newPage();
    fixture.heard(stateOf(layoutOf(1, fixture.media.zoneOf), {}, HEALTH));
    await page.goto(`${fixture.url}/#/devices`);
    await page.fill('input[name=name]', '王监督');
    await page.fill('input[name=password]', PASSWORD);
    await page.click('button[type=submit]');
    await page.waitForSelector('[data-camera-id="cam-b"]');
  };
  const textOf = (selector: string) => page.locator(selector).innerText();

  it('shows the rate, the losses and the time of each stage, and why an ear is deaf, in both languages', async (ctx) => {
    if (missing) return ctx.skip(missing);
    await open(DESKTOP);
    const well = await textOf('[data-camera-id="cam-a"]');
    expect(well).toMatch(/2\.0\s+\/ 解码 2\.1/);
    expect(well).toMatch(/62 ms/);
    expect(well).toMatch(/人员 44\s+姿态 18\s+判定 0\.4\s+解码 118/);
    const busy = await textOf('[data-camera-id="cam-b"]');
    expect(busy).toContain('12408');
    expect(busy).toContain('来不及处理');
    expect(busy).toContain('17 帧无结果');
    expect(await textOf('[data-microphone-id="cam-a"]')).toMatch(/正常.*-42 dBFS.*2\.1 %/s);
    const deaf = await textOf('[data-microphone-id="cam-b"]');
    expect(deaf).toMatch(/主机算力不足.*496 %.*420.*2/s);
    expect(await page.locator('[data-fault]').allInnerTexts()).toEqual([
      '普通话语音无法识别：主机算力不足',
      '英语识别未经第二引擎复核',
      'table：被静音',
    ]);
    await page.click('text=English');
    expect(await textOf('[data-microphone-id="cam-b"]')).toContain('this box is too slow for it');
    expect(await textOf('[data-camera-id="cam-b"]')).toContain('cannot keep up');
    expect(await page.evaluate(FITS)).toBe(true);
    expect(faults).toEqual([]);
  });

  it('is read on a telephone without pushing anything aside, each figure with its name', async (ctx) => {
    if (missing) return ctx.skip(missing);
    await open(PHONE);
    expect(await page.evaluate(FITS)).toBe(true);
    for (const selector of ['[data-camera-id="cam-b"]', '[data-microphone-id="cam-b"]'])
      for (const cell of await page.locator(`${selector} td`).all()) {
        const box = await cell.boundingBox();
        expect(box!.x).toBeGreaterThanOrEqual(0);
        expect(box!.x + box!.width).toBeLessThanOrEqual(390);
        expect(await cell.evaluate("(cell) => getComputedStyle(cell, '::before').content")).not.toBe('none');
      }
    expect(faults).toEqual([]);
  });
});
