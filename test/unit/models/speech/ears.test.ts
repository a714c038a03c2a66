/** The choice of the ear: by language, and never silently deaf. */
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createEars, ENGINES, noting, talkNote } from '../../../../models/speech/ears.ts';
import { manualClock } from './manual-clock.ts';

const log = pino({ level: 'silent' });
const phrase = (language: string) => ({
  phraseId: `p-${language.toLowerCase()}`,
  language,
  category: 'prohibited' as const,
  forms: [language === 'en' ? 'change the scores' : '改一改分数'],
  citation: 'c',
});
const options = { phrases: [phrase('zh-CN'), phrase('en')], modelsFolder: '/nonexistent' };
const make = (language: string, over: Partial<typeof options> = {}) =>
  createEars({ language, options: { ...options, ...over }, log, clock: manualClock() });

describe('createEars', () => {
  it.each([
    ['zh-CN', 'fsmn'],
    ['en', 'pocketsphinx'],
  ])('listens for %s with %s', (language, engine) => {
    const ear = make(language);
    expect([ear.engine, ear.language]).toEqual([engine, language]);
  });

  it('says that there is no engine for another language', async () => {
    const ear = make('fr');
    await ear.start(new AbortController().signal);
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: expect.stringContaining('no engine for fr') });
    await ear.close();
  });

  it('says that the rule pack has no phrases in a language', () => {
    const ear = make('en', { phrases: [phrase('zh-CN')] });
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: 'the rule pack has no phrases in en' });
  });

  it('says what to do when the Mandarin model is not there', async () => {
    const ear = make('zh-CN');
    await ear.start(new AbortController().signal);
    ear.accept(new Int16Array(1600));
    expect(ear.health()).toMatchObject({
      state: 'deaf',
      reason: expect.stringMatching(/kwsr\.net.*run: evalroom models fetch zh/),
    });
    await ear.close();
  });
});

describe('talk off the subject', () => {
  it('cannot be told where no engine understands all that is said', () => {
    const note = (languages: string[], engines: Parameters<typeof talkNote>[0]['engines'] = {}) =>
      talkNote({ languages, engines })?.named?.engines;
    expect(note(['en'])).toBe('pocketsphinx');
    expect(note(['en', 'zh-CN'])).toBeUndefined();
    expect(note(['en'], { en: ['pocketsphinx', 'vosk'] })).toBeUndefined();
    expect(note(['zh-CN', 'en'], { 'zh-CN': ['sherpa-kws'] })).toBe('sherpa-kws, pocketsphinx');
    // There is no ear at all, which is told as that.
    expect(note(['fr'])).toBeUndefined();
  });

  it.each(ENGINES)('is what %s itself says of it', (engine) => {
    const language = engine === 'pocketsphinx' ? 'en' : 'zh-CN';
    const ear = createEars({ language, engines: [engine], options, log, clock: manualClock() });
    expect(ear.onTalk === undefined).toBe(
      talkNote({ languages: [language], engines: { [language]: [engine] } }) !== undefined,
    );
  });

  it('stands in the health of an ear beside what else is to be said of it', () => {
    const noted = noting(make('en', { phrases: [phrase('zh-CN')] }), talkNote({ languages: ['en'], engines: {} })!);
    expect(noted.health()).toMatchObject({
      state: 'deaf',
      missing: true,
      reason: expect.stringMatching(/^the rule pack has no phrases in en; talk off the subject is not judged/),
      why: [{ code: 'no_phrases' }, { code: 'no_talk' }],
    });
  });
});
