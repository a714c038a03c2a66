/** Third step of splicing: the syllables of a folder of recordings, each with who said it, in what word, and where. */
import { readFileSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { pinyin } from 'pinyin-pro';
import type { SpotterModel } from '../../models/speech/fsmn-spotter.ts';
import { spokenForms } from '../../models/speech/lexicon/spoken.ts';
import { createSyllables } from '../../models/speech/syllables.ts';
import { EvalroomError } from '../../protocol/errors.ts';
import { readLabels } from '../eval-speech-labels.ts';
import type { LeftOut, SpeechClip } from '../eval-speech-score.ts';
import { decodeSound } from '../eval-speech-sound.ts';
import { alignSpoken, FRAME_SAMPLES, posteriorsOf } from './align.ts';
import { cutSyllables } from './cut.ts';

/** A character as it is read where it stands: `guan`, 1; the neutral tone is 0. */
export interface Sounded {
  readonly character: string;
  readonly syllable: string;
  readonly tone: number;
}

/** A recording whose words are known; `sound` at 16 kHz on the int16 scale, its words from `begin` to before `end`. */
export interface Recording {
  readonly speaker: string;
  readonly transcript: string;
  readonly sound: Float32Array;
  readonly begin: number;
  readonly end: number;
  /** Its labels name no phrase in it. */
  readonly neutral: boolean;
}

/** One syllable of a recording, the `place`-th of it; samples from `begin` to before `end`. */
export interface Unit extends Sounded {
  readonly recording: Recording;
  readonly place: number;
  readonly begin: number;
  readonly end: number;
}

export interface Inventory {
  readonly units: readonly Unit[];
  readonly recordings: readonly Recording[];
  /** Clips of the language in which no phrase is said: path and what labels say. */
  readonly neutral: readonly (SpeechClip & { readonly path: string })[];
  readonly leftOut: readonly LeftOut[];
}

/** A transcript whose words were not said has syllables that the net did not hear at all. */
const LEAST_SCORE = -4;

/** Each Chinese character of a text with the reading that it has there. */
export function soundsIn(text: string): Sounded[] {
  const characters = [...text].filter((character) => /\p{Script=Han}/u.test(character));
  const read = pinyin(characters.join(''), { toneType: 'num', type: 'array', v: true });
  return characters.map((character, i) => {
    const [, syllable = '', tone = '0'] = /^([a-z]+)([0-5]?)$/.exec(read[i] ?? '') ?? [];
    return { character, syllable, tone: Number(tone) % 5 };
  });
}

/** What labels say beyond what is scored. */
interface Extras {
  readonly file?: unknown;
  readonly speaker?: unknown;
  readonly snr_db?: unknown;
}

function extrasOf(dir: string): ReadonlyMap<unknown, Extras> {
  const parsed = JSON.parse(readFileSync(join(dir, 'labels.json'), 'utf8').replace(/^\uFEFF/, ''));
  const list: readonly Extras[] = Array.isArray(parsed) ? parsed : parsed.clips;
  return new Map(list.map((entry) => [entry.file, entry]));
}

/**
 * Reads, aligns and cuts all Mandarin clips that have a transcript. Left out: those with noise added, with words that are not
 * Chinese, and whose transcript is not what was said. Nothing is asked of single syllables: one that was said badly stays.
 * Throws InvalidInput for a folder without labels.
 */
export async function unitsOf(dirs: readonly string[], model: SpotterModel): Promise<Inventory> {
  const syllables = createSyllables(model.tokens);
  const units: Unit[] = [];
  const recordings: Recording[] = [];
  const neutral: (SpeechClip & { path: string })[] = [];
  const leftOut: LeftOut[] = [];
  for (const dir of dirs) {
    const labels = readLabels(dir);
    leftOut.push(...labels.leftOut);
    const extras = extrasOf(dir);
    for (const clip of labels.clips.filter(({ language }) => language === 'zh')) {
      const { speaker, snr_db: noise } = extras.get(clip.file) ?? {};
      const path = resolve(isAbsolute(clip.file) ? clip.file : join(dir, clip.file));
      if (clip.said.length === 0) neutral.push({ ...clip, path });
      const leave = (reason: string) => leftOut.push({ file: clip.file, reason });
      const transcript = clip.transcript && (spokenForms(clip.transcript, 'zh')[0] ?? clip.transcript);
      if (!transcript) leave('no transcript');
      else if (/[^\p{Script=Han}\s\p{P}\p{S}]/u.test(transcript)) leave('words that are not Chinese');
      else if (typeof noise === 'number') leave('noise was added to it');
      else {
        const said = soundsIn(transcript);
        try {
          const sound = await decodeSound(path);
          const text = said.map(({ character }) => character).join('');
          const aligned = alignSpoken(posteriorsOf(model, syllables, sound), syllables.spell(text));
          if (!aligned || aligned.score < LEAST_SCORE) {
            leave(`it does not sound like its transcript (${aligned?.score.toFixed(1) ?? 'too short'})`);
            continue;
          }
          const cuts = cutSyllables(
            sound,
            aligned.peaks.map((frame) => frame * FRAME_SAMPLES),
          );
          const recording: Recording = {
            speaker: typeof speaker === 'string' ? speaker : basename(resolve(dir)),
            transcript: text,
            sound,
            begin: cuts[0]!.begin,
            end: cuts.at(-1)!.end,
            neutral: clip.said.length === 0,
          };
          recordings.push(recording);
          units.push(...said.map((one, place) => ({ ...one, recording, place, ...cuts[place]! })));
        } catch (error) {
          if (!(error instanceof EvalroomError)) throw error;
          leave(error.message);
        }
      }
    }
  }
  return { units, recordings, neutral, leftOut };
}
