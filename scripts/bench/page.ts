/** A real browser with the queue open that notes when each event reaches the DOM. */
import type { Page } from 'playwright-core';
import { Unavailable } from '../../protocol/errors.ts';
import { browserMissing, launchBrowser } from '../browser.ts';

// Rows carry data-event-id, the newest event of their alert: each first sight of an id is noted, in wall time.
const PROBE = `
  const seen = (globalThis.evalroomSeen = {});
  const note = (node) => {
    const id = node.getAttribute('data-event-id');
    if (id && !(id in seen)) seen[id] = performance.timeOrigin + performance.now();
  };
  new MutationObserver((records) => {
    for (const record of records) {
      if (record.type === 'attributes') note(record.target);
      for (const node of record.addedNodes) {
        if (!(node instanceof Element)) continue;
        note(node);
        for (const row of node.querySelectorAll('[data-event-id]')) note(row);
      }
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-event-id'] });
`;

export interface WatchedPage {
  readonly page: Page;
  /** Monotonic ms (of this machine's boot) at which the row of an event stood in the DOM, by event id. */
  seen(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** Sets up the first supervisor in the page and opens the queue. Throws Unavailable without Debian's Chromium. */
export async function openQueue(setupUrl: string, password: string): Promise<WatchedPage> {
  const missing = browserMissing();
  if (missing) throw new Unavailable('chromium_missing', `the bench ${missing}: apt-get install chromium`);
  const browser = await launchBrowser();
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript({ content: PROBE });
  await page.goto(setupUrl);
  await page.locator('input').first().waitFor();
  const fields = page.locator('input:visible');
  await fields.nth(0).fill('bench');
  for (let i = 1; i < (await fields.count()); i += 1) await fields.nth(i).fill(password);
  await page.locator('form button[type=submit]').click();
  await page.locator('form').waitFor({ state: 'detached' });
  await page.goto(`${new URL(setupUrl).origin}/#/queue`);
  return {
    page,
    async seen() {
      const wall = await page.evaluate<Record<string, number>>('globalThis.evalroomSeen');
      // The page's clock is the wall clock; agents speak of the monotonic one.
      const wallToMono = Number(process.hrtime.bigint()) / 1e6 - Date.now();
      return new Map(Object.entries(wall).map(([id, t]) => [id, t + wallToMono]));
    },
    close: () => browser.close(),
  };
}
