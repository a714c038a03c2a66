/** Which phrases `evalroom eval speech` listens for, and which of them a label means. */
import { loadRulePack, loadRules } from '../models/rules/load.ts';
import { fillPhrases } from '../models/speech/lexicon/slots.ts';
import { spokenForms } from '../models/speech/lexicon/spoken.ts';
import { soundsOf } from '../models/speech/syllables.ts';
import { InvalidInput } from '../protocol/errors.ts';
import { SPEECH_CATEGORIES, type SpeechCategory } from '../protocol/observation.ts';
import type { Phrase, RulePack } from '../protocol/rules.ts';
import type { MeantBy, SpeechClip } from './eval-speech-score.ts';

/** What is listened for, and how it is judged. */
export interface Plan {
  /** Its phrases are those of the language, with every slot filled. */
  readonly pack: RulePack;
  /** Phrases that were drawn, where they were. */
  readonly drawn?: readonly string[];
  readonly meant: MeantBy;
  readonly sound: (text: string) => string;
}

/**
 * Phrases of `rules`, or drawn ones, or those of the labels. Throws InvalidInput where there are none in what was asked for
 * (`nothing_to_draw`, `no_phrases`).
 */
export function planOf(deps: {
  clips: readonly SpeechClip[];
  language: string;
  rules?: string | undefined;
  draw?: { readonly count: number; readonly seed: number } | undefined;
}): Plan {
  const { clips, language, rules, draw } = deps;
  const standard = loadRulePack('default');
  const sound = soundIn(language);
  if (draw) {
    const transcripts = clips.flatMap((clip) => clip.transcript ?? []);
    const drawn = drawPhrases(transcripts, draw.count, draw.seed, language);
    if (drawn.length === 0 && clips.length > 0)
      throw new InvalidInput(
        'nothing_to_draw',
        `drawing phrases: no transcript has three ${language === 'zh' ? 'Chinese characters' : 'words'} in a row; labels.json must have the transcript of each clip`,
      );
    const phrases = drawn.map((text) => asPhrase(text, null, language));
    return { pack: { ...standard, phrases }, drawn, meant: () => new Set(), sound };
  }
  const real = rules === undefined ? undefined : loadRules(rules);
  const phrases = real
    ? fillPhrases(real.phrases.filter((phrase) => phrase.language.startsWith(language)))
    : labelledPhrases(clips, language);
  if (real && phrases.length === 0)
    throw new InvalidInput('no_phrases', `--rules ${rules}: it has no phrase in ${language}`);
  const meant = meantBy({ clips, phrases, language, parts: real !== undefined });
  return { pack: { ...(real ?? standard), phrases }, meant, sound };
}

/** What a text sounds like, units separated by blanks: toneless pinyin, or words in lower case. */
export function soundIn(language: string): (text: string) => string {
  // Pinyin is slow, and the same texts come again and again.
  const known = new Map<string, string>();
  return (text) => {
    let found = known.get(text);
    if (found === undefined) {
      found = language === 'zh' ? soundsOf(text) : wordsIn(text, language);
      known.set(text, found);
    }
    return found;
  };
}

const wordsIn = (text: string, language: string) =>
  (spokenForms(text, language)[0] ?? text)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}']+/gu, ' ')
    .trim();

const isCategory = (category: string | null): category is SpeechCategory =>
  (SPEECH_CATEGORIES as readonly (string | null)[]).includes(category);

/** One text as a phrase of a pack; the text is its id. */
export function asPhrase(text: string, category: string | null, language: string): Phrase {
  const own = isCategory(category) ? category : 'prohibited';
  const [filled] = fillPhrases([{ phraseId: text, language, category: own, forms: [text], citation: '' }]);
  return filled!;
}

/** The labelled phrases of the clips, each once. */
function labelledPhrases(clips: readonly SpeechClip[], language: string): Phrase[] {
  const byText = new Map<string, Phrase>();
  for (const { said, category } of clips)
    for (const { phrase } of said) byText.set(phrase, byText.get(phrase) ?? asPhrase(phrase, category, language));
  return [...byText.values()];
}

/**
 * For each labelled text the phrases that it means: those with a form that sounds the same, and of a real pack also those
 * with a form that is part of the text: who says the whole says the part.
 */
function meantBy(deps: {
  clips: readonly SpeechClip[];
  phrases: readonly Phrase[];
  language: string;
  parts: boolean;
}): (text: string) => ReadonlySet<string> {
  const { clips, phrases, language, parts } = deps;
  const sound = soundIn(language);
  // Characters beside their sound: one with several readings may be read otherwise out of its context.
  const ways = (text: string) => [` ${sound(text)} `, text.replace(/[\s\p{P}\p{S}]/gu, '').toLowerCase()];
  const forms = phrases.flatMap(({ phraseId, forms }) => forms.map((form) => ({ phraseId, ways: ways(form) })));
  const texts = new Set(clips.flatMap(({ said }) => said.map(({ phrase }) => phrase)));
  const meant = new Map(
    [...texts].map((text) => {
      const own = spokenForms(text, language).map(ways);
      const is = (form: readonly string[]) =>
        form.some(
          (way, i) =>
            way.trim() !== '' && own.some((reading) => reading[i] === way || (parts && reading[i]!.includes(way))),
        );
      const ids = forms.filter((form) => form.phraseId === text || is(form.ways)).map(({ phraseId }) => phraseId);
      return [text, new Set(ids)];
    }),
  );
  return (text) => meant.get(text) ?? new Set();
}

/**
 * Draws up to `count` phrases, each from another transcript, the same for the same seed: 3 to 6 characters of Mandarin, as
 * many words of another language.
 */
export function drawPhrases(transcripts: readonly string[], count: number, seed: number, language = 'zh'): string[] {
  let state = Math.imul(seed, 2654435761) >>> 0;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const runsOf = (transcript: string): string[][] =>
    language === 'zh'
      ? (transcript.match(/\p{Script=Han}+/gu) ?? []).map((run) => [...run])
      : [transcript.match(/[\p{L}']+/gu) ?? []];
  const pool = [...new Set(transcripts)].sort();
  const drawn = new Set<string>();
  while (drawn.size < count && pool.length > 0) {
    const transcript = pool.splice(Math.floor(random() * pool.length), 1)[0]!;
    const length = 3 + Math.floor(random() * 4);
    const runs = runsOf(transcript).filter((run) => run.length >= length);
    const run = runs[Math.floor(random() * runs.length)];
    if (!run) continue;
    const from = Math.floor(random() * (run.length - length + 1));
    drawn.add(run.slice(from, from + length).join(language === 'zh' ? '' : ' '));
  }
  return [...drawn];
}
