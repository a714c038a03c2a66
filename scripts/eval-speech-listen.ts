/** Plays labelled recordings to a fresh ear each, as they are or with noise and rooms around them, in virtual time, piece by piece. */
import { isAbsolute, join } from 'node:path';
import { InvalidInput } from '../protocol/errors.ts';
import type { Laxness } from './ears/front.ts';
import type { EarSet } from './eval-speech-ears.ts';
import type { LeftOut, SpeechClip, SpeechHit } from './eval-speech-score.ts';
import { addNoise, addRoom, blocksOf, decodePieces, noiseFor, type Sound } from './eval-speech-sound.ts';

const RATE = 16_000;
/** A room's microphone delivers blocks of about this size. */
const BLOCK = 1600;
/** The noise floor on both sides of a clip stays under this; a clip that does as well has no sound of its own. */
const SILENT = 40;

/** What is done to the sound before it is heard. */
export interface Condition {
  /** dB of the speech over pink noise. */
  readonly noise?: number;
  /** T60 in seconds. */
  readonly room?: number;
  /** Metres from mouth to microphone in that room; without it direct and reverberant sound are equally strong. */
  readonly distance?: number;
  /** Seconds (whole) in which nobody speaks yet, in the same noise: an ear in a room has known its noise for long. */
  readonly leadS?: number;
}

/** Of --augment. */
export const AUGMENTED: readonly Condition[] = [
  { noise: 20 },
  { noise: 10 },
  { noise: 5 },
  { room: 0.3 },
  { room: 0.5 },
  { room: 0.8 },
  { room: 0.5, distance: 2 },
  { room: 0.5, distance: 4 },
];

/** For people. */
export function nameOfCondition({ noise, room, distance }: Condition): string {
  const parts = [
    ...(noise === undefined ? [] : [`noise ${noise} dB`]),
    ...(room === undefined ? [] : [`T60 ${room} s`]),
    ...(distance === undefined ? [] : [`${distance} m`]),
  ];
  return parts.join(', ') || 'as recorded';
}

/** One clip as an ear is to hear it; `seed` is the clip's own. */
interface Take {
  readonly dir: string;
  readonly file: string;
  readonly condition: Condition;
  readonly seed: number;
}

/** Seconds before the clip's first sample. */
const beforeS = ({ leadS = 0 }: Condition) => 1 + leadS;

async function* blocksOfTake({ dir, file, condition, seed }: Take): AsyncGenerator<Int16Array> {
  const path = isAbsolute(file) ? file : join(dir, file);
  const { noise, room, distance, leadS = 0 } = condition;
  const inRoom = (): Sound => {
    const sound = decodePieces(path);
    return room === undefined ? sound : addRoom(sound, room, seed, distance);
  };
  if (noise === undefined) {
    yield* blocksOf(inRoom(), seed, BLOCK, beforeS(condition));
    return;
  }
  // With a lead the noise is there from the first sample on.
  const lead = leadS > 0 ? beforeS(condition) : 0;
  const noisy = addNoise(inRoom(), await noiseFor(inRoom(), noise, seed, lead));
  yield* blocksOf(noisy, seed, BLOCK, lead > 0 ? 0 : 1);
}

/** What an ear made of one clip. Times count from the recording's first sample. */
export interface HeardClip {
  readonly clip: SpeechClip;
  readonly take: Take;
  readonly durationS: number;
  /** Nothing in it is louder than a microphone's own noise. */
  readonly silent: boolean;
  /** Confirmed. */
  readonly hits: readonly SpeechHit[];
  /** Told as suspected; a phrase of `hits` may be among them. */
  readonly doubts: readonly SpeechHit[];
  /** What its first pass suspected; absent where the engine has none of its own. */
  readonly suspects?: readonly { readonly phraseId: string; readonly endS: number }[];
}

/** Every clip through a fresh ear; a clip whose sound cannot be read comes back in `leftOut`. No sound is kept. */
export async function listenToAll(deps: {
  clips: readonly SpeechClip[];
  dir: string;
  seed: number;
  condition: Condition;
  ears: EarSet;
  lax?: Laxness;
}): Promise<{ heard: HeardClip[]; leftOut: LeftOut[]; rtf: number | null }> {
  const { clips, dir, seed, condition, ears, lax = { ease: 0 } } = deps;
  const heard: HeardClip[] = [];
  const leftOut: LeftOut[] = [];
  const second = (sample: number) => sample / RATE - beforeS(condition);
  let cpuMs = 0;
  let soundS = 0;
  for (const [index, clip] of clips.entries()) {
    const take: Take = { dir, file: clip.file, condition, seed: seed + index };
    const ear = ears.fresh(lax);
    const told: SpeechHit[] = [];
    let samples = 0;
    let silent = true;
    try {
      for await (const block of blocksOfTake(take)) {
        samples += block.length;
        silent &&= block.every((value) => Math.abs(value) < SILENT);
        const began = process.cpuUsage();
        const found = await ear.accept(block);
        const used = process.cpuUsage(began);
        cpuMs += (used.user + used.system) / 1000;
        told.push(
          ...found.map((hit) => ({
            phraseId: hit.phraseId,
            endS: second(hit.endSample),
            reportedS: second(hit.neededSample ?? hit.endSample),
            margin: hit.score - hit.threshold,
            ...(hit.level ? { level: hit.level } : {}),
          })),
        );
      }
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      leftOut.push({ file: clip.file, reason: error.message });
      continue;
    }
    soundS += samples / RATE;
    const suspects = ear.suspects?.().map(({ phraseId, endSample }) => ({ phraseId, endS: second(endSample) }));
    const [hits, doubts] = [told.filter(({ level }) => !level), told.filter(({ level }) => level)];
    heard.push({ clip, take, durationS: second(samples) - 1, silent, hits, doubts, ...(suspects ? { suspects } : {}) });
  }
  return { heard, leftOut, rtf: soundS === 0 ? null : cpuMs / 1000 / soundS };
}

/** The samples of a take from one second to another, for people to hear; times as in the clip, what stands before it counts too. */
export async function cutOf(take: Take, fromS: number, toS: number): Promise<Int16Array> {
  const [from, to] = [fromS, toS].map((s) => Math.max(0, Math.round((s + beforeS(take.condition)) * RATE))) as [
    number,
    number,
  ];
  const cut: number[] = [];
  let at = 0;
  for await (const block of blocksOfTake(take)) {
    for (const sample of block.subarray(Math.max(0, from - at), Math.max(0, to - at))) cut.push(sample);
    at += block.length;
    if (at >= to) break;
  }
  return Int16Array.from(cut);
}
