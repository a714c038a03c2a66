/** Plays labelled recordings to a fresh ear each, as they are or with noise and rooms around them, in virtual time. */
import { join } from 'node:path';
import type { Hit } from '../models/speech/recogniser.ts';
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
}

/** Of --augment. */
export const AUGMENTED: readonly Condition[] = [
  { noise: 20 },
  { noise: 10 },
  { noise: 5 },
  { room: 0.3 },
  { room: 0.5 },
  { room: 0.8 },
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
  freshEar: () => (samples: Int16Array) => Hit[];
  nameOf: ReadonlyMap<string, string>;
}): Promise<{ scored: ScoredClip[]; sounds: Map<string, Int16Array>; rtf: number }> {
  const { clips, dir, seed, condition, freshEar, nameOf } = deps;
  const scored: ScoredClip[] = [];
  const sounds = new Map<string, Int16Array>();
  let cpuMs = 0;
  let soundS = 0;
  for (const [index, clip] of clips.entries()) {
    let sound = await decodeSound(join(dir, clip.file));
    if (condition.room !== undefined) sound = addRoom(sound, condition.room, seed + index, condition.distance);
    if (condition.noise !== undefined) sound = addNoise(sound, condition.noise, seed + index);
    const samples = withFloor(sound, seed + index);
    const ear = freshEar();
    const began = process.cpuUsage();
    const hits: Hit[] = [];
    for (let at = 0; at < samples.length; at += BLOCK) hits.push(...ear(samples.slice(at, at + BLOCK)));
    const used = process.cpuUsage(began);
    cpuMs += (used.user + used.system) / 1000;
    soundS += samples.length / 16_000;
    sounds.set(clip.file, samples);
    const seconds = (sample: number) => sample / 16_000 - 1;
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
