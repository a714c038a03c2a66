/** Builds the sound track of the fake camera's loop: phrases over the noise that every real microphone has. */
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInput } from '../../protocol/errors.ts';
import { runFfmpeg } from '../ffmpeg/run.ts';

export interface PlacedSound {
  readonly file: string;
  readonly atMs: number;
  /** Louder or softer than the file, default 0. */
  readonly gainDb?: number;
}

export interface SoundtrackParts {
  /** RMS of the noise under everything, in dBFS; digital silence deafens some engines. Default -60. */
  readonly noiseFloorDb?: number;
  readonly phrases: readonly PlacedSound[];
  readonly durationMs: number;
  /** Finished tracks are kept here under the hash of all that went in, and taken from here when it is the same again. */
  readonly folder: string;
}

/** Changes when the recipe below does, so that old tracks are not taken for new ones. */
const RECIPE = 1;

/**
 * Path of an .m4a with AAC, 16 kHz, mono, exactly `durationMs` long.
 * @throws InvalidInput `soundtrack_phrase` for a phrase that does not fit; `ffmpeg_failed` for a file that is no sound.
 */
export async function buildSoundtrack({
  noiseFloorDb = -60,
  phrases,
  durationMs,
  folder,
}: SoundtrackParts): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([RECIPE, noiseFloorDb, durationMs]));
  for (const { file, atMs, gainDb = 0 } of phrases) {
    if (!(atMs >= 0 && atMs < durationMs))
      throw new InvalidInput('soundtrack_phrase', `${file} is placed at ${atMs} ms of a track of ${durationMs} ms`);
    hash.update(JSON.stringify([atMs, gainDb])).update(await readFile(file));
  }
  await mkdir(folder, { recursive: true });
  const out = join(folder, `sound-${hash.digest('hex').slice(0, 20)}.m4a`);
  if (await exists(out)) return out;

  // White noise between -a and a has an RMS of a / sqrt(3).
  const amplitude = Math.min(1, 10 ** (noiseFloorDb / 20) * Math.sqrt(3));
  const inputs = phrases.flatMap(({ file }) => ['-i', file]);
  const placed = phrases.map(
    ({ atMs, gainDb = 0 }, i) =>
      `[${i}:a]aresample=16000,aformat=channel_layouts=mono,volume=${gainDb}dB,adelay=${Math.round(atMs)}[p${i}]`,
  );
  const noise = `anoisesrc=r=16000:a=${amplitude}:d=${durationMs / 1000}:seed=1[n]`;
  const names = phrases.map((_, i) => `[p${i}]`).join('');
  const mix = `[n]${names}amix=inputs=${phrases.length + 1}:duration=first:normalize=0,alimiter=limit=0.95:level=disabled[out]`;
  const unfinished = `${out}.${process.pid}.m4a`;
  try {
    await runFfmpeg({
      args: [
        ...['-y', ...inputs, '-filter_complex', [...placed, noise, mix].join(';'), '-map', '[out]'],
        ...['-c:a', 'aac', '-b:a', '48k', '-ac', '1', '-ar', '16000', unfinished],
      ],
      doing: `mixing a sound track of ${phrases.length} phrases`,
    });
    await rename(unfinished, out);
  } finally {
    await rm(unfinished, { force: true });
  }
  return out;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
