/** Beside api.ts: rule packs as the pages see them, and what the routes about them take. Only supervisors are answered. */
import type { Level, Sentence } from '../../protocol/event.ts';
import type { SpeechCategory } from '../../protocol/observation.ts';
import type { RulePack } from '../../protocol/rules.ts';

export interface PackName {
  readonly name: string;
  readonly version: string;
}

const numbers = (version: string) => version.split('.').map(Number);
/** Order of versions, three numbers each: negative where `a` is the lower one. */
export function byVersion(a: string, b: string): number {
  const [x, y] = [numbers(a), numbers(b)];
  return x[0]! - y[0]! || x[1]! - y[1]! || x[2]! - y[2]!;
}

/** One stored version; versions are never changed. */
export interface PackVersionView extends PackName {
  readonly title: Sentence;
  readonly phrases: number;
  readonly rules: number;
  readonly sha256: string;
  readonly madeWallMs: number;
  readonly madeBy: string;
  readonly note?: string;
  /** `name version` that it began from. */
  readonly basedOn?: string;
  /** It comes with the product. */
  readonly builtIn: boolean;
}

/** Who bids, each with its full name and its short ones, as in an evaluation. */
export type Bidders = readonly (readonly string[])[];

/** Where a version counts. */
export type PlaceView =
  | { readonly kind: 'all' }
  | { readonly kind: 'province'; readonly of: string }
  | { readonly kind: 'centre'; readonly of: string }
  | { readonly kind: 'room'; readonly of: string };

/** What a room is to run and what it runs. */
export interface RoomRulesView {
  readonly roomId: string;
  readonly name: string;
  readonly centre: string;
  /** Of its centre, where cloud.yaml names one. */
  readonly province?: string;
  /** The publication to the narrowest place that covers the room; without `pack` its own file counts. */
  readonly placed?: {
    readonly pack?: PackName;
    readonly by: string;
    readonly wallMs: number;
    readonly place: PlaceView;
  };
  /** As its newest state says; absent for a box that was not heard. */
  readonly running?: PackName;
  readonly heardWallMs?: number;
  /** Its box refused the newest order and goes on with what it had. */
  readonly refused?: { readonly code: string; readonly reason: string; readonly words: Sentence };
}

/** `GET /api/rules`. */
export interface RulesView {
  /** Newest first. */
  readonly versions: readonly PackVersionView[];
  readonly rooms: readonly RoomRulesView[];
  /** Which key signs. */
  readonly keyId: string;
  /** Whether a recording can be tried; else what is missing. */
  readonly spoken: SpokenView;
  /** The same for English. */
  readonly spokenEnglish: SpokenView;
}

export type SpokenView = { readonly ok: true } | { readonly ok: false; readonly words: Sentence };

/** `GET /api/rules/packs/:name/:version`; `…/file` answers the signed pack for `evalroom agent replay --rules FILE`. */
export interface PackView {
  readonly version: PackVersionView;
  readonly pack: RulePack;
}

/** `POST /api/rules/check` {pack, phraseId?}: with a phrase only what concerns it, fast enough while somebody types. */
export interface CheckRequest {
  readonly pack: unknown;
  readonly phraseId?: string;
}
export interface CheckView {
  /** Nothing can be saved while there are some. */
  readonly problems: readonly {
    readonly phraseId?: string;
    readonly rule?: string;
    readonly form?: string;
    readonly words: Sentence;
  }[];
  /** Worth a look: matches everyday speech, or sounds like another phrase. At most 200. */
  readonly findings: readonly {
    readonly phraseId: string;
    readonly form: string;
    readonly kind: 'everyday' | 'neighbour' | 'short';
    readonly against: string;
    readonly otherId?: string;
  }[];
  readonly more: number;
}

/** `POST /api/rules/sentence` {pack, language, text, bidders?}: the slots of phrases are filled with the bidders, else with ordinals. */
export interface SentenceRequest {
  readonly pack: unknown;
  readonly language: string;
  readonly text: string;
  readonly bidders?: Bidders;
}
export interface SentenceView {
  readonly hits: readonly SentenceHit[];
  /** Heard, but the words around them forbid it (`word` where one alone does), or what they need is missing, or both. */
  readonly stopped: readonly (SentenceHit & { readonly why: 'unless' | 'needs' | 'both'; readonly word?: string })[];
}
export interface SentenceHit {
  readonly phraseId: string;
  readonly form: string;
  readonly category: SpeechCategory;
  readonly from: number;
  readonly to: number;
  /** Absent: the pack has no rule for its category, so nothing is raised. */
  readonly level?: Level;
}

/** Longest recording that is tried, whether it comes from a microphone or a file: a sentence takes seconds. */
export const SOUND_SECONDS = 300;
/** Most bytes of an upload: SOUND_SECONDS as the ear hears them (16 kHz, 16 bit, one channel) and more. */
export const SOUND_BYTES = 10 * 1024 * 1024;
/** Longest note of a version, in characters. */
export const RULE_NOTE_MAX = 300;
/** Places of one publication: as many as there may be rooms. */
export const PLACES_MAX = 2000;

/** `POST /api/rules/sounds`, body audio/wav: kept in memory for this session, to be tried again and again. */
export interface SoundView {
  readonly soundId: string;
  readonly seconds: number;
}
/** `POST /api/rules/listen` {pack, soundId, language?, bidders?}: the recording through the ear of the language, Mandarin where it is absent. */
export interface ListenRequest {
  readonly pack: unknown;
  readonly soundId: string;
  readonly language?: string;
  readonly bidders?: Bidders;
}
export interface ListenView {
  readonly hits: readonly {
    readonly phraseId: string;
    readonly text: string;
    readonly category: SpeechCategory;
    readonly level?: Level;
    readonly score: number;
    readonly threshold: number;
    readonly beginS: number;
    readonly endS: number;
    /** Toneless pinyin around it, the phrase in characters. */
    readonly heard: string;
  }[];
  readonly seconds: number;
  /** Peak of the recording in dBFS: below about -50 there is hardly anything in it. */
  readonly peakDb: number;
  /** Forms that the ear cannot spell. */
  readonly unheard: readonly string[];
}

/** `POST /api/rules/rerun` {pack, base, room?}: the draft over the newest stored episodes. */
export interface RerunRequest {
  readonly pack: unknown;
  readonly base: PackName;
  readonly room?: string;
}
export interface RerunView {
  readonly episodes: number;
  readonly excerpts: number;
  /** Of those, in which neither pack reads a phrase: nothing can be said of them. */
  readonly unread: number;
  readonly findings: readonly RerunFindingView[];
  readonly more: number;
  /** Events with words that were not read, since there are too many. */
  readonly leftOut: number;
}
export interface RerunFindingView {
  readonly episodeId: string;
  readonly roomId: string;
  readonly behaviour: string;
  readonly beganWallMs: number;
  readonly durationMs: number;
  readonly change: 'silenced' | 'raised' | 'graver' | 'milder' | 'moved' | 'sure';
  /** Nothing of it was ever more than suspected. */
  readonly suspected?: true;
  readonly before?: Level;
  readonly after?: Level;
  readonly hit?: SentenceHit;
  readonly excerpt?: string;
}

/** `POST /api/rules/packs` {pack, note, base?}: stores and signs a new version; answers its PackVersionView. */
export interface SaveRequest {
  readonly pack: unknown;
  readonly note: string;
  readonly base?: PackName;
}

/**
 * `POST /api/rules/publish`: this version counts in these places from now on; without `pack` the rooms' own files do, or with
 * `follow` what counts in the next wider place (room, centre, province, all).
 */
export interface PublishRequest {
  readonly pack?: PackName;
  readonly follow?: true;
  readonly to: readonly PlaceView[];
}
