/** An ear over sherpa-onnx's keyword spotter: what it tells becomes hits of the pack's phrases. Runs in the child. */
import type { Hit } from './recogniser.ts';
import type { SherpaKeywords } from './sherpa-keywords.ts';
import type { WordSpotter } from './words-spotter.ts';

/** Tells keywords as it comes upon them, by name, with the seconds from their first token to the last. */
export interface KeywordEngine {
  accept(samples: Int16Array): readonly { readonly keyword: string; readonly lastedS: number }[];
  close(): void;
}

/** Only the begin of the last token is told. */
const TOKEN = 0.2 * 16_000;
/** The same phrase again within a second is the same hit. */
const AGAIN = 16_000;

/**
 * The engine tells a keyword in the moment that it ends, and neither a score nor a place that can be relied upon: a hit ends
 * with the sound that was given, and both score and threshold are 0. No context is minded: nothing else is understood.
 */
export function createKeywordSpotter(deps: { engine: KeywordEngine; keywords: SherpaKeywords }): WordSpotter {
  const { engine, keywords } = deps;
  const reported = new Map<string, number>();
  let position = 0;
  return {
    patterns: keywords.lines.length,
    accept(samples) {
      position += samples.length;
      return engine.accept(samples).flatMap(({ keyword, lastedS }): Hit[] => {
        const form = keywords.formOf.get(keyword);
        if (!form) return [];
        const last = reported.get(form.phraseId);
        reported.set(form.phraseId, position);
        if (last !== undefined && position - last <= AGAIN) return [];
        const beginSample = Math.max(0, Math.round(position - lastedS * 16_000 - TOKEN));
        return [{ ...form, score: 0, threshold: 0, beginSample, endSample: position, heard: form.text }];
      });
    },
    talk: () => undefined,
    // It hears nothing but the phrases.
    later: () => [],
  };
}
