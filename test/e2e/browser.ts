/** Starts Debian's Chromium for the end-to-end tests, headless and without any traffic of its own. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';

export const CHROMIUM = '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A page in the background of a test must keep its timers.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
];

/** Why no browser can be started here; undefined where one can. */
export function browserMissing(): string | undefined {
  return existsSync(CHROMIUM) ? undefined : `needs ${CHROMIUM} (Debian package chromium)`;
}

/** The caller closes it. Throws what Chromium said where it does not start. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
}

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
