/** What sherpa-onnx is told of the pack's phrases: hotwords for its recogniser, keyword lines for its keyword spotter. Pure text. */
import { pinyin } from 'pinyin-pro';
import type { Phrase } from '../../protocol/rules.ts';
import { because, type Why } from '../../protocol/why.ts';

const HAN = /\p{Script=Han}/u;
/** Not spoken. */
const SILENT = /[\s\p{P}\p{S}]/gu;
const INITIAL = /^(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])/;
/** A keyword's tokens are favoured by this (natural logarithm, each) on their way through the search: the library's own example. */
const BOOST = 1.5;
/**
 * Mean probability of its tokens from which a keyword is told, by how many syllables it has at least: a short one is found in
 * everyday talk sooner. The library's own value is 0.25. Not measured.
 */
const SURE = [
  [5, 0.2],
  [4, 0.25],
  [0, 0.35],
] as const;

/** How the tokens of a model are made, in the library's words; undefined where hotwords cannot be spelt for it. */
export type ModelingUnit = 'cjkchar' | 'bpe' | 'cjkchar+bpe';

/** `tokens`: of tokens.txt. Pieces of words need the vocabulary file that came with them. */
export function modelingUnitOf(tokens: ReadonlySet<string>, hasVocabulary: boolean): ModelingUnit | undefined {
  const characters = [...tokens].some((token) => HAN.test(token));
  if (hasVocabulary) return characters ? 'cjkchar+bpe' : 'bpe';
  return characters ? 'cjkchar' : undefined;
}

/** The lines of a hotwords file: forms that the model has tokens for. The library passes over others with a line in its log. */
export function hotwordLines(phrases: readonly Phrase[], tokens: ReadonlySet<string>, unit: ModelingUnit): string[] {
  const lines = phrases.flatMap((phrase) =>
    phrase.forms.flatMap((form) => {
      const spoken = form.replace(SILENT, unit === 'cjkchar' ? '' : ' ').trim();
      const known = [...spoken].every((character) => !HAN.test(character) || tokens.has(character));
      const sayable = known && (unit !== 'cjkchar' || /^\p{Script=Han}{2,}$/u.test(spoken));
      // Models of English write in capitals.
      return sayable ? [unit === 'bpe' ? spoken.toUpperCase() : spoken] : [];
    }),
  );
  return [...new Set(lines)];
}

/** Tokens of tokens.txt: a token and its number on each line. */
export function readTokens(text: string): ReadonlySet<string> {
  return new Set(text.split(/\r?\n/).flatMap((line) => /^(\S+)\s+\d+$/.exec(line)?.[1] ?? []));
}

/** Words of an en.phone file with their phones: a word and its phones on each line, the first spelling counts. */
export function readPronunciations(text: string): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, readonly string[]>();
  for (const line of text.split(/\r?\n/)) {
    const [word, ...phones] = line.trim().split(/\s+/);
    if (word && phones.length > 0 && !words.has(word.toLowerCase())) words.set(word.toLowerCase(), phones);
  }
  return words;
}

/** What the spotter is to listen for: lines of its keywords file, and whose form each is by the name that it tells. */
export interface SherpaKeywords {
  readonly lines: readonly string[];
  readonly formOf: ReadonlyMap<string, { readonly phraseId: string; readonly text: string }>;
  readonly unheard: readonly { readonly phraseId: string; readonly reason: string }[];
}

/**
 * `pronunciations`: for English words. A form with a sound that the model has no token for comes back in `unheard`, and so does
 * a phrase that counts near certain words only, unless another engine of the room minds them (`minded`): it must not count alone.
 */
export function planSherpaKeywords(deps: {
  phrases: readonly Phrase[];
  tokens: ReadonlySet<string>;
  pronunciations?: ReadonlyMap<string, readonly string[]>;
  minded?: boolean;
}): SherpaKeywords {
  const { phrases, tokens, pronunciations, minded = false } = deps;
  const lines: string[] = [];
  const formOf = new Map<string, { phraseId: string; text: string }>();
  const unheard: { phraseId: string; reason: string }[] = [];
  for (const { phraseId, forms, context } of phrases) {
    if (!minded && (context?.needs?.length ?? 0) > 0) {
      unheard.push({
        phraseId,
        reason: 'it counts near certain words only, and this engine alone does not hear those',
      });
      continue;
    }
    for (const text of forms) {
      const spelt = HAN.test(text) ? spellMandarin(text, tokens) : spellEnglish(text, tokens, pronunciations);
      // A name without blanks: what follows one would be taken for something else.
      const name = HAN.test(text) ? text.replace(SILENT, '') : text.replace(SILENT, ' ').trim().replace(/ +/g, '_');
      if (typeof spelt === 'string') unheard.push({ phraseId, reason: `"${text}": ${spelt}` });
      else if (!formOf.has(name)) {
        const [, sure] = SURE.find(([least]) => spelt.syllables >= least)!;
        lines.push(`${spelt.tokens.join(' ')} :${BOOST} #${sure} @${name}`);
        formOf.set(name, { phraseId, text });
      }
    }
  }
  return { lines, formOf, unheard };
}

/** What a spotter with this plan is to say of itself; nothing when it hears every phrase as the pack means it. */
export function partlyOf(plan: {
  readonly phrases: readonly Phrase[];
  readonly keywords: SherpaKeywords;
  readonly minded?: boolean | undefined;
}): readonly Why[] {
  const { phrases, keywords, minded = false } = plan;
  const heard = new Set([...keywords.formOf.values()].map(({ phraseId }) => phraseId));
  const careless = minded ? [] : phrases.filter((one) => heard.has(one.phraseId) && one.context?.unless?.length);
  const unheard = keywords.unheard.map(({ phraseId, reason }) => `${phraseId} (${reason})`).join('; ');
  return [
    ...(unheard === '' ? [] : [because('deaf_to', { phrases: unheard })]),
    ...(careless.length > 0
      ? [because('context_unread', { phrases: careless.map(({ phraseId }) => phraseId).join(', ') })]
      : []),
  ];
}

type Spelt = { readonly tokens: readonly string[]; readonly syllables: number } | string;

/** Initial and toned final of each syllable. In place of a neutral tone, which has no token, stands the character's own. */
function spellMandarin(form: string, known: ReadonlySet<string>): Spelt {
  const characters = [...form.replace(SILENT, '')];
  const inContext = pinyin(characters.join(''), { type: 'array' });
  const tokens: string[] = [];
  for (const [i, character] of characters.entries()) {
    const readings = [inContext[i] ?? '', ...pinyin(character, { multiple: true, type: 'array' })];
    const split = readings.map((syllable) => {
      const initial = INITIAL.exec(syllable)?.[0] ?? '';
      return [initial, syllable.slice(initial.length)].filter((part) => part !== '');
    });
    const fits = split.find((parts) => parts.length > 0 && parts.every((part) => known.has(part)));
    if (!fits) return `the model has no tokens for ${character} (${inContext[i] ?? 'no reading'})`;
    tokens.push(...fits);
  }
  return characters.length < 2 ? 'one syllable matches everyday speech' : { tokens, syllables: characters.length };
}

function spellEnglish(
  form: string,
  known: ReadonlySet<string>,
  pronunciations: ReadonlyMap<string, readonly string[]> | undefined,
): Spelt {
  if (!pronunciations) return 'the model has no pronunciations of English words (en.phone)';
  const tokens: string[] = [];
  for (const word of form.toLowerCase().match(/[a-z']+/g) ?? []) {
    const phones = pronunciations.get(word);
    if (!phones?.every((phone) => known.has(phone))) return `the model does not know the word ${word}`;
    tokens.push(...phones);
  }
  // Vowels carry the stress in their names.
  const syllables = tokens.filter((phone) => /\d$/.test(phone)).length;
  return syllables < 2 ? 'one syllable matches everyday speech' : { tokens, syllables };
}
