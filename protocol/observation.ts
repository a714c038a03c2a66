/** What a model saw or heard at an instant: may be wrong, and never leaves the room raw. */
import type { Box, Point } from './seat.ts';
import type { Instant } from './time.ts';

/** The 17 COCO key points in this order: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles (left first). */
export const KEYPOINTS = [
  'nose',
  'left_eye',
  'right_eye',
  'left_ear',
  'right_ear',
  'left_shoulder',
  'right_shoulder',
  'left_elbow',
  'right_elbow',
  'left_wrist',
  'right_wrist',
  'left_hip',
  'right_hip',
  'left_knee',
  'right_knee',
  'left_ankle',
  'right_ankle',
] as const;

/** [x, y, score]: picture fractions and a confidence 0..1. */
export type Keypoint = readonly [number, number, number];

export interface Person {
  readonly box: Box;
  /** Detector confidence 0..1. */
  readonly score: number;
  /** 17 key points, where the pose model found this person in this frame or a few seconds ago. */
  readonly pose?: readonly Keypoint[];
  /** Set where the pose is of an earlier frame and was only moved with the box: how old it is. */
  readonly poseAgeMs?: number;
}

/** What the picture itself is like, measured without any model. */
export interface PictureState {
  /** Mean luminance 0..255. */
  readonly brightness: number;
  /** Mean absolute gradient of luminance 0..255: falls when the lens is covered. */
  readonly edgeEnergy: number;
  /** Shift against the reference picture as fractions of width and height, with the correlation 0..1 that it reached. */
  readonly shift: { readonly dx: number; readonly dy: number; readonly confidence: number };
  /** A small shift that lasts, as fractions: the camera was nudged, and zones lie so much further right and down. */
  readonly offset?: { readonly dx: number; readonly dy: number };
  /** Mean absolute difference to the previous analysed frame 0..255; exactly 0 means the same bytes. */
  readonly change: number;
}

/** Appearance of one seat zone: mean RGB of a 6 × 6 grid over the bounds of the zone, row-major, 108 values 0..255. */
export interface SeatPatch {
  readonly seatId: string;
  readonly grid: readonly number[];
}

/** One analysed frame of one camera. */
export interface FrameObservation {
  readonly kind: 'frame';
  readonly cameraId: string;
  /** When the frame left ffmpeg's pipe. */
  readonly at: Instant;
  /** What is known of the way before that: the picture is of so long before `at`. */
  readonly lagMs?: number;
  /** Counts analysed frames of this capture run. */
  readonly frame: number;
  /** Width of the picture over its height, as people look natural; absent: 16:9. */
  readonly aspect?: number;
  readonly persons: readonly Person[];
  readonly picture: PictureState;
  readonly patches: readonly SeatPatch[];
  /** Name of the model set that made it, e.g. `yolox-nano+pose-lite`. */
  readonly modelSet: string;
  readonly inferenceMs: number;
}

/** State of one stream role, reported by capture whenever it changes and once a second. */
export interface StreamObservation {
  readonly kind: 'stream';
  /** Camera or microphone id. */
  readonly sourceId: string;
  readonly role: 'decode' | 'record' | 'audio';
  readonly at: Instant;
  readonly state: 'starting' | 'running' | 'down';
  /** Milliseconds since the last frame, segment or sample block. */
  readonly silentMs: number;
  /** Plain words, credentials removed. */
  readonly reason?: string;
}

/** Level of the sound of one microphone over one block (0.5 s to 2 s). */
export interface LevelObservation {
  readonly kind: 'level';
  readonly microphoneId: string;
  readonly at: Instant;
  /** Root mean square in dBFS (0 = full scale, -120 = digital silence). */
  readonly rmsDb: number;
  readonly peakDb: number;
  /** Share of speech in the block 0..1, where a voice activity measure exists. */
  readonly speech?: number;
  /** Share of samples at the end of the scale 0..1: what is louder has been cut off. */
  readonly clipped?: number;
}

export const SPEECH_CATEGORIES = ['prohibited', 'suggestive', 'tendentious', 'irrelevant', 'fee'] as const;
export type SpeechCategory = (typeof SPEECH_CATEGORIES)[number];

/** A phrase of the rule pack heard by an engine. */
export interface PhraseObservation {
  readonly kind: 'phrase';
  readonly microphoneId: string;
  /** When the last sample that the hit needed left ffmpeg's pipe. */
  readonly at: Instant;
  readonly engine: string;
  readonly language: string;
  readonly phraseId: string;
  readonly category: SpeechCategory;
  /** The phrase as the rule pack writes it. */
  readonly text: string;
  /** `suspected`: by a first pass alone; the same words may come again as confirmed. Absent: confirmed. */
  readonly level?: 'suspected';
  /** Engine's score against its threshold, both in the engine's own unit. */
  readonly score: number;
  readonly threshold: number;
  /** Begin and end of the phrase in the sound, monotonic ms. */
  readonly beginMonoMs: number;
  readonly endMonoMs: number;
  /** The seat whose own microphone heard it, where it has one. */
  readonly seatId?: string;
  /** What was heard around it (at most 10 s before and after), as words or toneless pinyin. */
  readonly heard?: string;
}

/** The words around a phrase that was told, once those after it are known too: some 10 s after it. It raises nothing. */
export interface LaterWordsObservation {
  readonly kind: 'later_words';
  readonly microphoneId: string;
  readonly at: Instant;
  readonly engine: string;
  readonly language: string;
  /** Of the phrase. */
  readonly phraseId: string;
  readonly beginMonoMs: number;
  readonly endMonoMs: number;
  /** At most 10 s before the phrase and 10 s after it. */
  readonly heard: string;
}

/** How much was said within a stretch of sound, and how much of it is about the evaluation. Counted in the ear; no words. */
export interface TalkObservation {
  readonly kind: 'talk';
  readonly microphoneId: string;
  readonly language: string;
  /** End of the stretch. */
  readonly at: Instant;
  readonly spanMs: number;
  /** Syllables (or words) that the engine was sure of. */
  readonly units: number;
  /** Of those, the ones inside a word of the evaluation's vocabulary. */
  readonly covered: number;
}

/** An engine's ability to hear: `deaf` with a reason when no model, dead process, or no sound. */
export interface EarObservation {
  readonly kind: 'ear';
  readonly microphoneId: string;
  readonly language: string;
  readonly at: Instant;
  readonly state: 'hearing' | 'deaf';
  readonly reason?: string;
  /** Hears, but the engine that has to confirm what it hears does not. */
  readonly unconfirmed?: true;
}

export type Observation =
  | FrameObservation
  | StreamObservation
  | LevelObservation
  | PhraseObservation
  | LaterWordsObservation
  | TalkObservation
  | EarObservation;

/** Midpoint of the shoulders where a pose has both, else the point a third down the middle of the box. */
export function upperBody(person: Person): Point {
  const left = person.pose?.[5];
  const right = person.pose?.[6];
  if (left && right && left[2] > 0.3 && right[2] > 0.3) return [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2];
  const [x0, y0, x1, y1] = person.box;
  return [(x0 + x1) / 2, y0 + (y1 - y0) / 3];
}
