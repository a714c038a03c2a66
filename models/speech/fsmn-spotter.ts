/** The Mandarin ear as one synchronous piece: samples in, confirmed hits of the pack's phrases out. Runs inside the worker. */
import type { Phrase } from '../../protocol/rules.ts';
import { align, isConfirmed, limitsOf } from './confirm.ts';
import { createFbank, STEP, WINDOW } from './fbank.ts';
import { createFsmnNet, NET_SKIP } from './fsmn-net.ts';
import type { Net, Normalisation } from './nnet.ts';
import type { Hit } from './recogniser.ts';
import { createScorer } from './scorer.ts';
import { createSyllables } from './syllables.ts';

/** Samples per frame of the net (30 ms). */
const FRAME = STEP * NET_SKIP;
/** Frames of posteriors kept for the second pass and for what was heard: 10 s. */
const KEPT = Math.round((10 * 16000) / FRAME);
/** Frames around a candidate that its second pass may use. */
const MARGIN = 5;
/** A phrase that was reported is not reported again when it ends within this time of the first: 1 s. */
const AGAIN_FRAMES = Math.round(16000 / FRAME);

export interface SpotterModel {
  readonly net: Net;
  readonly mvn: Normalisation;
  readonly tokens: readonly string[];
}

/** `unheard`: forms that cannot be spotted, with the reason; their phrases are heard through their other forms only. */
export interface Spotter {
  readonly forms: number;
  readonly unheard: readonly { readonly phraseId: string; readonly reason: string }[];
  /** Hits that were confirmed by these samples (int16 scale), in order of their end. */
  accept(samples: Int16Array): Hit[];
}

/** Builds the spotter for the phrases of one language. Never throws for a phrase; see `unheard`. */
export function createSpotter({ model, phrases }: { model: SpotterModel; phrases: readonly Phrase[] }): Spotter {
  const syllables = createSyllables(model.tokens);
  const unheard: { phraseId: string; reason: string }[] = [];
  const forms = phrases.flatMap((phrase) =>
    phrase.forms.flatMap((text) => {
      try {
        const spelling = syllables.spell(text);
        const limits = limitsOf(spelling);
        return [{ phraseId: phrase.phraseId, text, spelling, limits, threshold: limits.mean }];
      } catch (error) {
        unheard.push({ phraseId: phrase.phraseId, reason: (error as Error).message });
        return [];
      }
    }),
  );
  const fbank = createFbank();
  const net = createFsmnNet(model.net, model.mvn);
  const scorer = createScorer(forms);
  /** Posteriors of the last frames; kept[0] is frame `first`. */
  let kept: Float32Array[] = [];
  let first = 0;
  const said: { name: string; frame: number }[] = [];
  let lastClass = 0;
  const reported = new Map<string, number>();

  /** Greedy decoding, one syllable at a time: the strip of pinyin that people read beside a hit. */
  const listen = (logs: Float32Array, frame: number) => {
    let top = 0;
    for (let i = 1; i < logs.length; i++) if (logs[i]! > logs[top]!) top = i;
    if (top !== lastClass && top !== 0) said.push({ name: syllables.names[top]!, frame });
    lastClass = top;
    while (said.length > 0 && said[0]!.frame < frame - KEPT) said.shift();
  };

  const heard = (text: string, begin: number, end: number): string => {
    const before = said.filter((s) => s.frame < begin - 1).map((s) => s.name);
    const after = said.filter((s) => s.frame > end + 1).map((s) => s.name);
    return [...before, text, ...after].join(' ');
  };

  return {
    forms: forms.length,
    unheard,
    accept(samples) {
      const hits: Hit[] = [];
      for (const posterior of net.push(fbank.push(samples))) {
        const logs = syllables.pool(posterior);
        const frame = first + kept.length;
        kept.push(logs);
        if (kept.length > KEPT) {
          kept = kept.slice(kept.length - KEPT);
          first = frame - KEPT + 1;
        }
        listen(logs, frame);
        const found = scorer.push(logs).flatMap((candidate) => {
          const form = forms[candidate.form]!;
          const from = Math.max(first, candidate.beginFrame - MARGIN);
          const span = kept.slice(from - first, candidate.endFrame + MARGIN - first);
          const aligned = align(span, form.spelling);
          if (!aligned || !isConfirmed(aligned, form.spelling.length, form.limits)) return [];
          return [{ form, aligned, begin: from + aligned.beginFrame, end: from + aligned.endFrame }];
        });
        // Of several forms of one phrase the best one speaks for it.
        found.sort((a, b) => b.aligned.score - a.aligned.score);
        for (const { form, aligned, begin, end } of found) {
          const last = reported.get(form.phraseId);
          if (last !== undefined && end - last <= AGAIN_FRAMES) continue;
          reported.set(form.phraseId, end);
          hits.push({
            phraseId: form.phraseId,
            text: form.text,
            score: aligned.score,
            threshold: form.threshold,
            beginSample: begin * FRAME,
            endSample: end * FRAME + WINDOW,
            neededSample: (frame + net.lookAhead) * FRAME + 2 * STEP + WINDOW,
            heard: heard(form.text, begin, end),
          });
        }
      }
      return hits.sort((a, b) => a.endSample - b.endSample);
    },
  };
}
