/** The room editor on a real room: a seat drawn by mouse, saved at the desk, run by the box a moment later, without a break in its recording. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { OverviewView } from '../../cloud/http/api.ts';
import { rectangle } from '../../cloud/web/state/draft.ts';
import type { LayoutOrder } from '../../protocol/orders.ts';
import { openDesk, type Stand, startStand } from '../../scripts/stand.ts';
import { browserMissing, launchBrowser, openContext, PHONE } from './browser.ts';
import { buildPage, type Fixture, PASSWORD, startFixture } from './web-fixture.ts';
import { layoutOf, plainZone, stateOf } from './web-world.ts';

const missing = browserMissing();
let folder: string;
let stand: Stand;
let browser: Browser;
let page: Page;
let faults: string[];

const WAIT = { timeout: 60_000 };

describe('the room editor', () => {
  beforeAll(async () => {
    if (missing) return;
    folder = await mkdtemp(path.join(tmpdir(), 'evalroom-editor-'));
    stand = await startStand({ data: folder, room: { seats: [], roster: [] } });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await stand?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('draws a seat and a door by mouse, saves, and the box runs with it', async (ctx) => {
    if (missing) ctx.skip(missing);
    const desk = await openDesk(stand.setupUrl);
    const { context, faults: seen } = await openContext(browser);
    faults = seen;
    const [name, value] = desk.cookie.split('=');
    await context.addCookies([{ name: name!, value: value!, url: stand.url }]);
    page = await context.newPage();
    await page.goto(`${stand.url}/#/setup?room=${stand.roomId}`);
    await page.waitForSelector('.board-picture', WAIT);
    const state = async () => (await desk.get<OverviewView>('/api/overview')).rooms[0]?.state;
    const before = (await state())!;
    expect(before.layout.seats).toEqual([]);

    // A large picture of this moment out of the box's own recording, as soon as there is one.
    await expect
      .poll(
        async () => {
          const bar = page.locator('.picture-bar');
          if ((await bar.getAttribute('data-picture')) === 'large') return true;
          await page.click('[data-action="picture"]');
          return false;
        },
        { ...WAIT, interval: 2000 },
      )
      .toBe(true);
    const shown = (what: string) => page.evaluate<number>(`document.querySelector('.board-picture').${what}`);
    await expect.poll(() => shown('naturalWidth'), WAIT).toBeGreaterThan(640);
    expect(await shown('naturalWidth')).toBeLessThanOrEqual(1600);
    const first = await page.locator('.board-picture').getAttribute('src');
    expect(await page.locator('.picture-bar [data-age]').innerText()).toMatch(/^(刚刚|\d+秒前)$/);
    await page.click('[data-action="picture"]');
    await expect.poll(() => page.locator('.board-picture').getAttribute('src'), WAIT).not.toBe(first);
    const views = await desk.get<{ entries: { action: string; object: string }[] }>('/api/log?limit=20');
    expect(views.entries).toContainEqual(
      expect.objectContaining({
        action: 'view_picture',
        object: `${stand.roomId} ${before.health.cameras[0]!.cameraId}`,
      }),
    );
    // What was refused before anything was recorded is no fault of the page.
    faults.splice(0);

    const box = (await page.locator('.board-picture').boundingBox())!;
    const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
    const drag = async (from: readonly [number, number], to: readonly [number, number]) => {
      await page.mouse.move(...at(...from));
      await page.mouse.down();
      await page.mouse.move(...at((from[0] + to[0]) / 2, (from[1] + to[1]) / 2));
      await page.mouse.move(...at(...to));
      await page.mouse.up();
    };
    await page.keyboard.press('s');
    // The magnifier shows what lies under the cross-hair, before and while something is drawn, and hides nothing afterwards.
    await page.mouse.move(...at(0.1, 0.3));
    await page.waitForSelector('[data-loupe]');
    const under = await page.evaluate<[number, number]>(`(() => {
      const box = document.querySelector('[data-loupe]').getBoundingClientRect();
      const image = document.querySelector('[data-loupe] img').getBoundingClientRect();
      return [(box.x + box.width / 2 - image.x) / image.width, (box.y + box.height / 2 - image.y) / image.height];
    })()`);
    expect(under[0]).toBeCloseTo(0.1, 2);
    expect(under[1]).toBeCloseTo(0.3, 2);
    await drag([0.1, 0.3], [0.25, 0.8]);
    await drag([0.4, 0.3], [0.55, 0.8]);
    expect(await page.locator('[data-part="seat"]').count()).toBe(2);
    await page.keyboard.press('Control+z');
    expect(await page.locator('[data-part="seat"]').count()).toBe(1);

    await page.keyboard.press('v');
    expect(await page.locator('[data-loupe]').count()).toBe(0);
    // One corner is dragged across: the page says what is wrong, and does not let it be saved.
    await page.keyboard.press('v');
    await page.locator('[data-thing="seat-0"]').click();
    await drag([0.1, 0.3], [0.35, 0.7]);
    await page.waitForSelector('[data-problem="crosses_itself"]');
    expect(await page.locator('[data-action="save"]').isDisabled()).toBe(true);
    await page.keyboard.press('Control+z');

    await page.keyboard.press('d');
    await drag([0.7, 0.9], [0.9, 0.9]);
    await page.click('[data-action="save"]');
    await page.waitForSelector('[data-save="inForce"]', WAIT);

    const after = (await state())!;
    expect(after.layout.seats).toHaveLength(1);
    const [x, y] = after.layout.seats[0]!.views[0]!.zone[0]!;
    expect(x).toBeCloseTo(0.1, 2);
    expect(y).toBeCloseTo(0.3, 2);
    expect(after.layout.doorLines).toHaveLength(before.layout.doorLines.length + 1);
    // Its state is decided with the next look at the room.
    await expect.poll(async () => (await state())?.seats.map(({ seatId }) => seatId), WAIT).toEqual(['1']);
    expect(after.orders?.refused).toEqual([]);
    // The same process, recording all the while.
    expect(after.at.bootId).toBe(before.at.bootId);
    expect(after.health.cameras[0]).toMatchObject({ decode: 'running' });
    const log = await desk.get<{ entries: { action: string }[] }>('/api/log?limit=20');
    expect(log.entries.map(({ action }) => action)).toContain('order_layout');
    await expect(desk.post(`/api/rooms/${stand.roomId}/layout`, { layout: { seats: 1 } })).rejects.toThrow('400');
    expect(faults).toEqual([]);

    // The order outlives the agent, and room.yaml is as it was: no seats.
    stand.agent().kill('SIGKILL');
    await stand.agent().ended;
    await stand.startAgent();
    const seats = async () => (await state())?.layout.seats.length;
    const since = async () => (await state())?.at.monoMs ?? 0;
    const told = await since();
    await expect.poll(since, WAIT).not.toBe(told);
    expect(await seats()).toBe(1);
    expect(parse(await readFile(path.join(folder, 'room.yaml'), 'utf8'))).toMatchObject({ seats: [] });
  }, 120_000);
});

describe('the room editor on a phone', () => {
  let fixture: Fixture;
  let dist: string;
  const ordered: { layout: LayoutOrder }[] = [];
  beforeAll(async () => {
    if (missing) return;
    dist = await mkdtemp(path.join(tmpdir(), 'evalroom-editor-page-'));
    await buildPage(dist);
    fixture = await startFixture({ page: dist, user: true });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await fixture?.close();
    if (dist) await rm(dist, { recursive: true, force: true });
  });

  it('takes a proposed seat by one tap, draws one by taps, and says that a moved camera is right again', async (ctx) => {
    if (missing) ctx.skip(missing);
    const { context } = await openContext(browser, PHONE);
    page = await context.newPage();
    await page.route('**/api/rooms/*/layout', async (route) => {
      const sent = route.request().postDataJSON() as { layout: LayoutOrder } | null;
      if (sent) ordered.push(sent);
      await route.fulfill({ json: { revision: ordered.length, ...(sent ?? {}) } });
    });
    const bare = { ...layoutOf(1, plainZone), seats: [] };
    const state = stateOf(bare, {});
    const zone = rectangle([0.1, 0.3], [0.25, 0.7]);
    fixture.heard({
      ...state,
      health: { ...state.health, cameras: state.health.cameras.map((one) => ({ ...one, fault: 'moved' })) },
      proposals: [{ cameraId: 'cam-a', watchedMs: 600_000, seats: [{ zone, share: 0.9 }] }],
    });
    fixture.snapshot('room-101');
    await page.goto(`${fixture.url}/#/setup?room=room-101`);
    await page.fill('input[name=name]', '王监督');
    await page.fill('input[name=password]', PASSWORD);
    await page.click('button[type=submit]');
    await page.waitForSelector('.board-picture', WAIT);

    // The box does not answer: the small one serves, and the page says so.
    await page.waitForSelector('.picture-bar[data-picture="small"] .picture-refused', WAIT);
    expect(await page.locator('.picture-refused').innerText()).toBe('终端没有应答。');
    expect((await page.locator('[data-action="picture"]').boundingBox())!.height).toBeGreaterThanOrEqual(44);
    expect(Number(await page.evaluate('document.documentElement.scrollWidth'))).toBeLessThanOrEqual(390);

    await page.locator('[data-moved="cam-a"] button').tap();
    await page.waitForSelector('[data-moved="cam-a"]:not(:has(button))', WAIT);
    expect(ordered[0]!.layout.references).toMatchObject([{ cameraId: 'cam-a' }]);

    const nudge = { nudged: { dx: 0.012, dy: -0.02 }, floor: 'doubtful' as const };
    fixture.heard({
      ...state,
      health: { ...state.health, cameras: state.health.cameras.map((one) => ({ ...one, ...nudge })) },
      proposals: [{ cameraId: 'cam-a', watchedMs: 600_000, seats: [{ zone, share: 0.9 }] }],
    });
    await page.waitForSelector('[data-nudged="cam-a"] [data-floor="doubtful"]', WAIT);
    expect(await page.locator('[data-nudged="cam-a"]').innerText()).toContain('2.0 %');

    await page.locator('.proposal-take').tap();
    expect(await page.locator('[data-part="seat"]').count()).toBe(1);
    expect(await page.locator('.proposal').count()).toBe(0);

    const box = (await page.locator('.board-picture').boundingBox())!;
    const tap = (x: number, y: number) => page.touchscreen.tap(box.x + x * box.width, box.y + y * box.height);
    await page.locator('[data-tool="seat"]').tap();
    for (const [x, y] of [
      [0.5, 0.3],
      [0.7, 0.3],
      [0.75, 0.7],
      [0.5, 0.7],
    ] as const)
      await tap(x, y);
    await tap(0.5, 0.3);
    expect(await page.locator('[data-part="seat"]').count()).toBe(2);

    // A finger on a corner has 44 px, where the corners are not closer together than that.
    const fingers = await page.locator('[data-corner]').evaluateAll((corners) => {
      const places = corners.map((corner) => {
        const { x, y, width, height } = corner.querySelector('.corner-hit')!.getBoundingClientRect();
        return { x: x + width / 2, y: y + height / 2, width };
      });
      return places.map(({ x, y, width }, i) => {
        const away = places.filter((_other, k) => k !== i).map((other) => Math.hypot(other.x - x, other.y - y));
        // Nearly as far as it reaches, in eight directions: a press there takes this corner and nothing that lies on it.
        const taken = [0, 1, 2, 3, 4, 5, 6, 7].every((n) => {
          const [dx, dy] = [Math.cos((n * Math.PI) / 4), Math.sin((n * Math.PI) / 4)];
          const at = corners[i]!.ownerDocument.elementFromPoint(x + dx * (width / 2 - 2), y + dy * (width / 2 - 2));
          return at?.closest('[data-corner]') === corners[i];
        });
        return { width, nearest: Math.min(...away), taken };
      });
    });
    expect(fingers).toHaveLength(4);
    for (const { width, nearest, taken } of fingers) {
      expect(width).toBeGreaterThanOrEqual(Math.min(44, nearest) - 1);
      expect(taken).toBe(true);
    }
    await page.locator('[data-action="save"]').tap();
    await expect.poll(() => ordered.length, WAIT).toBe(2);
    const [first, second] = ordered[1]!.layout.seats;
    expect(first!.views[0]!.zone).toEqual(zone);
    expect(second!.views[0]!.zone).toHaveLength(4);
    // What was said of the picture goes on to count.
    expect(ordered[1]!.layout.references).toHaveLength(1);
    await context.close();
  }, 120_000);
});
