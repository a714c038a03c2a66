/** A draft of a rule pack over what was stored: which episodes it would not have raised, which it would have graded otherwise, what else it hears. */
import type { Behaviour, Level, Transcript } from '../../protocol/event.ts';
import type { SpeechCategory } from '../../protocol/observation.ts';
import type {
  CameraFaultRule,
  MicrophoneFaultRule,
  Phrase,
  RulePack,
  Rules,
  SpeechRule,
} from '../../protocol/rules.ts';
import { createLexicon, type Lexicon, type Units } from '../speech/lexicon/lexicon.ts';
import type { ProjectWords } from '../speech/lexicon/slots.ts';
import { unitsOf } from './heard.ts';
import type { StoredEpisode } from './stored.ts';

/** A phrase of the pack in an excerpt; `from` and `to` are the range of the excerpt's text. */
export interface ExcerptHit {
  readonly phraseId: string;
  readonly form: string;
  readonly category: SpeechCategory;
  readonly from: number;
  readonly to: number;
  /** What it gives by itself; absent where the pack has no rule for its category. */
  readonly level?: Level;
}

/**
 * `silenced`: would not have been raised; `raised`: heard in an excerpt beside what was raised then; `sure`: was only
 * suspected, and a phrase of the draft reaches from there into what was heard.
 */
export interface RerunFinding {
  readonly episodeId: string;
  readonly roomId: string;
  readonly behaviour: Behaviour;
  readonly beganWallMs: number;
  readonly durationMs: number;
  readonly change: 'silenced' | 'raised' | 'graver' | 'milder' | 'moved' | 'sure';
  /** Nothing of it was ever more than suspected. */
  readonly suspected?: true;
  readonly before?: Level;
  readonly after?: Level;
  /** What the draft hears, where it is words. */
  readonly hit?: ExcerptHit;
  readonly excerpt?: string;
}

export interface Rerun {
  readonly episodes: number;
  /** Episodes with words that could be read again. */
  readonly excerpts: number;
  /** Of those, how many neither pack reads a phrase in: heard by another pack or with other bidders, nothing can be said of them. */
  readonly unread: number;
  readonly findings: readonly RerunFinding[];
}

/** Units of silence between two excerpts: beyond every window of the lexicon. */
const PAUSE = 24;

/** Level of a hit of the category by itself. */
export function levelOfHit(pack: RulePack, phrase: Pick<Phrase, 'category' | 'gravity'>): Level | undefined {
  const rule: SpeechRule | undefined = pack.rules[`speech_${phrase.category}`];
  return rule && (phrase.gravity ?? rule.level);
}

/** The phrases of a pack in excerpts: words as they were written down, or toneless pinyin with the phrase in characters. */
export function createReader(
  pack: RulePack,
  project?: ProjectWords,
): (excerpt: Pick<Transcript, 'language' | 'text'>) => ExcerptHit[] {
  const byId = new Map(pack.phrases.map((phrase) => [phrase.phraseId, phrase]));
  const lexicons = new Map<string, { units: Units; lexicon: Lexicon; position: number }>();
  const openFor = (language: string) => {
    const units = unitsOf(language);
    if (!units) return undefined;
    let opened = lexicons.get(units.language);
    if (!opened) {
      const lexicon = createLexicon({ phrases: pack.phrases, units, ...(project ? { project } : {}) });
      opened = { units, lexicon, position: 0 };
      lexicons.set(units.language, opened);
    }
    return opened;
  };
  return ({ language, text }) => {
    const opened = openFor(language);
    if (!opened) return [];
    const { units, lexicon } = opened;
    const places = placesOf(text, units);
    const first = opened.position;
    const hits = places.flatMap(({ unit }) => lexicon.push(unit));
    for (let i = 0; i < PAUSE; i++) hits.push(...lexicon.push(''));
    opened.position += places.length + PAUSE;
    return hits.flatMap(({ phraseId, text: form, begin, end }): ExcerptHit[] => {
      const [from, to, phrase] = [places[begin - first], places[end - first], byId.get(phraseId)];
      if (!from || !to || !phrase) return [];
      const level = levelOfHit(pack, phrase);
      return [
        {
          phraseId,
          form,
          category: phrase.category,
          from: from.from,
          to: to.to,
          ...(level === undefined ? {} : { level }),
        },
      ];
    });
  };
}

/** The units of a text, each with its place in it. Mandarin excerpts mix characters and toneless syllables. */
function placesOf(text: string, units: Units): { unit: string; from: number; to: number }[] {
  const places: { unit: string; from: number; to: number }[] = [];
  for (const match of text.matchAll(/\p{Script=Han}+|[^\s\p{Script=Han}]+/gu)) {
    const [word] = match;
    if (units.language === 'zh' && !/\p{Script=Han}/u.test(word)) {
      if (/^[a-z]+$/.test(word)) places.push({ unit: word, from: match.index, to: match.index + word.length });
      continue;
    }
    const spelt = units.spell(word);
    const letters = [...word];
    // One unit a character where that is so; else the whole word's place.
    let at = match.index;
    for (const [index, unit] of spelt.entries()) {
      const own = spelt.length === letters.length ? letters[index]!.length : 0;
      places.push(
        own > 0 ? { unit, from: at, to: at + own } : { unit, from: match.index, to: match.index + word.length },
      );
      at += own;
    }
  }
  return places;
}

/**
 * Compares what `draft` makes of stored episodes with what `base` makes of them. `base` is the pack that the draft began
 * from; where it does not explain an episode that the draft does, the stored level stands for it, and where neither does
 * nothing is said. Slots are filled with the bidders of each episode, or with those of `project`. Whether the ear would
 * confirm the very words that it only suspected is in its sound alone: they stay suspected here. Distances, shares and
 * sums over a session are not in a stored episode: a change of those is not judged.
 */
export function rerun({
  base,
  draft,
  episodes,
  project,
}: {
  readonly base: RulePack;
  readonly draft: RulePack;
  readonly episodes: readonly StoredEpisode[];
  readonly project?: ProjectWords;
}): Rerun {
  // One evaluation's episodes after another's: its readers serve them all, and few are held at a time.
  let open: { readonly key: string; readonly base: Read; readonly draft: Read } | undefined;
  const readersOf = ({ bidders = project?.bidders }: StoredEpisode) => {
    const key = JSON.stringify(bidders ?? []);
    if (open?.key !== key) {
      const words = bidders && { bidders };
      open = { key, base: createReader(base, words), draft: createReader(draft, words) };
    }
    return open;
  };
  let unread = 0;
  const findings = episodes.flatMap((episode) => {
    if (!ruleOf(episode).startsWith('speech_'))
      return graded(episode, levelFor(base, episode), levelFor(draft, episode), isLookedFor(draft, episode));
    const readers = readersOf(episode);
    const read = spoken(episode, { pack: base, read: readers.base }, { pack: draft, read: readers.draft });
    if (read.unread) unread += 1;
    return read.findings;
  });
  return {
    episodes: episodes.length,
    excerpts: episodes.filter(({ transcripts }) => transcripts.length > 0).length,
    unread,
    findings,
  };
}

type Read = ReturnType<typeof createReader>;

const facts = ({ episodeId, roomId, behaviour, beganWallMs, durationMs }: StoredEpisode) => ({
  episodeId,
  roomId,
  behaviour,
  beganWallMs,
  durationMs,
});

interface Spoken {
  readonly findings: RerunFinding[];
  readonly unread?: boolean;
}

interface Side {
  readonly pack: RulePack;
  readonly read: Read;
}

function spoken(episode: StoredEpisode, base: Side, draft: Side): Spoken {
  if (episode.transcripts.length === 0) return { findings: [] };
  const doubtful = episode.transcripts.every(({ suspected }) => suspected);
  const about = { ...facts(episode), ...(doubtful ? { suspected: true as const } : {}) };
  const heard = episode.transcripts.map((transcript) => {
    const [before, after] = [base.read(transcript), draft.read(transcript)];
    const inHit = (hit: ExcerptHit) => hit.from < transcript.hit[1] && hit.to > transcript.hit[0];
    const known = (hit: ExcerptHit) => before.some((one) => one.from < hit.to && one.to > hit.from);
    // The suspected phrase stands in the excerpt as it is written: only what the draft finds beyond it was heard as it stands.
    const anew = (hit: ExcerptHit) =>
      (hit.from < transcript.hit[0] || hit.to > transcript.hit[1]) &&
      !before.some(({ phraseId, form }) => phraseId === hit.phraseId && form === hit.form);
    const graded = (pack: RulePack, hits: readonly ExcerptHit[], isSure: (hit: ExcerptHit) => boolean) =>
      hits.filter(inHit).flatMap((hit): Graded[] => {
        const sure = !transcript.suspected || isSure(hit);
        const level = sure ? hit.level : doubtedLevel(pack, hit);
        return level ? [{ hit, level, sure }] : [];
      });
    return {
      text: transcript.text,
      was: graded(base.pack, before, () => false),
      is: graded(draft.pack, after, anew),
      fresh: after.filter((hit) => !inHit(hit) && hit.level && !known(hit)),
    };
  });
  const was = heard.flatMap((one) => one.was);
  const is = heard.flatMap((one) => one.is);
  const excerpt = heard[0]!.text;
  const raised = heard.flatMap(({ text, fresh }) =>
    fresh.map(
      (hit): RerunFinding => ({
        ...facts(episode),
        change: 'raised',
        ...(hit.level ? { after: hit.level } : {}),
        hit,
        excerpt: text,
      }),
    ),
  );
  if (is.length === 0 && was.length === 0) return { findings: raised, unread: true };
  if (is.length === 0)
    return { findings: [{ ...about, change: 'silenced', before: episode.level, excerpt }, ...raised] };
  const before = gravest(was) ?? episode.level;
  const after = gravest(is)!;
  const sure = is.some((one) => one.sure);
  const { hit } = is.find((one) => one.level === after && one.sure === sure) ?? is[0]!;
  if (doubtful && sure) return { findings: [{ ...about, change: 'sure', before, after, hit, excerpt }, ...raised] };
  const moved = is.every((one) => `speech_${one.hit.category}` !== episode.behaviour);
  const doubted = !sure && was.some((one) => one.sure);
  if (before === after && !moved && !doubted) return { findings: raised };
  const change = doubted ? 'milder' : before === after ? 'moved' : after === 'alarm' ? 'graver' : 'milder';
  return { findings: [{ ...about, change, before, after, hit, excerpt }, ...raised] };
}

/** A hit of the words that were told, at the level that it has there. */
interface Graded {
  readonly hit: ExcerptHit;
  readonly level: Level;
  readonly sure: boolean;
}

/** What is only suspected is a notice, however grave its phrase, where the pack has it told at all. */
const doubtedLevel = (pack: RulePack, { category }: ExcerptHit): Level | undefined =>
  pack.rules[`speech_${category}`]?.suspected === 'notice' ? 'notice' : undefined;

const gravest = (hits: readonly Graded[]): Level | undefined =>
  hits.some(({ level }) => level === 'alarm') ? 'alarm' : hits[0]?.level;

function graded(
  episode: StoredEpisode,
  before: Level | undefined,
  after: Level | undefined,
  ruled: boolean,
): RerunFinding[] {
  if (!ruled) return [{ ...facts(episode), change: 'silenced', before: episode.level }];
  // Raised by something that a stored episode does not hold, such as the sum of a session.
  if (before === undefined || before === after) return [];
  if (after === undefined) return [{ ...facts(episode), change: 'silenced', before }];
  return [{ ...facts(episode), change: after === 'alarm' ? 'graver' : 'milder', before, after }];
}

/** The threshold of each fault code of an episode. Null or absent in a rule: this fault is not looked for. */
const FAULT_MS: Readonly<Record<string, keyof CameraFaultRule | keyof MicrophoneFaultRule>> = {
  covered: 'coveredMs',
  dark: 'darkMs',
  moved: 'movedMs',
  frozen: 'frozenMs',
  down: 'downMs',
  record_down: 'downMs',
  muted: 'mutedMs',
  deaf: 'deafMs',
  clipping: 'clippingMs',
  speechless: 'speechlessMs',
};
/** Doubted earlier where another microphone hears people: how long it lasted does not say which time counted. */
const BEFORE_ITS_TIME = 'speechless';

/** Talk off the subject is a category of words without a word of its own: a rule of its own judges it. */
const ruleOf = ({ behaviour, transcripts }: StoredEpisode): string =>
  behaviour === 'speech_irrelevant' && transcripts.length === 0 ? 'off_subject' : behaviour;

const ruleIn = (pack: RulePack, episode: StoredEpisode) =>
  pack.rules[ruleOf(episode) as keyof Rules] as Readonly<Record<string, unknown>> | undefined;

/** A dark room is told as soon as a covered lens where the pack does not say. */
function faultMs(rule: Readonly<Record<string, unknown>>, fault: string | undefined): unknown {
  if (fault === 'dark' && rule.darkMs === undefined) return rule.coveredMs;
  return rule[FAULT_MS[fault ?? ''] ?? ''];
}

function isLookedFor(pack: RulePack, episode: StoredEpisode): boolean {
  const rule = ruleIn(pack, episode);
  if (!rule) return false;
  return FAULT_MS[episode.fault ?? ''] === undefined || typeof faultMs(rule, episode.fault) === 'number';
}

/** The level that the pack gives an episode of this length; undefined: none, or not to be known from its length. */
function levelFor(pack: RulePack, episode: StoredEpisode): Level | undefined {
  const { durationMs, fault, level } = episode;
  const rule = ruleIn(pack, episode);
  if (!rule) return undefined;
  const reaches = (ms: unknown) => typeof ms === 'number' && durationMs >= ms;
  if ('noticeMs' in rule) return reaches(rule.alarmMs) ? 'alarm' : reaches(rule.noticeMs) ? 'notice' : undefined;
  if ('level' in rule) return rule.level as Level;
  if (fault === BEFORE_ITS_TIME) return level;
  return reaches(faultMs(rule, fault)) ? level : undefined;
}
