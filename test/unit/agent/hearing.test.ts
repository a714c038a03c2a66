/** What of the heard is shown in a clip. */
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import type { RoomConfig } from '../../../agent/config.ts';
import { captionOf, createHearing } from '../../../agent/hearing.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import type { PhraseObservation } from '../../../protocol/observation.ts';
import { keptLog } from '../../fixtures/kept-log.ts';

describe('captionOf', () => {
  const at = { wallMs: 1, monoMs: 1, bootId: 'b', clock: 'sure' as const };
  const phrase: PhraseObservation = {
    kind: 'phrase',
    microphoneId: 'mic-1',
    at,
    engine: 'fsmn',
    language: 'zh-CN',
    phraseId: 'p1',
    category: 'prohibited',
    text: 'words',
    score: 1,
    threshold: 0,
    beginMonoMs: 0,
    endMonoMs: 1,
    heard: 'words',
  };

  it('is what was confirmed, and nothing that is only suspected: no pack may ask for that', () => {
    expect(captionOf(phrase)).toBe('words');
    expect(captionOf({ ...phrase, level: 'suspected' })).toBeUndefined();
    expect(captionOf({ kind: 'ear', microphoneId: 'mic-1', language: 'zh-CN', at, state: 'hearing' })).toBeUndefined();
  });
});

describe('ears that cannot judge all that the pack asks', () => {
  const pack = loadRulePack('default');
  const without = { ...pack, rules: { ...pack.rules } };
  delete (without.rules as { off_subject?: unknown }).off_subject;
  const open = (languages: readonly string[], over = pack) => {
    const kept = keptLog();
    const config = { languages, engines: {}, microphones: [], modelsFolder: '/none' } as unknown as RoomConfig;
    const hearing = createHearing({
      config,
      pack: over,
      bidders: [],
      script: undefined,
      clock: virtualClock(),
      log: kept.log,
    });
    const why = () => {
      const silent: AsyncIterable<never> = { async *[Symbol.asyncIterator]() {} };
      return hearing
        .open('mic-1', silent)
        .health()
        .ears.flatMap((ear) => (ear.why ?? []).map(({ code }) => code));
    };
    return { hearing, kept, why };
  };

  it('say so at the start, by log and by their health', () => {
    const english = open(['en']);
    expect(english.kept.lines.join()).toContain('talk off the subject is not judged');
    expect(english.why()).toContain('no_talk');
    const both = open(['en', 'zh-CN']);
    expect(both.kept.lines.join()).not.toContain('off the subject');
    expect(both.why()).not.toContain('no_talk');
  });

  it('say so as soon as another pack asks it', () => {
    const { hearing, kept, why } = open(['en'], without);
    expect(kept.lines.join()).not.toContain('off the subject');
    hearing.repack(pack);
    expect(kept.lines.join()).toContain('off the subject');
    expect(why()).toContain('no_talk');
  });
});
