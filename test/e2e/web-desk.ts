/** What the tests of the page over its fixture have in common: built once, in Debian's Chromium, and somebody who has signed in. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { browserMissing, launchBrowser, openContext } from './browser.ts';
import { buildPage, type Fixture, PASSWORD, startFixture } from './web-fixture.ts';

export interface WebDesk {
  /** Why there is no browser here, for `ctx.skip`; undefined where there is one. */
  readonly missing: string | undefined;
  readonly fixture: Fixture;
  /** The page at that address (`#/queue`) with the supervisor signed in, prepared before it is loaded; `faults` collects what goes wrong in it. */
  open(address: string, size: BrowserContextOptions, prepare?: (page: Page) => Promise<unknown>): Promise<OpenPage>;
}

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly faults: readonly string[];
}

/** Signs in on a page that asks for it. */
export async function signIn(page: Page): Promise<void> {
  await page.fill('input[name=name]', '王监督');
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.waitForSelector('.frame');
}

/** To be called within `describe`: begins before its tests and ends after them. */
export function webDesk(): WebDesk {
  const missing = browserMissing();
  let browser: Browser | undefined;
  let folder: string | undefined;
  let fixture: Fixture | undefined;
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
  return {
    missing,
    get fixture() {
      return fixture!;
    },
    async open(address, size, prepare) {
      const { context, faults } = await openContext(browser!, size);
      const page = await context.newPage();
      await prepare?.(page);
      await page.goto(`${fixture!.url}/${address}`);
      await signIn(page);
      return { page, context, faults };
    },
  };
}
