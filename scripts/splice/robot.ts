/** English instead of splicing: a synthetic voice reads a pack's phrases, between sentences of the room. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadRules } from '../../models/rules/load.ts';
import { Unavailable } from '../../protocol/errors.ts';
import { wavOf } from '../../protocol/wav.ts';
import { decodeSound, seeded } from '../eval-speech-sound.ts';
import { inTurn } from './join.ts';
import { drawSayings } from './say.ts';

const RATE = 16_000;
const PAUSE_S = 0.35;
/** Voices of espeak-ng, pitches (0 to 99) and words a minute that take turns. */
const VOICES = ['en-us', 'en-gb', 'en-gb-scotland', 'en-us+f3', 'en-gb-x-rp', 'en-gb+f2'] as const;
const PITCHES = [35, 50, 65] as const;
const SPEEDS = [135, 155, 175] as const;
/** Sentences of the room in which nothing is wrong. */
const CARRIERS = [
  'The next file is about the delivery schedule.',
  'Let us open the envelope with the prices.',
  'I have read the technical part of this tender.',
  'Please check the date of the certificate.',
  'The guarantee is valid for ninety days.',
  'We continue with the second part after lunch.',
  'The drawing on page twelve is hard to read.',
  'Did everybody sign the list of those present.',
  'The project manager has fifteen years of experience.',
  'The price includes transport and installation.',
] as const;

const run = promisify(execFile);

/** One clip for each saying. Rejects with Unavailable where espeak-ng is missing. */
export async function readAloud(flags: {
  readonly rules: string;
  readonly out: string;
  readonly takenBack?: boolean;
  readonly perPhrase: number;
  readonly seed: number;
}) {
  const { rules, out, takenBack = false, perPhrase, seed } = flags;
  const random = seeded(seed);
  const one = <T>(list: readonly T[]): T => list[Math.floor(((random() + 1) / 2) * list.length) % list.length]!;
  const phrases = loadRules(rules).phrases.filter(({ language }) => language.startsWith('en'));
  const drawn = drawSayings({
    phrases,
    language: 'en',
    forbidden: takenBack,
    count: perPhrase,
    random,
    missingFor: () => [],
  });
  const scratch = mkdtempSync(join(tmpdir(), 'evalroom-splice-'));
  try {
    const made = [];
    for (const [index, { phraseId, category, form, lead, text }] of drawn.sayings.entries()) {
      const [voice, pitch, speed] = [VOICES[index % VOICES.length]!, one(PITCHES), one(SPEEDS)];
      const around = index % 2 === 0 ? [] : [one(CARRIERS), one(CARRIERS)];
      const words = [...around.slice(0, 1), lead + text, ...around.slice(1)];
      const parts: Float32Array[] = [];
      for (const said of words) parts.push(await speak({ said, voice, pitch, speed, scratch }));
      const { samples, ends } = inTurn(parts, PAUSE_S, index);
      const file = `${phraseId}-${String(index).padStart(4, '0')}.wav`;
      writeFileSync(join(out, file), wavOf(samples));
      made.push({
        file,
        language: 'en',
        category: takenBack ? null : category,
        phrase: takenBack ? null : text,
        ...(takenBack ? {} : { phrase_end_s: Number((ends[around.length > 0 ? 1 : 0]! / RATE).toFixed(3)) }),
        transcript: words.join(' '),
        duration_s: samples.length / RATE,
        kind: takenBack ? 'synthetic-espeak-taken-back' : 'synthetic-espeak',
        phrase_id: phraseId,
        form,
        ...(lead ? { lead: lead.trim() } : {}),
        speaker: `${voice} ${pitch} ${speed}`,
      });
    }
    return { made, neutral: [], forms: drawn.forms, unsayable: drawn.unsayable, voices: VOICES.length };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function speak(deps: {
  said: string;
  voice: string;
  pitch: number;
  speed: number;
  scratch: string;
}): Promise<Float32Array> {
  const { said, voice, pitch, speed, scratch } = deps;
  const path = join(scratch, 'said.wav');
  try {
    await run('espeak-ng', ['-v', voice, '-p', String(pitch), '-s', String(speed), '-w', path, said]);
  } catch (error) {
    throw new Unavailable(
      'espeak_missing',
      `reading "${said}" with the voice ${voice}: espeak-ng failed; is the Debian package espeak-ng installed?`,
      error,
    );
  }
  return decodeSound(path);
}
