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

export interface CameraFaultRule extends RuleBase {
  readonly coveredMs: number;
  /** Fall of edge energy against the reference, 0..1. */
  readonly coveredEdgeFall: number;
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
}

export interface SpeechRule extends RuleBase {
  /** Level of the first hit; null: hits are kept but raise nothing. */
  readonly level: 'notice' | 'alarm';
  /** Hits of the category in one session that raise it to an alarm; null: never. */
  readonly alarmAfter: number | null;
  /** Hits within this time belong to one episode. */
  readonly mergeMs: number;
}

export interface Rules {
  readonly left_seat?: LeftSeatRule;
  readonly too_far?: TooFarRule;
  readonly extra_person?: ExtraPersonRule;
  readonly camera_fault?: CameraFaultRule;
  readonly microphone_fault?: MicrophoneFaultRule;
  readonly speech_prohibited?: SpeechRule;
  readonly speech_suggestive?: SpeechRule;
  readonly speech_tendentious?: SpeechRule;
  readonly speech_irrelevant?: SpeechRule;
}

export interface Phrase {
  readonly phraseId: string;
  /** BCP 47: `zh-CN`, `en`. */
  readonly language: string;
  readonly category: SpeechCategory;
  /** How people say it; every form is spotted, all count as this phrase. */
  readonly forms: readonly string[];
  readonly citation: string;
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
