/** The Mandarin ear as one synchronous piece: samples in, confirmed hits of the pack's phrases out. Runs inside the worker. */
import type { Phrase } from '../../protocol/rules.ts';
import { align, isConfirmed, type Limits, limitsOf } from './confirm.ts';
import { createExcerpts } from './excerpt.ts';
import { createFbank, STEP, WINDOW } from './fbank.ts';
import { createFsmnNet, NET_SKIP } from './fsmn-net.ts';
import { createGate } from './gate.ts';
import { createLexicon, type LexiconHit, mandarinUnits } from './lexicon/lexicon.ts';
import { createOverlap } from './lexicon/overlap.ts';
import type { ProjectWords } from './lexicon/slots.ts';
import type { Net, Normalisation } from './nnet.ts';
import type { Hit, LaterWords, Talk } from './recogniser.ts';
import { type Candidate, createScorer, type ScoredForm } from './scorer.ts';
import { createSyllables, type Syllables, soundsOf } from './syllables.ts';
import { createTalkCount } from './talk.ts';

/** Samples per frame of the net (30 ms). */
const FRAME = STEP * NET_SKIP;
/** Frames of posteriors kept for the second pass: 10 s, and as many samples for what was heard. */
const KEPT = Math.round((10 * 16000) / FRAME);
const KEPT_SAMPLES = KEPT * FRAME;
/** Frames around a candidate that its second pass may use. */
const MARGIN = 5;
/** A needed word may come after the phrase, but not for ever. */
const HELD_SAMPLES = 3 * 16000;
/** Lexicon suspects of at least so many syllables get the second pass. A lower limit for them brought false alarms. */
const AGREED_LEAST = 5;
/** Log probability from which a syllable counts as understood: one half. */
const SURE = Math.log(0.5);
/** Scores never lie above 0: a suspicion must stay possible. */
const MOST_STRICT = -0.25;
/** A phrase that was reported is not reported again when it ends within this time of the first: 1 s. */
const AGAIN_FRAMES = Math.round(16000 / FRAME);
/** From one syllable to the next so much, what it takes to say it counted as a quarter of a second, is a pause of 0.35 s. */
const PAUSED_SAMPLES = 0.6 * 16000;
/** A syllable is known so much after it was said: what the gate holds and the net looks ahead. */
const SETTLED_SAMPLES = 16000;

export interface SpotterModel {
  readonly net: Net;
  readonly mvn: Normalisation;
  readonly tokens: readonly string[];
  /** How easily each syllable is heard by chance, worked out when it is first asked for; without it all count alike. */
  chance?(syllables: Syllables): Float32Array;
}

/** `unheard`: forms that cannot be spotted, with the reason; their phrases are heard through their other forms only. */
export interface Spotter {
  readonly forms: number;
  readonly unheard: readonly { readonly phraseId: string; readonly reason: string }[];
  /** Hits of these samples (int16 scale), in order of their end. */
  accept(samples: Int16Array): Hit[];
  /** The count of the stretch of talk that the samples accepted last have completed. */
  talk(): Talk | undefined;
  /** What the samples accepted last have completed: the words around earlier hits, up to 10 s after them. */
  later(): readonly LaterWords[];
}

/** A phrase with this mean was said as it is written. */
const OUTRIGHT = -0.5;
/** Characters that are spoken: punctuation is not. */
const syllableCount = (text: string) => text.replace(/[^\p{Script=Han}]/gu, '').length;
const NOBODY: readonly [number, number] = [0, 0];
/** A bidder by its number or by a letter, as slots are filled. */
const NUMBERED = /第[一二三四五六七八九十]{1,3}家|[甲乙丙丁戊己庚辛壬癸]公司/;

interface Form extends ScoredForm {
  readonly phraseId: string;
  readonly text: string;
  readonly limits: Limits;
  /** Syllables that say which bidder is meant: from the first to before the last. */
  readonly name: readonly [number, number];
}

/** A form that stood the second pass, or that is suspected without it; frames count from the first one. */
interface Found {
  readonly level?: 'suspected';
  readonly form: Form;
  readonly score: number;
  readonly begin: number;
  readonly end: number;
}

/** Builds the spotter for the phrases of one language. Never throws for a phrase; see `unheard`. */
export function createSpotter(deps: {
  model: SpotterModel;
  phrases: readonly Phrase[];
  project?: ProjectWords | undefined;
  /** Lowers every limit of the mean: for measuring what another strictness would give. */
  ease?: number;
  /** Also tells what is part of another hit or the same again: with a lax ear, for whoever sorts its hits by margin afterwards. */
  everything?: boolean;
  /** Told of everything that the first pass suspects, whatever becomes of it: for measuring what the second one costs. */
  onSuspect?: (suspect: { readonly phraseId: string; readonly endSample: number }) => void;
  /** Also tells what the running score alone makes suspect, as such. */
  tellSuspected?: boolean;
  /** The net is given everything, for measuring what the gate before it is worth. */
  ungated?: boolean;
}): Spotter {
  const {
    model,
    phrases,
    project,
    ease = 0,
    everything = false,
    onSuspect,
    tellSuspected = false,
    ungated = false,
  } = deps;
  const syllables = createSyllables(model.tokens);
  const chance = model.chance?.(syllables);
  const unheard: { phraseId: string; reason: string }[] = [];
  const names = (project?.bidders.flat() ?? []).sort((a, b) => b.length - a.length);
  const nameIn = (text: string): readonly [number, number] => {
    const name = names.find((one) => text.includes(one)) ?? NUMBERED.exec(text)?.[0];
    if (name === undefined) return NOBODY;
    const begin = syllableCount(text.slice(0, text.indexOf(name)));
    return [begin, begin + syllableCount(name)];
  };
  const forms = phrases.flatMap((phrase) => {
    // A phrase of one bidder alone leaves no doubt who is meant.
    const named = phrase.forms.filter((text) => nameIn(text)[1] > 0).length;
    const several = named > 1;
    return phrase.forms.flatMap((text) => {
      try {
        const spelling = syllables.spell(text);
        const limits = limitsOf(spelling, ease, chance);
        // What could be any of many bidders comes by chance as many times as often: its odds must be so much longer.
        const strict = several ? limits.suspected + Math.log(named) / spelling.length : limits.suspected;
        return [
          {
            phraseId: phrase.phraseId,
            text,
            spelling,
            limits: { ...limits, suspected: Math.min(strict, MOST_STRICT) },
            name: several ? nameIn(text) : NOBODY,
            threshold: limits.running,
          },
        ];
      } catch (error) {
        unheard.push({ phraseId: phrase.phraseId, reason: (error as Error).message });
        return [];
      }
    });
  });
  const gate = ungated ? undefined : createGate();
  const fbank = createFbank();
  const net = createFsmnNet(model.net, model.mvn);
  const scorer = createScorer(forms);
  /** Posteriors of the last frames; kept[0] is frame `first`. */
  let kept: Float32Array[] = [];
  let first = 0;
  const said: { name: string; frame: number; sample: number }[] = [];
  /** Syllables heard before said[0]. */
  let forgotten = 0;
  let lastClass = 0;
  const reported = new Map<string, number>();
  const suspectedLast = new Map<string, number>();
  const categories = new Map(phrases.map(({ phraseId, category }) => [phraseId, category]));
  const overlap = createOverlap((phraseId) => categories.get(phraseId));
  let held: { found: Found; untilSample: number }[] = [];
  const units = mandarinUnits(soundsOf);
  const lexicon = createLexicon({ phrases, units, project });
  const talkCount = createTalkCount({ language: 'zh', spell: units.spell, project });
  let talk: Talk | undefined;
  const excerpts = createExcerpts();
  let position = 0;
  let later: readonly LaterWords[] = [];
  const formOf = new Map(forms.map((form) => [`${form.phraseId} ${form.text}`, form]));

  /** Frames count what the net was given; samples all that was heard. */
  const sampleOf = (frame: number) => (gate ? gate.placeOf(frame * FRAME) : frame * FRAME);

  /** Greedy decoding, one syllable at a time, through the lexicon: the strip of pinyin that people read beside a hit. */
  const listen = (logs: Float32Array, frame: number): LexiconHit[] => {
    let top = 0;
    for (let i = 1; i < logs.length; i++) if (logs[i]! > logs[top]!) top = i;
    const fresh = top !== lastClass && top !== 0;
    lastClass = top;
    const sample = sampleOf(frame);
    while (said.length > 0 && said[0]!.sample < sample - KEPT_SAMPLES) {
      said.shift();
      forgotten++;
    }
    if (!fresh) return [];
    const last = said.at(-1);
    if (last && sample - last.sample >= PAUSED_SAMPLES) lexicon.pause();
    said.push({ name: syllables.names[top]!, frame, sample });
    excerpts.unit(syllables.names[top]!, sample);
    if (logs[top]! >= SURE) talkCount.unit(syllables.names[top]!);
    return lexicon.push(syllables.names[top]!);
  };

  /** The words up to a phrase and with it, and those behind it. */
  const heard = (text: string, begin: number, end: number): { head: string; after: string[] } => {
    const before = said.filter((s) => s.frame < begin - 1).map((s) => s.name);
    const after = said.filter((s) => s.frame > end + 1).map((s) => s.name);
    return { head: [...before, text].join(' '), after };
  };

  /** Second pass over the frames of a suspect. */
  const confirm = (form: Form, beginFrame: number, endFrame: number): Found[] => {
    const from = Math.max(first, beginFrame - MARGIN);
    const aligned = align(
      kept.slice(from - first, endFrame + MARGIN - first),
      form.spelling,
      form.limits.cap,
      (i) => i >= form.name[0] && i < form.name[1],
    );
    if (!aligned || !isConfirmed(aligned, form.spelling.length, form.limits)) return [];
    return [
      {
        form,
        score: aligned.score,
        begin: from + aligned.beginFrame,
        end: from + aligned.endFrame,
      },
    ];
  };

  /** Without the second pass: what has so much that it is worth a doubtful word. */
  const suspect = ({ form, score, beginFrame, endFrame }: Candidate): Found[] => {
    const suspected = forms[form]!;
    return tellSuspected && score >= suspected.limits.suspected
      ? [{ level: 'suspected', form: suspected, score, begin: beginFrame, end: endFrame }]
      : [];
  };

  /** What the lexicon suspects in the greedy syllables, where the running pass may have passed it over. */
  const agreed = (suspects: readonly LexiconHit[]): Found[] =>
    suspects.flatMap(({ phraseId, text, begin, end }) => {
      const form = formOf.get(`${phraseId} ${text}`);
      const [from, to] = [said[begin - forgotten]?.frame, said[end - forgotten]?.frame];
      if (!form || from === undefined || to === undefined || form.spelling.length < AGREED_LEAST) return [];
      return confirm(form, from, to + 1);
    });

  /** Whether the words around it let it count; one that waits for a needed word is asked again. */
  const judge = (found: Found): 'allowed' | 'refused' | 'open' => {
    const unit = (frame: number) => forgotten + said.filter((one) => one.frame < frame).length;
    return lexicon.judge(found.form.phraseId, unit(found.begin - 1), unit(found.end + 2) - 1);
  };

  /** One more frame of log probabilities; what it settles, in order of merit. */
  const advance = (logs: Float32Array, frame: number): Found[] => {
    kept.push(logs);
    if (kept.length > KEPT) {
      kept = kept.slice(kept.length - KEPT);
      first = frame - KEPT + 1;
    }
    const suspects = listen(logs, frame);
    const running = scorer.push(logs);
    for (const { form, endFrame } of onSuspect ? running : [])
      onSuspect?.({ phraseId: forms[form]!.phraseId, endSample: sampleOf(endFrame) + WINDOW });
    const found = [
      ...running.flatMap((one) => {
        const confirmed = confirm(forms[one.form]!, one.beginFrame, one.endFrame);
        return confirmed.length > 0 ? confirmed : suspect(one);
      }),
      ...agreed(suspects),
    ];
    // Of several forms of one phrase the best one speaks for it, a confirmed one before any other.
    found.sort((a, b) => Number(a.level !== undefined) - Number(b.level !== undefined) || b.score - a.score);
    const sample = sampleOf(frame);
    const waiting = [...held, ...found.map((one) => ({ found: one, untilSample: sample + HELD_SAMPLES }))];
    held = [];
    return waiting.flatMap((one) => {
      const verdict = judge(one.found);
      if (verdict === 'open' && sample < one.untilSample) held.push(one);
      return verdict === 'allowed' ? [one.found] : [];
    });
  };

  return {
    forms: forms.length,
    unheard,
    accept(samples) {
      const hits: Hit[] = [];
      const passed = gate ? gate.push(samples) : samples;
      for (const posterior of net.push(fbank.push(passed))) {
        const frame = first + kept.length;
        for (const { level, form, score, begin, end } of advance(syllables.pool(posterior), frame)) {
          const last = reported.get(form.phraseId);
          // A lax ear would tell a poor match and pass over the good one behind it: who asked for everything sorts them out.
          if (!everything && last !== undefined && end - last <= AGAIN_FRAMES) continue;
          const stretch = { phraseId: form.phraseId, begin, end, exact: score >= OUTRIGHT };
          if (!everything && overlap.covers(stretch)) continue;
          if (level) {
            const before = suspectedLast.get(form.phraseId);
            if (before !== undefined && end - before <= AGAIN_FRAMES) continue;
          } else overlap.add(stretch);
          (level ? suspectedLast : reported).set(form.phraseId, end);
          const { head, after } = heard(form.text, begin, end);
          const hit: Hit = {
            phraseId: form.phraseId,
            text: form.text,
            ...(level ? { level } : {}),
            score,
            threshold: level ? form.limits.suspected : form.limits.mean,
            beginSample: sampleOf(begin),
            endSample: sampleOf(end) + WINDOW,
            neededSample: sampleOf(frame + net.lookAhead) + 2 * STEP + WINDOW,
            heard: [head, ...after].join(' '),
          };
          hits.push(hit);
          excerpts.begin(hit, head, after);
        }
      }
      position += samples.length;
      later = excerpts.due(position, SETTLED_SAMPLES);
      talk = talkCount.advance(samples.length);
      return hits.sort((a, b) => a.endSample - b.endSample);
    },
    talk: () => talk,
    later: () => later,
  };
}
