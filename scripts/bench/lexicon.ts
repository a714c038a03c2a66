/** `evalroom bench lexicon`: the lexicon alone behind a channel that garbles syllables as a recogniser would. */
import { loadRulePack } from '../../models/rules/load.ts';
import { createLexicon, type Lexicon, mandarinUnits } from '../../models/speech/lexicon/lexicon.ts';
import { everydaySentences, readOutSentences } from '../../models/speech/lexicon/neutral.ts';
import { fillPhrases, type ProjectWords } from '../../models/speech/lexicon/slots.ts';
import { confusionsOf } from '../../models/speech/lexicon/sounds.ts';
import { soundsOf } from '../../models/speech/syllables.ts';
import type { Phrase } from '../../protocol/rules.ts';
import type { LexiconOptions } from '../bench.ts';

const RATES = [0, 0.05, 0.1, 0.15, 0.2, 0.24, 0.3, 0.4];
/** The neutral sentences so many times at each rate, garbled otherwise each time: 23 h of talk. */
const ROUNDS = 12;
const SYLLABLES_PER_HOUR = 4 * 3600;
/** Units of silence between two sentences in which something is said: nothing that was read out before reaches over it. */
const PAUSE = 80;
/** Of the errors: exchanged, lost, added. Half of the exchanges are usual confusions, the rest is any syllable. */
const EXCHANGED = 0.75;
const LOST = 0.15;

interface LexiconFigures {
  readonly patterns: number;
  readonly sentences: number;
  readonly rows: readonly {
    readonly syllableErrorRate: number;
    readonly recall: number;
    /** On everyday talk, and on what is read out of the rules and said of them, which has the words of phrases. */
    readonly falsePerHour: number;
    readonly falsePerHourReadOut: number;
    readonly hours: number;
  }[];
  readonly usPerSyllable: number;
}

function seeded(seed: number): () => number {
  let state = (Math.imul(seed, 2654435761) + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Bidders of a made-up project, so that the slots give as many patterns as a large one. */
const BIDDERS = '华远 中盛 宏泰 金禾 瑞丰 安捷 恒通 天成 博雅 远航 新域 明德'
  .split(' ')
  .map((name) => [`${name}建设公司`]);
const project: ProjectWords = { bidders: BIDDERS };

/** Passes syllables through a recogniser's errors at a rate. */
function garble(
  syllables: readonly string[],
  rate: number,
  random: () => number,
  vocabulary: readonly string[],
): string[] {
  const any = () => vocabulary[Math.floor(random() * vocabulary.length)]!;
  return syllables.flatMap((syllable) => {
    if (random() >= rate) return [syllable];
    const kind = random();
    if (kind < EXCHANGED) {
      const close = confusionsOf(syllable);
      return [random() < 0.5 && close.length > 0 ? close[Math.floor(random() * close.length)]! : any()];
    }
    return kind < EXCHANGED + LOST ? [] : [syllable, any()];
  });
}

/** The pack's own phrases with their context, as many forms of each as make `count` together. */
function formsOf(count: number): Phrase[] {
  const phrases = fillPhrases(
    loadRulePack('default').phrases.filter((phrase) => phrase.language.startsWith('zh')),
    project,
  );
  const longest = Math.max(...phrases.map((phrase) => phrase.forms.length));
  // First every phrase's first form, then every phrase's second one …
  const forms = Array.from({ length: longest }, (_, i) =>
    phrases.flatMap(({ phraseId, forms }) => (forms[i] === undefined ? [] : [{ phraseId, form: forms[i] }])),
  );
  const chosen = Map.groupBy(forms.flat().slice(0, count), ({ phraseId }) => phraseId);
  return phrases.flatMap((phrase) => {
    const own = chosen.get(phrase.phraseId);
    return own ? [{ ...phrase, forms: own.map(({ form }) => form) }] : [];
  });
}

interface Utterance {
  readonly phraseId: string;
  readonly text: string;
  /** Words that take it back where they are said before it. */
  readonly unless: readonly string[];
}

/** Each form as somebody says it: beside a word that its phrase needs, where it needs one. */
function utterancesOf(phrases: readonly Phrase[]): Utterance[] {
  return phrases.flatMap(({ phraseId, forms, context }) =>
    forms.map((form, i) => {
      const needed = context?.needs?.[i % context.needs.length];
      const text = needed === undefined || form.includes(needed) ? form : `${needed}${form}`;
      return { phraseId, text, unless: context?.unless ?? [] };
    }),
  );
}

const holds = (units: readonly string[], term: readonly string[]) =>
  ` ${units.join(' ')} `.includes(` ${term.join(' ')} `);

/**
 * At every rate: all neutral sentences `rounds` times through the channel, and once with a phrase put into each, before it
 * where the sentence would negate or quote it. Only the phrase that was put in counts as found, whichever of its forms was told.
 */
export function measureLexicon(deps: {
  patterns: number;
  seed: number;
  rounds: number;
  rates?: readonly number[];
}): LexiconFigures {
  const { patterns, seed, rounds, rates = RATES } = deps;
  const units = mandarinUnits(soundsOf);
  const phrases = formsOf(patterns);
  const spellings = new Map<string, readonly string[]>();
  const spell = (text: string) => spellings.get(text) ?? spellings.set(text, units.spell(text)).get(text)!;
  const utterances = utterancesOf(phrases).map(({ phraseId, text, unless }) => ({
    phraseId,
    spelt: spell(text),
    unless: unless.map(spell),
  }));
  const everyday = everydaySentences('zh').map((sentence) => units.spell(sentence));
  const readOut = readOutSentences('zh').map((sentence) => units.spell(sentence));
  const sentences = [...everyday, ...readOut];
  const vocabulary = [...new Set(sentences.flat())];
  let pushed = 0;
  let spentUs = 0;
  const rows = rates.map((syllableErrorRate) => {
    const random = seeded(seed + Math.round(syllableErrorRate * 1000));
    // Talk without phrases is one stream and talk with them another, so that no phrase spills over into neutral talk.
    const [plain, spoken] = [createLexicon({ phrases, units, project }), createLexicon({ phrases, units, project })];
    let found = 0;
    const wrong = [0, 0] as [number, number];
    const syllables = [0, 0] as [number, number];
    const run = (lexicon: Lexicon, heard: readonly string[]) => {
      const began = process.threadCpuUsage();
      const hits = [...heard.flatMap((unit) => lexicon.push(unit)), ...lexicon.flush()];
      const spent = process.threadCpuUsage(began);
      spentUs += spent.user + spent.system;
      pushed += heard.length + 1;
      return hits.map((hit) => hit.phraseId);
    };
    sentences.forEach((sentence, i) => {
      const kind = i < everyday.length ? 0 : 1;
      for (let round = 0; round < rounds; round++)
        wrong[kind] += run(plain, garble(sentence, syllableErrorRate, random, vocabulary)).length;
      syllables[kind] += rounds * sentence.length;
      const { phraseId, spelt, unless } = utterances[i % utterances.length]!;
      const asked = Math.floor(random() * (sentence.length + 1));
      const at = unless.some((term) => holds(sentence.slice(0, asked), term)) ? 0 : asked;
      const whole = [...sentence.slice(0, at), ...spelt, ...sentence.slice(at)];
      if (run(spoken, garble(whole, syllableErrorRate, random, vocabulary)).includes(phraseId)) found++;
      for (let unit = 0; unit < PAUSE; unit++) spoken.push('');
    });
    const perHour = (kind: 0 | 1) => (wrong[kind] * SYLLABLES_PER_HOUR) / syllables[kind];
    return {
      syllableErrorRate,
      recall: found / sentences.length,
      falsePerHour: perHour(0),
      falsePerHourReadOut: perHour(1),
      hours: (syllables[0] + syllables[1]) / SYLLABLES_PER_HOUR,
    };
  });
  return { patterns: utterances.length, sentences: sentences.length, rows, usPerSyllable: spentUs / pushed };
}

/** Prints a table, and with `json` one object as the last line. */
export function benchLexicon({ patterns, seed, json }: LexiconOptions): void {
  const figures = measureLexicon({ patterns, seed, rounds: ROUNDS });
  console.log(`${figures.patterns} patterns, ${figures.sentences} neutral sentences, seed ${seed}`);
  for (const { syllableErrorRate, recall, falsePerHour, falsePerHourReadOut, hours } of figures.rows)
    console.log(
      `${`${Math.round(syllableErrorRate * 100)} %`.padStart(5)} wrong syllables: recall ${recall.toFixed(3)}, ${falsePerHour.toFixed(2)} false per hour of talk, ${falsePerHourReadOut.toFixed(1)} of rules being read out (${hours.toFixed(1)} h)`,
    );
  console.log(`${figures.usPerSyllable.toFixed(1)} microseconds per syllable`);
  if (json) console.log(JSON.stringify(figures));
}
