/** Plays labelled recordings to a fresh ear each, as they are or with noise and rooms around them, in virtual time. */
import { join } from 'node:path';
import type { Hit } from '../models/speech/recogniser.ts';
import type { Ear } from './ears/front.ts';
import type { ScoredClip, SpeechClip } from './eval-speech-score.ts';
import { addNoise, addRoom, decodeSound, withFloor } from './eval-speech-sound.ts';

/** A room's microphone delivers blocks of about this size. */
const BLOCK = 1600;

/** What is done to the sound before it is heard. */
export interface Condition {
  /** dB of the speech over pink noise. */
  readonly noise?: number;
  /** T60 in seconds. */
  readonly room?: number;
  /** Metres from mouth to microphone in that room; without it direct and reverberant sound are equally strong. */
  readonly distance?: number;
  /** Seconds in which nobody speaks yet, in the same noise: an ear in a room has known its noise for long. */
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

/** Every clip through a fresh ear; `sounds` keeps what was heard where the ear may have been wrong about it. */
export async function listenToAll(deps: {
  clips: readonly SpeechClip[];
  dir: string;
  seed: number;
  condition: Condition;
  freshEar: () => Ear;
  nameOf: ReadonlyMap<string, string>;
}): Promise<{ scored: ScoredClip[]; sounds: Map<string, Int16Array>; rtf: number }> {
  const { clips, dir, seed, condition, freshEar, nameOf } = deps;
  const scored: ScoredClip[] = [];
  const sounds = new Map<string, Int16Array>();
  let cpuMs = 0;
  let soundS = 0;
  for (const [index, clip] of clips.entries()) {
    const { noise, room, distance, leadS = 0 } = condition;
    let sound = await decodeSound(join(dir, clip.file));
    if (room !== undefined) sound = addRoom(sound, room, seed + index, distance);
    // With a lead the noise is there from the first sample on.
    const noisy = noise !== undefined && leadS > 0;
    if (noise !== undefined) sound = addNoise(sound, noise, seed + index, noisy ? 1 + leadS : 0);
    const samples = withFloor(sound, seed + index, noisy ? 0 : 1 + leadS);
    const ear = freshEar();
    const began = process.cpuUsage();
    const hits: Hit[] = [];
    for (let at = 0; at < samples.length; at += BLOCK) hits.push(...(await ear(samples.slice(at, at + BLOCK))));
    const used = process.cpuUsage(began);
    cpuMs += (used.user + used.system) / 1000;
    soundS += samples.length / 16_000;
    sounds.set(clip.file, samples);
    const seconds = (sample: number) => sample / 16_000 - 1 - leadS;
    scored.push({
      clip,
      hits: hits.map((hit) => ({
        phrase: nameOf.get(hit.phraseId) ?? hit.phraseId,
        endS: seconds(hit.endSample),
        reportedS: seconds(hit.neededSample ?? hit.endSample),
        margin: hit.score - hit.threshold,
      })),
    });
  }
  return { scored, sounds, rtf: cpuMs / 1000 / soundS };
}
