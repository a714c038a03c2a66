/** Picks the engine that listens for a language; every ear of a room is made here. */
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import { because, reasonOf, type Why } from '../../protocol/why.ts';
import { createConfirming } from './confirming.ts';
import { createFsmn } from './fsmn.ts';
import { told } from './hosted.ts';
import { fillPhrases, leftOutOf } from './lexicon/slots.ts';
import { createPocketsphinx } from './pocketsphinx.ts';
import type { Recogniser, RecogniserOptions } from './recogniser.ts';
import { createWords } from './words.ts';

/** Engines by name; each hears one language, vosk and sherpa's two any that there is a model for. */
export const ENGINES = ['fsmn', 'pocketsphinx', 'vosk', 'sherpa', 'sherpa-kws'] as const;
export type Engine = (typeof ENGINES)[number];
const ONLY: Readonly<Partial<Record<Engine, string>>> = { fsmn: 'zh', pocketsphinx: 'en' };
/** They mind the words around a phrase (`context` of the pack); of the others `sherpa-kws` is told whether one of these is beside it. */
const MINDFUL: readonly (Engine | undefined)[] = ['fsmn', 'vosk', 'sherpa'];
const USUAL: Readonly<Record<string, Engine>> = { zh: 'fsmn', en: 'pocketsphinx' };

/** An ear that cannot hear and says why for as long as it lives. */
export function createDeaf(deps: { engine: string; language: string; why: Why }): Recogniser {
  const { engine, language, why } = deps;
  return {
    engine,
    language,
    start: async () => undefined,
    accept: () => undefined,
    onHit: () => undefined,
    health: () => ({ state: 'deaf', ...told([why]), missing: true, rtf: 0, restarts: 0, dropped: 0 }),
    close: async () => undefined,
  };
}

/** They understand all that is said, or try to: of the others nobody knows what it was about. */
const COUNTING: readonly Engine[] = ['fsmn', 'vosk', 'sherpa'];

/** Says so where no ear of these languages could tell talk off the subject; undefined where one can. */
export function talkNote(deps: {
  readonly languages: readonly string[];
  readonly engines: Readonly<Record<string, readonly Engine[]>>;
}): Why | undefined {
  const names = deps.languages.flatMap((language) => {
    const usual = USUAL[language.split('-')[0]!];
    return deps.engines[language] ?? (usual ? [usual] : []);
  });
  const engines = [...new Set(names)];
  // Without an engine there is no ear, and that is told.
  if (engines.length === 0 || engines.some((engine) => COUNTING.includes(engine))) return undefined;
  return because('no_talk', { engines: engines.join(', ') });
}

const speaks = (language: string, wanted: string) => language.split('-')[0] === wanted;

/**
 * The ear for one language on one microphone. `options.phrases` may hold other languages' phrases: they are left out.
 * `engines`: none for the usual one, one, or two of which the second confirms what the first suspects. Never throws:
 * whatever is missing stands in `health()`, and what can come later (a model) is looked for again.
 */
export function createEars(deps: {
  language: string;
  engines?: readonly Engine[];
  options: RecogniserOptions;
  log: Logger;
  clock: Clock;
}): Recogniser {
  const { language, clock, log } = deps;
  const own = language.split('-')[0]!;
  const spoken = deps.options.phrases.filter((phrase) => speaks(phrase.language, own));
  const phrases = fillPhrases(spoken, deps.options.project);
  const leftOut = leftOutOf(spoken, deps.options.project).map(({ text, reason: why }) => `"${text}" ${why}`);
  const options = { ...deps.options, phrases };
  const usual = USUAL[own];
  const [first = usual, second] = deps.engines ?? [];
  if (first === undefined)
    return createDeaf({
      engine: 'none',
      language,
      why: because('no_engine', { language }),
    });
  if (phrases.length === 0) return createDeaf({ engine: first, language, why: because('no_phrases', { language }) });
  const make = (engine: Engine, beside?: Engine): Recogniser => {
    if (ONLY[engine] !== undefined && ONLY[engine] !== own)
      return createDeaf({ engine, language, why: because('wrong_language', { engine, language }) });
    if (engine === 'fsmn') return createFsmn({ options, clock, log });
    if (engine === 'pocketsphinx') return createPocketsphinx({ options, clock, log });
    return createWords({ engine, language, options, minded: MINDFUL.includes(beside), clock, log });
  };
  if (second === undefined) return naming(make(first), leftOut);
  return naming(createConfirming({ fast: make(first, second), second: make(second, first), clock }), leftOut);
}

/** Names that are too many to be all told. */
const NAMED = 5;

/** The same ear, whose health also names what it was not given to listen for. */
function naming(ear: Recogniser, leftOut: readonly string[]): Recogniser {
  if (leftOut.length === 0) return ear;
  const more = leftOut.length > NAMED ? ` and ${leftOut.length - NAMED} more` : '';
  return noting(ear, because('left_out', { names: `${leftOut.slice(0, NAMED).join('; ')}${more}` }));
}

/** The same ear, whose health also says this. */
export function noting(ear: Recogniser, note: Why): Recogniser {
  return {
    ...ear,
    health() {
      const { reason, why, ...health } = ear.health();
      const { reason: words, why: noted } = told([...(why ?? []), note]);
      // Of an ear that gives no codes the words are all there is.
      const bare = reason !== undefined && why === undefined;
      return { ...health, ...(bare ? { reason: `${reason}; ${reasonOf([note])}` } : { reason: words!, why: noted! }) };
    },
  };
}
