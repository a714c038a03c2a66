/** Takes the pictures of docs/install.md: a demo room without seats is set up in the browser: `node scripts/screenshots-room.ts` (two minutes, needs Chromium). */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from './browser.ts';
import { openDesk, startStand } from './stand.ts';

const OUT = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
const MODELS = fileURLToPath(new URL('../.data/models', import.meta.url));
/** People have to be watched for a minute before anything is proposed, and for a while longer before it is right. */
const WATCH_MS = 20_000;

await mkdir(OUT, { recursive: true });
const data = await mkdtemp(join(tmpdir(), 'evalroom-pictures-'));
const stand = await startStand({
  data,
  room: { seats: [], roster: [] },
  env: { EVALROOM_MODELS: process.env.EVALROOM_MODELS ?? MODELS },
});
const browser = await launchBrowser();
try {
  const { cookie } = await openDesk(stand.setupUrl, { name: '王工', password: 'only-for-pictures' });
  const [name, value] = cookie.split('=');
  const desk = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await desk.addCookies([{ name: name!, value: value!, url: stand.url }]);
  const page = await desk.newPage();
  const shot = async (file: string) => {
    await pause(500);
    await page.screenshot({ path: join(OUT, file) });
  };
  await page.goto(`${stand.url}/#/setup?room=${stand.roomId}`);
  await page.waitForSelector('.proposal', { timeout: 180_000 });
  await pause(WATCH_MS);
  await page.click('[data-action="picture"]');
  await page.waitForSelector('[data-picture="large"]');
  await shot('setup-proposals.png');
  await page.getByText('全部采用').click();
  // Where each of them stands, as an installer would guess it behind the desks.
  const picture = (await page.locator('.board-picture').boundingBox())!;
  for (const seat of [0, 2, 3, 1]) {
    await page.locator(`[data-thing="seat-${seat}"]`).click();
    const zone = (await page.locator('.thing.is-picked polygon').boundingBox())!;
    await page.getByText('在画面上点选').click();
    await page.mouse.click(zone.x + zone.width / 2, picture.y + 0.74 * picture.height);
  }
  await shot('setup-seats.png');
  await page.locator('[data-thing^="floor"]').click();
  await shot('setup-floor.png');
  await page.locator('[data-action="save"]').click();
  await page.waitForSelector('[data-save="inForce"]', { timeout: 60_000 });
  const phone = await browser.newContext({
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
    deviceScaleFactor: 2,
    storageState: await desk.storageState(),
  });
  const small = await phone.newPage();
  await small.goto(`${stand.url}/#/setup?room=${stand.roomId}`);
  await small.waitForSelector('[data-picture="large"]');
  await small.locator('[data-part="seat"] polygon').nth(1).tap();
  await pause(1000);
  await small.screenshot({ path: join(OUT, 'phone-setup.png') });
} finally {
  await browser.close();
  await stand.close();
  await rm(data, { recursive: true, force: true });
}
