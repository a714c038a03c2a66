/** A rule pack as the state machines and the ear need it: thresholds, phrases and what they cite. Data, versioned. */
import type { SpeechCategory } from './observation.ts';

/** Common to every rule; a rule that is absent from a pack is switched off. */
export interface RuleBase {
  /** The sentence of discipline that stands behind the rule, shown beside every event. */
  readonly citation: string;
}

/** Two thresholds: a behaviour that lasts `noticeMs` gives a notice, one that lasts `alarmMs` an alarm; null never. */
export interface TwoLevels extends RuleBase {
  readonly noticeMs: number | null;
  readonly alarmMs: number | null;
}

export interface LeftSeatRule extends TwoLevels {
  /** Sum of absences in one session that gives an alarm. */
  readonly cumulativeAlarmMs: number | null;
  readonly windowMs: number;
  /** Share of the window's frames that shows somebody: on duty above, leaving below, returned above (0..1). */
  readonly onDutyShare: number;
  readonly leavingShare: number;
  readonly returnShare: number;
}

export interface TooFarRule extends TwoLevels {
  /** Floor distance from the seat where the camera is calibrated. */
  readonly distanceM: number;
  /** Else the distance in shoulder widths. */
  readonly shoulderWidths: number;
}

export interface ExtraPersonRule extends TwoLevels {}

/** Row 3: out of the door without a permit. */
export interface LeftRoomRule extends TwoLevels {}

/** Row 4: owners who cross the door within `withinMs` of each other. */
export interface LeftTogetherRule extends RuleBase {
  readonly level: 'notice' | 'alarm';
  readonly withinMs: number;
  readonly people: number;
}

/** Row 5: somebody else at a taken seat: heads nearer than `shoulderWidths`: the floor says nothing of the height of heads. */
export interface AtOtherSeatRule extends TwoLevels {
  readonly shoulderWidths: number;
}

/** Row 6: heads nearer than `shoulderWidths`; `repeats` times within `repeatMs` is an alarm, null never. */
export interface WhisperingRule extends TwoLevels {
  readonly shoulderWidths: number;
  readonly repeats: number | null;
  readonly repeatMs: number;
}

/** Row 7: `people` within `distanceM` of each other where the floor is calibrated, else within `shoulderWidths`. */
export interface GatheringRule extends TwoLevels {
  readonly people: number;
  readonly distanceM: number;
  readonly shoulderWidths: number;
}

/** Row 8: a wrist held at the ear. */
export interface PhoneRule extends TwoLevels {}

/** Row 9: wrists of two owners nearer than `shoulderWidths`, both arms extended. */
export interface PassingItemsRule extends TwoLevels {
  readonly shoulderWidths: number;
}

/** Row 10: head low and no motion. */
export interface SleepingRule extends TwoLevels {}

/** Row 11: more than `metresPerMinute` outside the seats. */
export interface WalkingAboutRule extends RuleBase {
  readonly level: 'notice' | 'alarm';
  readonly metresPerMinute: number;
}

/** Row 15: all seats empty for `emptyMs`, or not all seated `startMs` after the session's start. */
export interface NotCompleteRule extends RuleBase {
  readonly level: 'notice' | 'alarm';
  readonly emptyMs: number;
  readonly startMs: number;
}

/** Row 16: first seated more than `lateMs` after the session's start, or gone more than `earlyMs` when it is submitted. */
export interface LateOrEarlyRule extends RuleBase {
  readonly level: 'notice' | 'alarm';
  readonly lateMs: number;
  readonly earlyMs: number;
}

/** The owner stands at the own seat: head higher by `rise` shoulder widths than while sitting. */
export interface StandingRule extends TwoLevels {
  readonly rise: number;
}

export interface CameraFaultRule extends RuleBase {
  readonly coveredMs: number;
  /** Fall of edge energy against the reference, 0..1. */
  readonly coveredEdgeFall: number;
  /** A room that has gone dark is told as a notice after so long; absent: after `coveredMs`; null: never. */
  readonly darkMs?: number | null;
  readonly movedMs: number;
  /** Shift as a fraction of the picture. */
  readonly movedShift: number;
  readonly frozenMs: number;
  readonly downMs: number;
}

export interface MicrophoneFaultRule extends RuleBase {
  readonly mutedMs: number;
  /** dB below the learnt noise floor that counts as muted. */
  readonly mutedDropDb: number;
  readonly downMs: number;
  readonly deafMs: number;
  /** Sound that is cut off for so long is a fault of the gain; absent or null: never. */
  readonly clippingMs?: number | null;
  /** People are at their seats for so long and this microphone hears nobody speak; absent or null: never. */
  readonly speechlessMs?: number | null;
}

export interface SpeechRule extends RuleBase {
  /** Level of the first hit; null: hits are kept but raise nothing. */
  readonly level: 'notice' | 'alarm';
  /** Hits of the category in one session that raise it to an alarm; null: never. */
  readonly alarmAfter: number | null;
  /** Hits within this time belong to one episode. */
  readonly mergeMs: number;
  /** `notice`: what is suspected and not confirmed is told, as a notice that counts for nothing; absent or `off`: it is not told. */
  readonly suspected?: 'off' | 'notice';
}

/** Row 22: of what is said within `windowMs` (at least `units` syllables), less than `share` is about the evaluation, for `noticeMs`. */
export interface OffSubjectRule extends RuleBase {
  readonly windowMs: number;
  readonly units: number;
  readonly share: number;
  readonly noticeMs: number;
  /** Seeds of what the evaluations are about, beside the evaluation's own words: lifts, hospitals, roads. They count as on the subject. */
  readonly topics?: readonly string[];
}

/** Row 23: a hand at the ear as with a telephone while somebody speaks in `turns` with pauses of at least `pauseMs`. */
export interface OutsideContactRule extends RuleBase {
  readonly level: 'notice' | 'alarm';
  readonly turns: number;
  readonly pauseMs: number;
}

export interface Rules {
  readonly left_seat?: LeftSeatRule;
  readonly too_far?: TooFarRule;
  readonly extra_person?: ExtraPersonRule;
  readonly left_room?: LeftRoomRule;
  readonly left_together?: LeftTogetherRule;
  readonly at_other_seat?: AtOtherSeatRule;
  readonly whispering?: WhisperingRule;
  readonly gathering?: GatheringRule;
  readonly phone?: PhoneRule;
  readonly passing_items?: PassingItemsRule;
  readonly sleeping?: SleepingRule;
  readonly walking_about?: WalkingAboutRule;
  readonly not_complete?: NotCompleteRule;
  readonly late_or_early?: LateOrEarlyRule;
  readonly standing?: StandingRule;
  readonly camera_fault?: CameraFaultRule;
  readonly microphone_fault?: MicrophoneFaultRule;
  readonly speech_prohibited?: SpeechRule;
  readonly speech_suggestive?: SpeechRule;
  readonly speech_tendentious?: SpeechRule;
  readonly speech_irrelevant?: SpeechRule;
  readonly speech_fee?: SpeechRule;
  readonly off_subject?: OffSubjectRule;
  readonly outside_contact?: OutsideContactRule;
}

/** Words around a phrase that decide whether it counts. */
export interface PhraseContext {
  /** One of these must be said near the phrase, before or after it. */
  readonly needs?: readonly string[];
  /** None of these may have been said shortly before it: a negation, the tender file being quoted, a clarification. */
  readonly unless?: readonly string[];
}

export interface Phrase {
  readonly phraseId: string;
  /** BCP 47: `zh-CN`, `en`. */
  readonly language: string;
  readonly category: SpeechCategory;
  /** How people say it; every form is spotted, all count as this phrase. May hold the slots {BIDDER} and {NUMBER}. */
  readonly forms: readonly string[];
  readonly citation: string;
  /** How grave it is by itself, where that differs from its category's rule. */
  readonly gravity?: 'notice' | 'alarm';
  readonly context?: PhraseContext;
}

export interface RulePack {
  /** `default`, `demo`, `eval` … */
  readonly name: string;
  readonly version: string;
  readonly title: { readonly zh: string; readonly en: string };
  /** After an episode ends, the same behaviour on the same seat joins it again within this time. */
  readonly cooldownMs: number;
  readonly rules: Rules;
  readonly phrases: readonly Phrase[];
}
