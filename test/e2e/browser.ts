/** What the end-to-end tests open in Debian's Chromium: contexts of both sizes that collect what went wrong in them. */
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';

export { browserMissing, launchBrowser } from '../../scripts/browser.ts';

export const DESKTOP: BrowserContextOptions = { viewport: { width: 1440, height: 900 } };
export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
};

/** A context whose pages collect what went wrong in them: uncaught errors and console errors. */
export async function openContext(
  browser: Browser,
  options: BrowserContextOptions = DESKTOP,
): Promise<{ context: BrowserContext; faults: string[] }> {
  const context = await browser.newContext(options);
  const faults: string[] = [];
  context.on('weberror', (error) => faults.push(String(error.error())));
  context.on('console', (line) => {
    if (line.type() === 'error') faults.push(line.text());
  });
  return { context, faults };
}
