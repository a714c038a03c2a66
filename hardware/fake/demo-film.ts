/** Where the demo's film lies, what is said in it and when: what the fake camera is given to play. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SpeechCategory } from '../../protocol/observation.ts';
import type { PlacedSound } from './soundtrack.ts';

export interface DemoFilm {
  /** 1280 × 720 and 640 × 360, H.264, 5 fps, a keyframe every 2 s, no sound. */
  readonly main: string;
  readonly sub: string;
  /** room.yaml of the room in the film, with an ONVIF host to be filled in. */
  readonly room: string;
  /** What happens in it: see `scripts/fixtures.ts`. */
  readonly truth: string;
  readonly sound: string;
}

/** A phrase in the loop, with its truth. */
export interface DemoPhrase extends PlacedSound {
  /** When its last word ends in the loop. */
  readonly endMs: number;
  /** BCP 47. */
  readonly language: string;
  readonly category: SpeechCategory;
  readonly phrase: string;
  readonly transcript: string;
}

const FOLDER = fileURLToPath(new URL('../../test/fixtures/room/', import.meta.url));

/** Paths of the film in this checkout. */
export function demoFilm(): DemoFilm {
  const [main, sub, room, truth, sound] = ['main.mp4', 'sub.mp4', 'room.yaml', 'truth.json', 'sound.json'].map((name) =>
    join(FOLDER, name),
  );
  return { main: main!, sub: sub!, room: room!, truth: truth!, sound: sound! };
}

interface Label {
  readonly file: string;
  readonly category: SpeechCategory | null;
  readonly phrase: string | null;
  readonly transcript: string;
  readonly phrase_end_s: number;
}

/** Between the English phrases of sound.json. */
const MANDARIN_AT_MS = [37_000, 84_000, 131_000, 175_000, 218_000, 263_000, 305_000];
const MANDARIN_CATEGORIES: readonly SpeechCategory[] = ['prohibited', 'suggestive', 'tendentious', 'irrelevant'];

/**
 * Phrases of the demo's loop: English ones from the film's own folder and, where `mediaFolder` has `audio/zh-splice`,
 * Mandarin ones from there (their licence keeps them out of the project).
 */
export async function demoSchedule(mediaFolder?: string): Promise<DemoPhrase[]> {
  const own = JSON.parse(await readFile(demoFilm().sound, 'utf8')) as { phrases: DemoPhrase[] };
  const english = own.phrases.map((phrase) => ({ ...phrase, file: join(FOLDER, phrase.file) }));
  const mandarin = mediaFolder === undefined ? [] : await mandarinPhrases(join(mediaFolder, 'audio/zh-splice'));
  return [...english, ...mandarin].sort((a, b) => a.atMs - b.atMs);
}

async function mandarinPhrases(folder: string): Promise<DemoPhrase[]> {
  const labelsFile = join(folder, 'labels.json');
  const there = await access(labelsFile).then(
    () => true,
    () => false,
  );
  if (!there) return [];
  const { clips } = JSON.parse(await readFile(labelsFile, 'utf8')) as { clips: Label[] };
  // One recording of each phrase, the categories in turn.
  const firsts = clips.filter(
    (clip, i) => clip.phrase !== null && clips.findIndex((c) => c.phrase === clip.phrase) === i,
  );
  const turns = MANDARIN_AT_MS.map((_, turn) => {
    const category = MANDARIN_CATEGORIES[turn % MANDARIN_CATEGORIES.length];
    return firsts.filter((clip) => clip.category === category)[Math.floor(turn / MANDARIN_CATEGORIES.length)];
  });
  return turns.flatMap((clip, turn) => {
    if (!clip?.category) return [];
    const atMs = MANDARIN_AT_MS[turn]!;
    const { category, transcript } = clip;
    const endMs = atMs + Math.round(clip.phrase_end_s * 1000);
    return [
      { file: join(folder, clip.file), atMs, endMs, language: 'zh-CN', category, phrase: clip.phrase!, transcript },
    ];
  });
}
