/** What a page says in the reader's language where the box or the cloud refuses: why an ear or an eye does not work, how long to wait. */
import { describe, expect, it } from 'vitest';
import { because, reasonOf } from '../../protocol/why.ts';
import { DESKTOP, PHONE } from './browser.ts';
import { webDesk } from './web-desk.ts';
import { layoutOf, stateOf } from './web-world.ts';

const noModel = [because('no_model_zh', { files: 'kwsr.net', folder: '/var/lib/evalroom/models/fsmn-zh' })];
const noTalk = [because('no_talk', { engines: 'pocketsphinx' })];
const crashed = [because('detector_down', { error: 'out of memory' })];
const figures = { rmsDb: -40, rtf: 0.1, dropped: 0, restarts: 0 };

describe('what a page says of what does not work', () => {
  const desk = webDesk();
  const hear = () => {
    const state = stateOf(layoutOf(1, desk.fixture.media.zoneOf));
    const [camera] = state.health.cameras;
    desk.fixture.heard({
      ...state,
      health: {
        ...state.health,
        cameras: [{ ...camera!, fault: reasonOf(crashed)!, why: crashed }],
        ears: [
          {
            microphoneId: 'm-1',
            language: 'zh-CN',
            state: 'deaf',
            reason: reasonOf(noModel)!,
            why: noModel,
            ...figures,
          },
          { microphoneId: 'm-2', language: 'en', state: 'hearing', reason: reasonOf(noTalk)!, why: noTalk, ...figures },
        ],
      },
    });
    desk.fixture.snapshot('room-101');
  };

  it.for([
    ['desk', DESKTOP],
    ['telephone', PHONE],
  ] as const)('is said in both languages on a %s', async ([, size], ctx) => {
    if (desk.missing) return ctx.skip(desk.missing);
    hear();
    const { page, context } = await desk.open('#/devices', size);
    const textOf = (selector: string) => page.locator(selector).innerText();
    await page.waitForSelector('[data-microphone-id="m-1"]');
    expect(await textOf('[data-microphone-id="m-1"]')).toContain('缺少普通话模型');
    expect(await textOf('[data-microphone-id="m-2"]')).toContain('不判断无关话题');
    expect(await textOf('[data-camera-id="cam-a"]')).toContain('人体检测模型出错：out of memory');
    expect(await page.locator('[data-fault="blind"]').first().innerText()).toContain('人体检测模型出错');
    expect(await page.locator('[data-fault="deaf"]').first().getAttribute('title')).toContain('缺少普通话模型');
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    await page.getByText('English', { exact: true }).first().click();
    await page.getByText('no Mandarin model', { exact: false }).first().waitFor();
    expect(await textOf('[data-microphone-id="m-2"]')).toContain('talk off the subject is not judged');
    await context.close();
  });

  it('counts down the seconds until another large picture may be asked for', async (ctx) => {
    if (desk.missing) return ctx.skip(desk.missing);
    hear();
    desk.fixture.tooOften(4000);
    const { page, context } = await desk.open('#/setup?room=room-101', PHONE, (own) =>
      own.route('**/api/rooms/*/layout', (route) => route.fulfill({ json: { revision: 0 } })),
    );
    await page.locator('.picture-refused').waitFor();
    expect(await page.locator('.picture-refused').innerText()).toMatch(/^索取过于频繁，请等待 [1-4] 秒$/);
    const button = page.locator('[data-action="picture"]');
    expect(await button.getAttribute('aria-disabled')).toBe('true');
    await page.locator('[data-action="picture"][aria-disabled="false"]').waitFor();
    expect(await page.locator('.picture-refused').count()).toBe(0);
    await button.click();
    await page.locator('.picture-refused').waitFor();
    await context.close();
  });
});
