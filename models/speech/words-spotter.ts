/** An ear over an engine that gives words: its words go through the lexicon, and what stands in the pack becomes hits. Runs in the child. */
import type { Phrase } from '../../protocol/rules.ts';
import { AROUND_SAMPLES, createExcerpts } from './excerpt.ts';
import { createLexicon, englishUnits, type LexiconHit, mandarinUnits, type Units } from './lexicon/lexicon.ts';
import type { ProjectWords } from './lexicon/slots.ts';
import type { Hit, LaterWords, Talk } from './recogniser.ts';
import { soundsOf } from './syllables.ts';
import { createTalkCount } from './talk.ts';

/** A word that the engine holds for final. Samples count from the engine's first one; `sure` is 0..1. */
export interface HeardWord {
  readonly text: string;
  readonly beginSample: number;
  readonly endSample: number;
  readonly sure: number;
}

/** An engine of this kind. `accept` returns the words that became final with these samples (int16 scale). */
export interface WordEngine {
  accept(samples: Int16Array): HeardWord[];
  close(): void;
}

/** A suspect whose words the engine itself doubts (mean below this) is not confirmed. */
const SURE = 0.5;
/** Units kept for what was heard around a hit; of those, only what was said within this time of it leaves the room. */
const KEPT = 80;
/** Words come when an utterance ends: those of the last moments may be so much later. */
const SETTLED_SAMPLES = 5 * 16000;

interface Unit {
  readonly text: string;
  readonly beginSample: number;
  readonly endSample: number;
  readonly sure: number;
}

export interface WordSpotter {
  readonly patterns: number;
  accept(samples: Int16Array): Hit[];
  /** The count of the stretch of talk that the samples accepted last have completed. */
  talk(): Talk | undefined;
  /** What the samples accepted last have completed: the words around earlier hits, up to 10 s after them. */
  later(): readonly LaterWords[];
}

/** `phrases` may be of any language; those of `language` are looked for, with their context. */
export function createWordSpotter(deps: {
  engine: WordEngine;
  language: string;
  phrases: readonly Phrase[];
  project?: ProjectWords | undefined;
}): WordSpotter {
  const units: Units = deps.language.startsWith('zh') ? mandarinUnits(soundsOf) : englishUnits;
  const lexicon = createLexicon({ phrases: deps.phrases, units, project: deps.project });
  const talkCount = createTalkCount({ language: deps.language, spell: units.spell, project: deps.project });
  let talk: Talk | undefined;
  const excerpts = createExcerpts();
  let later: readonly LaterWords[] = [];
  let heard: Unit[] = [];
  /** Index of heard[0] among all units. */
  let first = 0;
  let position = 0;

  const hitOf = ({ phraseId, text, cost, limit, begin, end }: LexiconHit): Hit | undefined => {
    const span = heard.slice(Math.max(0, begin - first), end - first + 1);
    if (span.length === 0 || span.reduce((sum, unit) => sum + unit.sure, 0) < SURE * span.length) return undefined;
    const [from, to] = [span[0]!.beginSample - AROUND_SAMPLES, span.at(-1)!.endSample + AROUND_SAMPLES];
    const textOf = (list: readonly Unit[]) =>
      list.flatMap((unit) => (unit.text === '' || unit.endSample < from || unit.beginSample > to ? [] : [unit.text]));
    const before = textOf(heard.slice(0, Math.max(0, begin - first)));
    const after = textOf(heard.slice(end - first + 1));
    const head = [...before, text].join(' ');
    const hit: Hit = {
      phraseId,
      text,
      // Never above 0, as all scores: what it cost to take these units for the phrase.
      score: cost === 0 ? 0 : -cost,
      threshold: -limit,
      beginSample: span[0]!.beginSample,
      endSample: span.at(-1)!.endSample,
      neededSample: position,
      heard: [head, ...after].join(' '),
    };
    excerpts.begin(hit, head, after);
    return hit;
  };

  const keep = (unit: Unit) => {
    heard.push(unit);
    if (unit.text !== '') excerpts.unit(unit.text, unit.endSample);
    if (heard.length <= KEPT) return;
    const gone = heard.length - KEPT / 2;
    heard = heard.slice(gone);
    first += gone;
  };

  return {
    patterns: lexicon.patterns,
    accept(samples) {
      const hits: Hit[] = [];
      const words = deps.engine.accept(samples);
      position += samples.length;
      for (const word of words) {
        const spelt = units.spell(word.text);
        spelt.forEach((text, i) => {
          const length = (word.endSample - word.beginSample) / spelt.length;
          const beginSample = Math.round(word.beginSample + i * length);
          if (word.sure >= SURE) talkCount.unit(text);
          keep({ text, sure: word.sure, beginSample, endSample: Math.round(beginSample + length) });
          hits.push(...lexicon.push(text).flatMap((one) => hitOf(one) ?? []));
        });
      }
      // The engine has ended an utterance: a phrase at its end waits for no further word. The end counts as a unit.
      if (words.length > 0) {
        hits.push(...lexicon.flush().flatMap((one) => hitOf(one) ?? []));
        keep({ text: '', sure: 1, beginSample: position, endSample: position });
      }
      later = excerpts.due(position, SETTLED_SAMPLES);
      talk = talkCount.advance(samples.length);
      return hits.sort((a, b) => a.endSample - b.endSample);
    },
    talk: () => talk,
    later: () => later,
  };
}
