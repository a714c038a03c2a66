/** A draft over stored episodes: what it silences, raises, grades otherwise, and what it leaves alone. */
import { describe, expect, it } from 'vitest';
import { loadRulePack } from '../../../../models/rules/load.ts';
import { createReader, rerun } from '../../../../models/rules/rerun.ts';
import { type StoredEpisode, withWords } from '../../../../models/rules/stored.ts';
import type { Phrase, RulePack } from '../../../../protocol/rules.ts';

const phrase = (phraseId: string, form: string, more: Partial<Phrase> = {}): Phrase => ({
  phraseId,
  language: 'zh-CN',
  category: 'prohibited',
  forms: [form],
  citation: '纪律',
  ...more,
});
const { rules } = loadRulePack('default');
const pack = (phrases: readonly Phrase[], changed: Partial<RulePack['rules']> = {}): RulePack => ({
  name: 'p',
  version: '1.0.0',
  title: { zh: '试', en: 'try' },
  cooldownMs: 60_000,
  rules: { ...rules, ...changed },
  phrases,
});
const TEXT = 'wo men 把分数改一改 ran hou kan di san jia';
const at = TEXT.indexOf('把');
const episode = (more: Partial<StoredEpisode> = {}): StoredEpisode => ({
  episodeId: 'e-1',
  roomId: 'room-1',
  behaviour: 'speech_prohibited',
  level: 'alarm',
  beganWallMs: 1_760_000_000_000,
  durationMs: 1500,
  transcripts: [{ language: 'zh-CN', engine: 'fsmn', text: TEXT, hit: [at, at + 6] }],
  ...more,
});
const base = pack([phrase('a', '把分数改一改')]);
const changes = (draft: RulePack, episodes = [episode()]) => rerun({ base, draft, episodes }).findings;

describe('createReader', () => {
  it('finds a phrase in characters among pinyin, in pinyin alone, and in English words', () => {
    const read = createReader(
      pack([phrase('a', '把分数改一改'), phrase('e', 'change the scores', { language: 'en' })]),
    );
    const [hit] = read({ language: 'zh-CN', text: TEXT });
    expect(hit).toMatchObject({ phraseId: 'a', from: at, to: at + 6, level: 'alarm' });
    expect(read({ language: 'zh-CN', text: 'ba fen shu gai yi gai' })).toMatchObject([
      { phraseId: 'a', from: 0, to: 21 },
    ]);
    expect(read({ language: 'en', text: 'please change the scores now' })).toMatchObject([{ phraseId: 'e', from: 7 }]);
    expect(read({ language: 'fr', text: 'bonjour' })).toEqual([]);
    // Nothing of one excerpt is a context of the next.
    const needs = createReader(pack([phrase('n', '把分数改一改', { context: { needs: ['第三家'] } })]));
    expect(needs({ language: 'zh-CN', text: '看第三家' })).toEqual([]);
    expect(needs({ language: 'zh-CN', text: '把分数改一改' })).toEqual([]);
    expect(needs({ language: 'zh-CN', text: TEXT })).toHaveLength(1);
  });
});

describe('rerun', () => {
  it('finds nothing to say about the same pack', () => {
    expect(changes(base)).toEqual([]);
  });

  it('fills slots with the bidders of each episode, and says nothing of what neither pack can read', () => {
    const slotted = pack([phrase('a', '就选{BIDDER}吧')]);
    const text = 'wo kan 就选华远吧 hao';
    const said = (bidders?: string[][]) =>
      episode({
        transcripts: [{ language: 'zh-CN', engine: 'fsmn', text, hit: [7, 12] }],
        ...(bidders ? { bidders } : {}),
      });
    const over = (draft: RulePack, one: StoredEpisode) => rerun({ base: slotted, draft, episodes: [one] });
    expect(over(slotted, said([['华远']]))).toMatchObject({ findings: [], unread: 0 });
    expect(over(pack([]), said([['华远']]))).toMatchObject({ findings: [{ change: 'silenced' }], unread: 0 });
    expect(over(slotted, said())).toMatchObject({ findings: [], unread: 1 });
  });

  it('says what a draft silences: the phrase gone, in another context, or its rule switched off', () => {
    expect(changes(pack([]))).toMatchObject([{ change: 'silenced', before: 'alarm', excerpt: TEXT }]);
    const unless = { context: { unless: ['我们'] } };
    expect(changes(pack([phrase('a', '把分数改一改', unless)]))).toMatchObject([{ change: 'silenced' }]);
    const { speech_prohibited: _off, ...rest } = rules;
    expect(changes({ ...base, rules: rest })).toMatchObject([{ change: 'silenced' }]);
  });

  it('says what a draft raises beside it, and what it grades or names otherwise', () => {
    const more = pack([...base.phrases, phrase('b', '然后看第三家', { category: 'suggestive' })]);
    expect(changes(more)).toMatchObject([{ change: 'raised', after: 'notice', hit: { phraseId: 'b' } }]);
    expect(changes(pack([phrase('a', '把分数改一改', { gravity: 'notice' })]))).toMatchObject([
      { change: 'milder', before: 'alarm', after: 'notice' },
    ]);
    expect(changes(pack([phrase('a', '把分数改一改', { category: 'tendentious' })]))).toMatchObject([
      { change: 'moved', hit: { category: 'tendentious' } },
    ]);
  });

  it('judges behaviours by their length, and leaves alone what it cannot know', () => {
    const away = (durationMs: number, level: 'notice' | 'alarm' = 'notice') =>
      episode({ behaviour: 'left_seat', level, durationMs, transcripts: [] });
    const longer = pack(base.phrases, { left_seat: { ...rules.left_seat!, noticeMs: 60_000 } });
    expect(changes(longer, [away(42_000), away(61_000)])).toMatchObject([{ change: 'silenced', before: 'notice' }]);
    const stricter = pack(base.phrases, { left_seat: { ...rules.left_seat!, alarmMs: 40_000 } });
    expect(changes(stricter, [away(42_000)])).toMatchObject([{ change: 'graver', after: 'alarm' }]);
    // An alarm by the sum of a session is no matter of this absence's length.
    expect(changes(longer, [away(20_000, 'alarm')])).toEqual([]);
    const blind = episode({ behaviour: 'camera_fault', fault: 'frozen', durationMs: 6000, transcripts: [] });
    const patient = pack(base.phrases, { camera_fault: { ...rules.camera_fault!, frozenMs: 10_000 } });
    expect(changes(patient, [blind])).toMatchObject([{ change: 'silenced' }]);
    expect(changes(patient, [{ ...blind, fault: 'covered' }])).toEqual([]);
  });

  it('judges every fault of cameras and microphones by its own threshold', () => {
    const faulty = (behaviour: 'camera_fault' | 'microphone_fault', fault: string, durationMs = 600_000) =>
      episode({ behaviour, fault, durationMs, transcripts: [] });
    const camera = pack(base.phrases, { camera_fault: { ...rules.camera_fault!, downMs: 3_600_000 } });
    expect(changes(camera, [faulty('camera_fault', 'record_down')])).toMatchObject([{ change: 'silenced' }]);
    const dark = (changed: { darkMs?: number | null; coveredMs?: number }) =>
      changes(pack(base.phrases, { camera_fault: { ...rules.camera_fault!, ...changed } }), [
        { ...faulty('camera_fault', 'dark'), level: 'notice' },
      ]);
    expect(dark({})).toEqual([]);
    expect(dark({ darkMs: null })).toMatchObject([{ change: 'silenced' }]);
    expect(dark({ coveredMs: 3_600_000 })).toMatchObject([{ change: 'silenced' }]);
    const own = { ...rules.microphone_fault!, clippingMs: 5000, speechlessMs: 1_200_000 };
    const before = pack(base.phrases, { microphone_fault: own });
    const under = (changed: Partial<typeof own> | { clippingMs: null } | { speechlessMs: null }, fault: string) =>
      rerun({
        base: before,
        draft: pack(base.phrases, { microphone_fault: { ...own, ...changed } }),
        episodes: [faulty('microphone_fault', fault)],
      }).findings;
    for (const [fault, key] of [
      ['muted', 'mutedMs'],
      ['deaf', 'deafMs'],
      ['down', 'downMs'],
      ['clipping', 'clippingMs'],
    ] as const)
      expect(under({ [key]: 3_600_000 }, fault), fault).toMatchObject([{ change: 'silenced' }]);
    expect(under({ clippingMs: null }, 'clipping')).toMatchObject([{ change: 'silenced' }]);
    expect(under({ speechlessMs: null }, 'speechless')).toMatchObject([{ change: 'silenced' }]);
    // Ten minutes were enough since another microphone heard people; whether they still are is not in its length.
    expect(under({ speechlessMs: 3_600_000 }, 'speechless')).toEqual([]);
    expect(under({}, 'clipping')).toEqual([]);
  });

  it('judges talk off the subject, which has no words of its own, by its own rule', () => {
    const talk = episode({ behaviour: 'speech_irrelevant', level: 'notice', durationMs: 300_000, transcripts: [] });
    const off = rules.off_subject!;
    const { off_subject: _off, ...rest } = rules;
    expect(changes({ ...base, rules: rest }, [talk])).toMatchObject([{ change: 'silenced', before: 'notice' }]);
    const patient = pack(base.phrases, { off_subject: { ...off, noticeMs: 600_000 } });
    expect(changes(patient, [talk])).toMatchObject([{ change: 'silenced' }]);
    expect(changes(base, [talk])).toEqual([]);
    // Words of the category have their own rule, and stay.
    const { speech_irrelevant: _words, ...others } = rules;
    expect(changes({ ...base, rules: others }, [talk])).toEqual([]);
  });

  describe('of what was only suspected', () => {
    const doubt = (more: Partial<StoredEpisode> = {}): StoredEpisode => {
      const { transcripts, ...rest } = episode({ level: 'notice', ...more });
      return { ...rest, transcripts: transcripts.map((words) => ({ ...words, suspected: true as const })) };
    };
    const told = { speech_prohibited: { ...rules.speech_prohibited!, suspected: 'notice' as const } };
    const off = { speech_prohibited: { ...rules.speech_prohibited!, suspected: 'off' as const } };
    const before = pack(base.phrases, told);
    const under = (draft: RulePack, one = doubt()) => rerun({ base: before, draft, episodes: [one] }).findings;

    it('is silenced where the draft does not have it told, and by the same pack is left alone', () => {
      expect(under(before)).toEqual([]);
      expect(under(pack(base.phrases, off))).toMatchObject([
        { change: 'silenced', suspected: true, before: 'notice', excerpt: TEXT },
      ]);
      // What was confirmed is another matter, also beside a suspicion.
      expect(under(pack(base.phrases, off), episode())).toEqual([]);
      const both = { ...episode(), transcripts: [...doubt().transcripts, ...episode().transcripts] };
      expect(under(pack(base.phrases, off), both)).toEqual([]);
    });

    it('stays a notice, however grave the phrase', () => {
      const grave = pack([phrase('a', '把分数改一改', { gravity: 'alarm' })], told);
      expect(under(grave)).toEqual([]);
      const mild = pack([phrase('a', '把分数改一改', { gravity: 'notice' })], told);
      expect(rerun({ base: mild, draft: grave, episodes: [doubt()] }).findings).toEqual([]);
    });

    it('may become sure where a phrase of the draft reaches from there into what was heard', () => {
      const longer = pack([phrase('b', '把分数改一改然后看第三家')], off);
      expect(under(longer)).toMatchObject([
        { change: 'sure', suspected: true, before: 'notice', after: 'alarm', hit: { phraseId: 'b' } },
      ]);
      // The ear had that phrase in its pack and was not sure of it.
      const had = pack(longer.phrases, told);
      expect(rerun({ base: had, draft: had, episodes: [doubt()] }).findings).toEqual([]);
    });

    it('once confirmed is no suspicion any more', () => {
      const words = episode().transcripts[0]!;
      const body = (to: string, text = TEXT) =>
        ({ phase: 'update', from: 'SILENT', to, transcript: { ...words, text } }) as never;
      const doubted = withWords([], body('SUSPECTED'));
      expect(doubted).toEqual([{ ...words, suspected: true }]);
      expect(withWords(doubted, body('SUSPECTED', `${TEXT} hao`))).toEqual([
        { ...words, text: `${TEXT} hao`, suspected: true },
      ]);
      expect(withWords(doubted, body('SPOKEN'))).toEqual([words]);
      expect(withWords([words], body('SUSPECTED'))).toEqual([words]);
    });
  });
});
