/** What happened: facts decided by a state machine, immutable once in the outbox. */
import type { ClipManifest } from './clip.ts';
import type { Instant, WallMs } from './time.ts';

/** Rows of the behaviour table (docs/behaviours.md); the string is the name on the wire. */
export const BEHAVIOURS = [
  'left_seat', // 1
  'too_far', // 2
  'left_room', // 3
  'left_together', // 4
  'at_other_seat', // 5
  'whispering', // 6
  'gathering', // 7
  'phone', // 8
  'passing_items', // 9
  'sleeping', // 10
  'walking_about', // 11
  'extra_person', // 13
  'not_complete', // 15
  'late_or_early', // 16
  'camera_fault', // 17
  'microphone_fault', // 18
  'speech_prohibited', // 19
  'speech_suggestive', // 20
  'speech_tendentious', // 21
  'speech_irrelevant', // 22
  'speech_fee', // 22
  'outside_contact', // 23
  'process_figures', // 25
  'standing', // stands up at the own seat
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** How grave. A fault of ours (`camera_fault`, `microphone_fault`) has a level too but is drawn apart. */
export type Level = 'notice' | 'alarm';
export type Phase = 'begin' | 'update' | 'end';
export type Occupancy = 'yes' | 'no' | 'unknown';

/** A number that fired a rule, beside its threshold. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly threshold?: number;
  readonly unit: string;
}

/** Which rule fired, so that the sentence of the law can be shown years later. */
export interface RuleRef {
  readonly pack: string;
  readonly packVersion: string;
  readonly ruleId: string;
  readonly citation: string;
}

/** One plain sentence in each language of the desk. */
export interface Sentence {
  readonly zh: string;
  readonly en: string;
}

/** What was heard, kept to the seconds around the phrase. `hit` is the index range [from, to) of `text` to mark. */
export interface Transcript {
  readonly language: string;
  readonly engine: string;
  readonly text: string;
  readonly hit: readonly [number, number];
}

/** Said of an event whose words were taken out when their time was over: after how many days, when, and where. */
export interface WordsRemoved {
  readonly afterDays: number;
  readonly wallMs: WallMs;
  readonly by: 'box' | 'cloud';
}

/** State (`from`, `to`) of an episode of spoken words of which nothing is confirmed: a notice that counts for nothing. */
export const SUSPECTED = 'SUSPECTED';

/** The part of an event that says what happened in an episode. */
export interface EpisodeBody {
  readonly kind: 'episode';
  readonly episodeId: string;
  readonly phase: Phase;
  readonly behaviour: Behaviour;
  readonly level: Level;
  /** Seats concerned, empty for the room as a whole. */
  readonly seatIds: readonly string[];
  /** Camera or microphone that gave the evidence. */
  readonly sourceId?: string;
  /** Backdated begin of the behaviour itself. */
  readonly beganWallMs: WallMs;
  /** State of the machine before and after, as it names them. */
  readonly from: string;
  readonly to: string;
  /** Duration so far in ms, on the monotonic clock. */
  readonly durationMs: number;
  readonly rule: RuleRef;
  readonly figures: readonly Figure[];
  readonly sentence: Sentence;
  readonly transcript?: Transcript;
  /** Its words are gone; the sentence then quotes none. */
  readonly wordsRemoved?: WordsRemoved;
  /** Fault code where the behaviour is a fault: covered, moved, frozen, down, muted, deaf … */
  readonly fault?: string;
  /** The evaluation that was on; absent between evaluations. */
  readonly sessionId?: string;
}

/** Words that are only suspected, or that were and have ended unconfirmed. */
export function isSuspected({ phase, from, to }: Pick<EpisodeBody, 'phase' | 'from' | 'to'>): boolean {
  return to === SUSPECTED || (from === SUSPECTED && phase === 'end');
}

/** An end that ends nothing: the episode is over, and more of what was said around its words has become known. */
export function isAddition({
  phase,
  from,
  to,
  transcript,
}: Pick<EpisodeBody, 'phase' | 'from' | 'to' | 'transcript'>): boolean {
  return phase === 'end' && from === to && transcript !== undefined;
}

/** A clip has been cut for an episode and is on its way. */
export interface ClipBody {
  readonly kind: 'clip';
  readonly episodeId: string;
  readonly clip: ClipManifest;
}

/** The agent has started: what it is and what it runs. */
export interface BootBody {
  readonly kind: 'boot';
  readonly agentVersion: string;
  readonly rulePack: { readonly name: string; readonly version: string };
  readonly modelSet: string;
  readonly configSha256: string;
}

/** Evidence is missing for a span: nothing was recorded, and this says so. */
export interface GapBody {
  readonly kind: 'gap';
  readonly sourceId: string;
  readonly role: 'decode' | 'record' | 'audio';
  readonly fromWallMs: WallMs;
  readonly toWallMs: WallMs;
  readonly reason: string;
}

export type EventBody = EpisodeBody | ClipBody | BootBody | GapBody;

/** A decided event before it has a place in a stream. The outbox gives eventId, streamId and seq. */
export interface DraftEvent {
  readonly at: Instant;
  readonly body: EventBody;
}

/** An event as stored in the outbox, sent and kept. */
export interface RoomEvent extends DraftEvent {
  /** UUID, unique for ever. */
  readonly eventId: string;
  readonly streamId: string;
  /** 1, 2, 3 … within the stream without holes. */
  readonly seq: number;
  readonly roomId: string;
}
