/** On the box words leave by their age; a clock in doubt gives no age beyond this boot. */
import { describe, expect, it } from 'vitest';
import { withoutOldWords } from '../../../agent/store/words.ts';
import type { DraftEvent } from '../../../protocol/event.ts';
import { episodeBody } from '../../medium/cloud/events.ts';

const DAY = 86_400_000;
const at = { wallMs: 1_800_000_000_000, monoMs: 1000, bootId: 'b1', clock: 'sure' } as const;
const event: DraftEvent = {
  at,
  body: {
    ...episodeBody('e1'),
    behaviour: 'speech_fee',
    transcript: { language: 'zh-CN', engine: 'fsmn', text: '评审费', hit: [0, 3] },
  },
};
const days = { fee: 3 };

describe('words of a waiting event', () => {
  it.each([
    ['young', { ...at, wallMs: at.wallMs + 2 * DAY, monoMs: 2 * DAY }, false],
    ['old in this boot', { ...at, monoMs: 1000 + 3 * DAY }, true],
    ['young in this boot, whatever the wall clock says', { ...at, wallMs: at.wallMs + 900 * DAY }, false],
    ['old over a restart', { ...at, bootId: 'b2', wallMs: at.wallMs + 3 * DAY }, true],
    ['old by a clock in doubt', { ...at, bootId: 'b2', clock: 'doubtful', wallMs: at.wallMs + 900 * DAY }, false],
  ] as const)('%s', (_what, now, gone) => {
    expect(withoutOldWords(event, days, now) !== undefined).toBe(gone);
  });

  it('of a class without a time wait with their event', () => {
    expect(withoutOldWords(event, { prohibited: 1 }, { ...at, monoMs: 900 * DAY })).toBeUndefined();
  });
});
