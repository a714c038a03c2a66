/** Words leave an event whole, and nothing else does; what holds none is left alone. */
import { describe, expect, it } from 'vitest';
import type { EpisodeBody } from '../../../protocol/event.ts';
import { daysOf, shortestDays, WORD_CLASSES, withoutWords, wordDaysOf, wordsIn } from '../../../protocol/words.ts';
import { episodeBody } from '../../medium/cloud/events.ts';

const said = { language: 'zh-CN', engine: 'fsmn', text: '就选甲公司', hit: [0, 5] as const };
const spoken = (over: Partial<EpisodeBody> = {}): EpisodeBody => ({
  ...episodeBody('e1'),
  behaviour: 'speech_prohibited',
  sentence: { zh: '听到禁用语“就选甲公司”，本场第 1 次', en: 'Heard prohibited words “choose A”, number 1' },
  transcript: said,
  ...over,
});

describe('words of an event', () => {
  it.each([
    ['a transcript of the class', spoken(), 'prohibited'],
    ['a sentence that quotes', { ...spoken(), transcript: undefined }, 'prohibited'],
    ['words beside another behaviour', spoken({ behaviour: 'outside_contact' }), 'other'],
    ['another behaviour', episodeBody('e1'), undefined],
    [
      'an episode whose words a restart forgot',
      {
        ...spoken({ sentence: { zh: '禁用语“”，已结束', en: 'Was heard: prohibited words “”' } }),
        transcript: undefined,
      },
      undefined,
    ],
  ])('%s', (_what, body, wordClass) => {
    expect(wordsIn(body as EpisodeBody)).toBe(wordClass);
  });

  it.each(WORD_CLASSES)(
    '%s: leave transcript and sentence, in both phases, and are then known as gone',
    (wordClass) => {
      for (const phase of ['begin', 'update', 'end'] as const) {
        const body = spoken({ behaviour: `speech_${wordClass}`, phase });
        const removed = { afterDays: 30, wallMs: 5, by: 'cloud' } as const;
        const left = withoutWords(body, removed);
        const { transcript: _, sentence, ...rest } = body;
        const { sentence: now, ...others } = left;
        expect(others).toEqual({ ...rest, wordsRemoved: removed });
        expect(now.zh).toContain('30 天');
        expect(now.en).toContain('after 30 days by the retention');
        expect(JSON.stringify(left)).not.toMatch(/甲公司|choose A/);
        expect(wordsIn(left)).toBeUndefined();
        expect(withoutWords(left, removed)).toEqual(left);
        expect(sentence).not.toEqual(now);
      }
    },
  );

  it('that were only suspected are not said to have been heard once they are gone', () => {
    const removed = { afterDays: 30, wallMs: 5, by: 'cloud' } as const;
    const said = (phase: 'begin' | 'end', from: string, to: string) =>
      withoutWords(spoken({ phase, from, to }), removed).sentence.zh;
    expect(said('begin', 'SILENT', 'SUSPECTED')).toMatch(/^疑似.*尚未证实/);
    expect(said('end', 'SUSPECTED', 'SILENT')).toMatch(/^疑似.*未得到证实/);
    expect(said('end', 'SPOKEN', 'SILENT')).toMatch(/^听到/);
  });

  it('have the days of their class, else the usual ones; beside other behaviours the shortest', () => {
    const days = wordDaysOf({ days: 90, fee: 7 });
    expect(days).toEqual({ prohibited: 90, suggestive: 90, tendentious: 90, irrelevant: 90, fee: 7 });
    expect([daysOf(days, 'fee'), daysOf(days, 'other'), daysOf({ fee: 7 }, 'prohibited')]).toEqual([7, 7, undefined]);
    expect([shortestDays({}), shortestDays({ prohibited: 9 })]).toEqual([undefined, 9]);
  });
});
