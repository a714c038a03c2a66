/** Picks the engine that listens for a language; every ear of a room is made here. */
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import { createFsmn } from './fsmn.ts';
import { fillPhrases } from './lexicon/slots.ts';
import { createPocketsphinx } from './pocketsphinx.ts';
import type { Recogniser, RecogniserOptions } from './recogniser.ts';

export type Engine = 'auto' | 'fsmn' | 'pocketsphinx';

/** An ear that cannot hear and says why for as long as it lives. */
export function createDeaf(deps: { engine: string; language: string; reason: string }): Recogniser {
  const { engine, language, reason } = deps;
  return {
    engine,
    language,
    start: async () => undefined,
    accept: () => undefined,
    onHit: () => undefined,
    health: () => ({ state: 'deaf', reason, rtf: 0, restarts: 0, dropped: 0 }),
    close: async () => undefined,
  };
}

const speaks = (language: string, wanted: string) => language.split('-')[0] === wanted;

/**
 * The ear for one language on one microphone. `options.phrases` may hold other languages' phrases: they are left out.
 * Never throws: whatever is missing stands in `health()`, and what can come later (a model) is looked for again.
 */
export function createEars(deps: {
  language: string;
  engine?: Engine;
  options: RecogniserOptions;
  log: Logger;
  clock: Clock;
}): Recogniser {
  const { language, engine = 'auto', clock, log } = deps;
  const own = language.split('-')[0]!;
  const phrases = fillPhrases(
    deps.options.phrases.filter((phrase) => speaks(phrase.language, own)),
    deps.options.project,
  );
  const options = { ...deps.options, phrases };
  const chosen = engine === 'auto' ? { zh: 'fsmn', en: 'pocketsphinx' }[own] : engine;
  if (chosen === undefined)
    return createDeaf({
      engine: 'none',
      language,
      reason: `no engine for ${language}; there are some for zh-CN and en`,
    });
  if (phrases.length === 0)
    return createDeaf({ engine: chosen, language, reason: `the rule pack has no phrases in ${language}` });
  return chosen === 'fsmn' ? createFsmn({ options, clock, log }) : createPocketsphinx({ options, clock, log });
}
