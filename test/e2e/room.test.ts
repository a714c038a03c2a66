/** The whole path on real input: camera over ONVIF and RTSP -> agent -> broker -> cloud -> Chromium, through a kill -9 in mid-episode. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlertDetailView } from '../../cloud/http/api.ts';
import { type Stand, startStand } from '../../scripts/stand.ts';
import { browserMissing, launchBrowser, openContext } from './browser.ts';

const missing = browserMissing();
const PASSWORD = 'a password of the test';
/** Seat 3 of the film walks off at 22.8 s and is back at 89.2 s; the demo's rules say notice at 10 s, alarm at 30 s. Before
 * that it must have been seen sitting, on a loaded machine too. */
const FROM_MS = 2000;

let folder: string;
let stand: Stand;
let browser: Browser;
let page: Page;
let faults: string[];
const log: string[] = [];

/** Rows on the page of alerts that seat 3 left, and how often each event was put there. */
const ROWS = '[data-behaviour="left_seat"]';

async function until<T>(what: string, look: () => Promise<T | undefined>, limitMs: number): Promise<T> {
  for (const end = performance.now() + limitMs; performance.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what} did not happen within ${limitMs / 1000} s\n${log.slice(-20).join('\n')}`);
}

const ask = <T>(address: string): Promise<T> =>
  page.evaluate(async (where) => (await fetch(where)).json() as Promise<unknown>, address) as Promise<T>;

const seat3 = () =>
  stand.accepted.filter((one) => one.behaviour === 'left_seat' && one.seatIds?.includes('3') === true);

describe('a room from its camera to a browser', () => {
  beforeAll(async () => {
    if (missing) return;
    folder = await mkdtemp(path.join(tmpdir(), 'evalroom-room-'));
    stand = await startStand({
      data: folder,
      fromMs: FROM_MS,
      onLine: (part, line) => void log.push(`${part}: ${line.slice(0, 300)}`),
    });
    browser = await launchBrowser();
    const { context, faults: seen } = await openContext(browser);
    faults = seen;
    page = await context.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await stand?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('shows the alert of seat 3 with a clip that plays, and survives a kill -9 in mid-episode', async (ctx) => {
    if (missing) ctx.skip(missing);
    await page.goto(stand.setupUrl);
    await page.fill('input[name=name]', '王监督');
    for (const field of await page.locator('input[type=password]').all()) await field.fill(PASSWORD);
    await page.click('button[type=submit]');
    await page.waitForSelector('.frame');
    await page.goto(`${stand.url}/#/queue`);

    await page.waitForSelector(ROWS, { timeout: 90_000 });
    const episodeId = await page.locator(ROWS).first().getAttribute('data-episode-id');
    expect(seat3()[0]).toMatchObject({ phase: 'begin', level: 'notice', episodeId });

    // The clip of the begin: announced, uploaded, verified, opened, decoded.
    await page.locator(ROWS).first().click();
    const seconds = () => page.evaluate<number>("document.querySelector('video')?.currentTime ?? 0");
    await until('the clip to play', async () => ((await seconds()) > 0.5 ? true : undefined), 30_000);
    expect(await page.evaluate("document.querySelector('video')?.videoWidth")).toBe(1280);

    // In mid-episode, without a word of warning.
    const before = stand.accepted.length;
    const old = stand.agent();
    old.kill('SIGKILL');
    expect(await old.ended).toBe('SIGKILL');
    await stand.startAgent();

    await until('the alarm after the restart', async () => seat3().find((one) => one.level === 'alarm'), 60_000);
    await until('the return of seat 3', async () => seat3().find((one) => one.phase === 'end'), 90_000);
    const back = seat3().find((one) => one.phase === 'end')!;
    await until(
      'the end on the page',
      async () => {
        const shown = await page.locator(`[data-episode-id="${episodeId}"]`).first().getAttribute('data-event-id');
        return shown === back.eventId ? true : undefined;
      },
      15_000,
    );

    // One episode, one alert, before and after.
    expect(new Set(seat3().map((one) => one.episodeId))).toEqual(new Set([episodeId]));
    expect(seat3().filter((one) => one.phase === 'begin')).toHaveLength(1);
    expect(await page.locator(ROWS).count()).toBe(1);

    // Nothing accepted is lost, nothing is stored twice: ids said after the agent's commit against stored rows.
    const detail = await ask<AlertDetailView>(`/api/alerts/${encodeURIComponent(episodeId!)}`);
    const stored = detail.events.map((event) => event.eventId);
    const accepted = stand.accepted.filter((one) => one.episodeId === episodeId).map((one) => one.eventId);
    expect(new Set(stored).size).toBe(stored.length);
    expect([...stored].sort()).toEqual(expect.arrayContaining([...accepted].sort()));
    expect(stand.accepted.length).toBeGreaterThan(before);
    expect(detail.views.map((view) => view.userName)).toContain('王监督');
    expect(faults).toEqual([]);
  }, 240_000);
});
