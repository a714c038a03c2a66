/** Interface of the ears: sound goes in block by block, phrases of the rule pack and what was heard come out. */
import type { Phrase } from '../../protocol/rules.ts';
import type { Why } from '../../protocol/why.ts';
import type { ProjectWords } from './lexicon/slots.ts';

/** A phrase that was heard. Times count samples (16 kHz) since the recogniser's first one. */
export interface Hit {
  readonly phraseId: string;
  readonly text: string;
  /** `suspected`: a first pass alone heard it, and a second one or another engine has not; absent: confirmed. */
  readonly level?: 'suspected';
  readonly score: number;
  readonly threshold: number;
  readonly beginSample: number;
  readonly endSample: number;
  /** Last sample that the engine had to hear before it could report this; `endSample` where absent. */
  readonly neededSample?: number;
  /** What was heard around it, words or toneless pinyin separated by blanks. */
  readonly heard: string;
}

/** The words around a hit once those after it are known too: at most 10 s before the phrase and 10 s after it. */
export interface LaterWords {
  /** Of the hit. */
  readonly phraseId: string;
  readonly beginSample: number;
  readonly endSample: number;
  readonly neededSample: number;
  /** As `heard` of the hit up to the phrase, and longer behind it. */
  readonly heard: string;
}

/** How much an engine understood of a stretch of sound, and how much of that is about the evaluation. */
export interface Talk {
  readonly samples: number;
  /** Syllables or words that it was sure of. */
  readonly units: number;
  readonly covered: number;
}

export interface RecogniserHealth {
  readonly state: 'hearing' | 'deaf';
  readonly reason?: string;
  /** The same by codes, for whoever reads another language; absent where there is no code for it. */
  readonly why?: readonly Why[];
  /** Deaf for want of something that waiting does not bring, such as a model. */
  readonly missing?: true;
  /** Deaf since this machine is too slow for it: more than `SLOW` (pace.ts) of the sound was dropped within a minute. */
  readonly slow?: true;
  /** Hears, but the engine that confirms is deaf: what is told has been heard by one engine alone. */
  readonly unconfirmed?: true;
  /** Seconds of computing per second of sound, over the last minute. */
  readonly rtf: number;
  readonly restarts: number;
  /** Blocks dropped because the engine was behind (bound: 10 s of sound). */
  readonly dropped: number;
  /** Samples that were accepted and are not dealt with yet, where that is known: for feeding faster than a room speaks. */
  readonly waiting?: number;
}

/**
 * One engine for one language on one microphone. Runs off the main thread (worker or child process), restarts by
 * itself with back-off, and says in `health()` when it cannot hear.
 */
export interface Recogniser {
  readonly engine: string;
  readonly language: string;
  start(signal: AbortSignal): Promise<void>;
  /** Never blocks and never throws for an engine fault. 16 kHz mono signed 16 bit. */
  accept(samples: Int16Array): void;
  /**
   * Called for every hit, in order of their end. One that is only suspected may be told again as confirmed; one that was
   * confirmed is not told as suspected.
   */
  onHit(listener: (hit: Hit) => void): void;
  /** Called every few seconds by an engine that understands all that is said; one that spots phrases only has none. */
  onTalk?(listener: (talk: Talk) => void): void;
  /** Called some 10 s after a hit by an engine that gives words, where it heard more of them; never for a hit that was not told. */
  onLater?(listener: (later: LaterWords) => void): void;
  health(): RecogniserHealth;
  close(): Promise<void>;
}

export interface RecogniserOptions {
  readonly phrases: readonly Phrase[];
  /** Folder of fetched models (EVALROOM_MODELS or the agent's data folder). */
  readonly modelsFolder: string;
  /** Who bids: fills the slots of phrases; without it ordinals do. */
  readonly project?: ProjectWords;
}
