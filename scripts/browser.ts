/** Starts Debian's Chromium headless and without any traffic of its own: for the end-to-end tests, the benchmarks and the pictures. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

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
