/** An alert whose words have left says so where they stood, on a desk and on a telephone. */
import { describe, expect, it } from 'vitest';
import { wordlessSentence } from '../../protocol/words.ts';
import { DESKTOP, PHONE } from './browser.ts';
import { webDesk } from './web-desk.ts';

describe('words whose time is over', () => {
  const desk = webDesk();

  it.for([
    ['desk', DESKTOP],
    ['telephone', PHONE],
  ] as const)('are said to be gone on a %s', async ([, size], ctx) => {
    if (desk.missing) return ctx.skip(desk.missing);
    const removed = { afterDays: 30, wallMs: Date.now() - 60_000, by: 'cloud' } as const;
    const sentence = wordlessSentence({ behaviour: 'speech_fee', phase: 'begin' }, removed);
    const episodeId = desk.fixture.world.begin({
      roomId: 'room-101',
      behaviour: 'speech_fee',
      level: 'alarm',
      seatIds: [],
      agoMs: 0,
      sentence,
      body: { wordsRemoved: removed, figures: [{ name: 'hits', value: 3, threshold: 3, unit: '' }] },
    });
    const { page, context, faults } = await desk.open('#/queue', size);
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
