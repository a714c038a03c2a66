/** What the worker of the rule page does: checks, tries and reruns drafts. Pure work on what it is given, and the model's files. */

import { unitsOf } from '../../models/rules/heard.ts';
import { createLinter, type Linter } from '../../models/rules/lint.ts';
import { type PackProblem, readDraft } from '../../models/rules/problems.ts';
import { createReader, levelOfHit, type Rerun, rerun } from '../../models/rules/rerun.ts';
import type { StoredEpisode } from '../../models/rules/stored.ts';
import { readFsmnModel } from '../../models/speech/fsmn-files.ts';
import { createSpotter } from '../../models/speech/fsmn-spotter.ts';
import { everydaySentences, readOutSentences } from '../../models/speech/lexicon/neutral.ts';
import { fillPhrases, type ProjectWords } from '../../models/speech/lexicon/slots.ts';
import { InvalidInput } from '../../protocol/errors.ts';
import type { Phrase, RulePack } from '../../protocol/rules.ts';
import type { CheckView, ListenView, SentenceHit, SentenceView } from '../http/rules-api.ts';
import { EAR_RATE, peakDb, readWav } from './rules-sound.ts';

export type RulesJob =
  | { readonly kind: 'check'; readonly draft: unknown; readonly phraseId?: string }
  | {
      readonly kind: 'sentence';
      readonly draft: unknown;
      readonly language: string;
      readonly text: string;
      readonly project?: ProjectWords;
    }
  | {
      readonly kind: 'rerun';
      readonly draft: unknown;
      readonly base: RulePack;
      readonly episodes: readonly StoredEpisode[];
    }
  | { readonly kind: 'sound'; readonly wav: Uint8Array }
  | {
      readonly kind: 'listen';
      readonly draft: unknown;
      readonly samples: Int16Array;
      readonly modelsFolder: string;
      readonly project?: ProjectWords;
    };

export interface RulesResults {
  readonly check: CheckView;
  readonly sentence: SentenceView;
  readonly rerun: Rerun;
  readonly sound: Int16Array;
  readonly listen: ListenView;
}

const FINDINGS_MAX = 200;
/** A microphone delivers blocks of about this size. */
const BLOCK = 1600;
/** Silence after a recording, so that what was said last is settled. */
const TAIL = EAR_RATE;

/** Everyday sentences are spelt once for each language. */
export function createRulesJobs(): <K extends RulesJob['kind']>(job: RulesJob & { kind: K }) => RulesResults[K] {
  const linters = new Map<string, Linter>();
  const linterOf = (language: 'zh' | 'en') => {
    let linter = linters.get(language);
    if (!linter) {
      const [neutral, readOut] = [everydaySentences(language), readOutSentences(language)];
      linter = createLinter({ units: unitsOf(language)!, neutral, readOut });
      linters.set(language, linter);
    }
    return linter;
  };
  const does: { [K in RulesJob['kind']]: (job: RulesJob & { kind: K }) => RulesResults[K] } = {
    check({ draft, phraseId }) {
      const read = readDraft(draft);
      if ('problem' in read) return { problems: [read.problem], findings: [], more: 0 };
      const { pack, problems } = read;
      const asked = pack.phrases.find((phrase) => phrase.phraseId === phraseId);
      const languages = (['zh', 'en'] as const).filter((one) => !asked || asked.language.startsWith(one));
      const findings = languages.flatMap((one) => linterOf(one).lint(speakable(pack.phrases), asked?.phraseId));
      return {
        problems: asked ? problems.filter((problem) => concerns(problem, asked.phraseId)) : problems,
        findings: findings.slice(0, FINDINGS_MAX),
        more: Math.max(0, findings.length - FINDINGS_MAX),
      };
    },
    sentence({ draft, language, text, project }) {
      const pack = packOf(draft);
      const hits = createReader(pack, project)({ language, text });
      const bare = { ...pack, phrases: pack.phrases.map(({ context: _context, ...phrase }) => phrase) };
      const stopped = createReader(
        bare,
        project,
      )({ language, text }).filter(
        (hit) => !hits.some((one) => one.phraseId === hit.phraseId && one.from < hit.to && one.to > hit.from),
      );
      return {
        hits,
        stopped: stopped.map((hit) => ({ ...hit, ...whyStopped(pack, hit, { language, text, project }) })),
      };
    },
    rerun: ({ draft, base, episodes }) => rerun({ base, draft: packOf(draft), episodes }),
    sound: ({ wav }) => readWav(wav),
    listen({ draft, samples, modelsFolder, project }) {
      const pack = packOf(draft);
      const own = fillPhrases(
        pack.phrases.filter(({ language }) => language.startsWith('zh')),
        project,
      );
      const spotter = createSpotter({ model: readFsmnModel(modelsFolder), phrases: own, project });
      const sound = new Int16Array(samples.length + TAIL);
      sound.set(samples);
      const byId = new Map(own.map((phrase) => [phrase.phraseId, phrase]));
      const hits: ListenView['hits'][number][] = [];
      for (let at = 0; at < sound.length; at += BLOCK)
        for (const hit of spotter.accept(sound.subarray(at, at + BLOCK))) {
          const phrase = byId.get(hit.phraseId);
          if (!phrase) continue;
          const level = levelOfHit(pack, phrase);
          const { phraseId, text, score, threshold, heard } = hit;
          hits.push({
            ...{ phraseId, text, category: phrase.category, score, threshold, heard },
            ...(level === undefined ? {} : { level }),
            beginS: hit.beginSample / EAR_RATE,
            endS: Math.min(samples.length, hit.endSample) / EAR_RATE,
          });
        }
      return {
        hits,
        seconds: samples.length / EAR_RATE,
        peakDb: peakDb(samples),
        unheard: [...new Set(spotter.unheard.map(({ phraseId }) => phraseId))],
      };
    },
  };
  return (job) => (does[job.kind] as (job: RulesJob) => never)(job);
}

/**
 * Why the context forbids a hit that the phrase has without one: found by reading the sentence again with parts of the
 * context, since how far a word reaches, and whether it was heard at all, is the lexicon's business.
 */
function whyStopped(
  pack: RulePack,
  hit: SentenceHit,
  said: { readonly language: string; readonly text: string; readonly project?: ProjectWords | undefined },
): { readonly why: 'unless'; readonly word?: string } | { readonly why: 'needs' | 'both' } {
  const phrase = pack.phrases.find(({ phraseId }) => phraseId === hit.phraseId)!;
  const { context = {}, ...bare } = phrase;
  const counts = (some: Phrase['context']) =>
    createReader(
      { ...pack, phrases: [some ? { ...bare, context: some } : bare] },
      said.project,
    )(said).some((one) => one.from < hit.to && one.to > hit.from);
  const { needs, unless = [] } = context;
  const near = needs ? { needs } : undefined;
  if (counts(near)) {
    const word = unless.find((one) => !counts({ ...near, unless: [one] }));
    return { why: 'unless', ...(word === undefined ? {} : { word }) };
  }
  return { why: unless.length === 0 || counts({ unless }) ? 'needs' : 'both' };
}

/** The draft as a pack; one with faults is refused, since it could not run either. */
export function packOf(draft: unknown): RulePack {
  const read = readDraft(draft);
  const problem = 'problem' in read ? read.problem : read.problems[0];
  if (problem || 'problem' in read)
    throw new InvalidInput(
      'rules_draft_faults',
      `trying a draft of a rule pack: ${problem?.words.en ?? 'it has faults'}`,
    );
  return read.pack;
}

/** Forms that nobody could say would match everything or nothing. */
const speakable = (phrases: readonly Phrase[]): Phrase[] =>
  phrases.map((phrase) => ({ ...phrase, forms: phrase.forms.filter((form) => form.trim() !== '') }));

const concerns = (problem: PackProblem, phraseId: string) =>
  problem.phraseId === undefined || problem.phraseId === phraseId;
