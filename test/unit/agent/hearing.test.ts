/** What of the heard is shown in a clip. */
import { describe, expect, it } from 'vitest';
import { captionOf } from '../../../agent/hearing.ts';
import type { PhraseObservation } from '../../../protocol/observation.ts';

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
