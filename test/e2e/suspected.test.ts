/** Words that are only suspected are marked as that, in the list and on the event, until they are confirmed. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SUSPECTED } from '../../protocol/event.ts';
import { DESKTOP, PHONE } from './browser.ts';
import { webDesk } from './web-desk.ts';

const pictures = process.env.EVALROOM_PICTURES;

describe('words that are only suspected', () => {
  const desk = webDesk();

  it.for([
    ['desk', DESKTOP],
    ['telephone', PHONE],
  ] as const)('say so on a %s', async ([name, size], ctx) => {
    if (desk.missing) return ctx.skip(desk.missing);
    const episodeId = desk.fixture.world.begin({
      roomId: 'room-101',
      behaviour: 'speech_prohibited',
      level: 'notice',
      seatIds: [],
      agoMs: 0,
      sentence: {
        zh: '疑似禁用语“给点好处”，尚未证实',
        en: 'Suspected prohibited words “给点好处”, not confirmed yet',
      },
      body: {
        from: 'SILENT',
        to: SUSPECTED,
        figures: [{ name: 'score', value: -1.1, threshold: -1.75, unit: 'fsmn' }],
        transcript: { language: 'zh-CN', engine: 'fsmn', text: 'ni kan 给点好处 ba', hit: [7, 11] },
      },
    });
    const { page, context, faults } = await desk.open('#/queue', size);
    const row = page.locator(`[data-episode-id="${episodeId}"]`).first();
    await row.waitFor();
    expect(await row.locator('.row-tag').textContent()).toBe('疑似');
    expect(await row.getAttribute('data-level')).toBe('notice');
    if (pictures) await page.screenshot({ path: path.join(pictures, `suspected-list-${name}.png`) });
    await row.click();
    await page.locator('.event-head .tag-suspected').waitFor();
    expect(await page.locator('.event-sentence').textContent()).toContain('尚未证实');
    if (pictures) await page.screenshot({ path: path.join(pictures, `suspected-event-${name}.png`) });
    desk.fixture.world.go(episodeId, 'update', {
      level: 'alarm',
      from: SUSPECTED,
      to: 'SPOKEN',
      sentence: { zh: '听到禁用语“给点好处”，本场第 1 次', en: 'Heard prohibited words “给点好处”, number 1' },
    });
    await page.locator('.event-head .tag-alarm').waitFor();
    expect(await page.locator('.event-head .tag-suspected').count()).toBe(0);
    expect(await page.locator('.event-sentence').textContent()).toContain('听到');
    expect(faults).toEqual([]);
    await context.close();
  });
});
