/** `evalroom eval speech`: how well the ears find phrases in labelled recordings, and how often they are wrong. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { DEFAULT_FOLDER } from '../models/manifest.ts';
import { loadRulePack } from '../models/rules/load.ts';
import { readFsmnModel } from '../models/speech/fsmn-files.ts';
import { createSpotter } from '../models/speech/fsmn-spotter.ts';
import { fillPhrases } from '../models/speech/lexicon/slots.ts';
import { openDecoder } from '../models/speech/pocketsphinx-library.ts';
import { createEnglishSpotter, keywordFile, planKeywords } from '../models/speech/pocketsphinx-spotter.ts';
import type { Hit } from '../models/speech/recogniser.ts';
import { InvalidInput } from '../protocol/errors.ts';
import type { SpeechCategory } from '../protocol/observation.ts';
import type { Phrase } from '../protocol/rules.ts';
import { AUGMENTED, type Condition, listenToAll, nameOfCondition } from './eval-speech-listen.ts';
import { type Mistake, writeSpeechReport } from './eval-speech-report.ts';
import {
  drawPhrases,
  judgeClip,
  listDrawn,
  type ScoredClip,
  type SpeechClip,
  scoreClips,
  scoreDrawn,
} from './eval-speech-score.ts';

interface SpeechFlags {
  readonly dir: string;
  readonly engine: 'fsmn' | 'pocketsphinx';
  readonly rules?: string;
  readonly drawPhrases?: number;
  readonly seed: number;
  readonly noise?: number;
  readonly room?: number;
  readonly augment?: boolean;
  readonly report?: string;
  readonly json?: boolean;
}

/** Adds `speech` to the `eval` command. */
export function evalSpeechCommand(program: Command): void {
  const number = (least: number, most: number) => (value: string) => {
    const parsed = Number(value);
    if (value.trim() !== '' && parsed >= least && parsed <= most) return parsed;
    throw new InvalidInput('bad_option', `reading the options: ${value} is not a number from ${least} to ${most}`);
  };
  program
    .command('speech')
    .description('score an ear on recordings with a labels.json')
    .requiredOption('--dir <folder>', 'folder of sound files with a labels.json')
    .option('--engine <engine>', 'fsmn (Mandarin) or pocketsphinx (English)', 'fsmn')
    .option('--rules <pack>', 'phrases of this rule pack (name or folder) instead of those of labels.json')
    .option('--draw-phrases <count>', 'draw phrases from the transcripts instead', number(1, 1000))
    .option('--seed <seed>', 'of the draw, the noise and the room', number(0, 2 ** 31), 1)
    .option('--noise <dB>', 'add pink noise so far below the speech', number(-20, 60))
    .option('--room <seconds>', 'add an artificial room with this reverberation time', number(0.1, 3))
    .option('--augment', 'also with noise at 20, 10 and 5 dB and in rooms of 0.3, 0.5 and 0.8 s')
    .option('--report <file>', 'write an HTML page with the sound of every miss and false alarm')
    .option('--json', 'print one JSON object as the last line')
    .addHelpText(
      'after',
      `
A hit counts when it ends within 1.5 s of the labelled end, anywhere in the clip where none is labelled; every other
hit is a false alarm. Each clip begins with a fresh ear and has a second of noise floor on both sides.
EVALROOM_MODELS names a folder with the Mandarin model; without it ${DEFAULT_FOLDER} is used.`,
    )
    .action(async (flags: SpeechFlags) => {
      const result = await evalSpeech(flags, (line) => process.stdout.write(`${line}\n`));
      if (flags.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    });
}

const labelsFile = z.object({
  clips: z.array(
    z.object({
      file: z.string(),
      language: z.string(),
      category: z.string().nullable(),
      phrase: z.string().nullish(),
      phrases: z.array(z.string()).nullish(),
      transcript: z.string().nullish(),
      phrase_end_s: z.number().nullish(),
      duration_s: z.number().positive(),
    }),
  ),
});

/** Rejects labels that cannot be read with file, place and reason. */
function readLabels(dir: string): SpeechClip[] {
  const path = join(dir, 'labels.json');
  const bad = (why: string, cause?: unknown) => new InvalidInput('bad_labels', `reading ${path}: ${why}`, cause);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw bad('it is not there or not JSON; --dir must name a folder with a labels.json', error);
  }
  const result = labelsFile.safeParse(parsed);
  if (!result.success) throw bad(result.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; '));
  return result.data.clips.map((clip) => {
    const phrases = clip.phrases ?? (clip.phrase ? [clip.phrase] : []);
    const end = phrases.length === 1 && typeof clip.phrase_end_s === 'number' ? { endS: clip.phrase_end_s } : {};
    return {
      file: clip.file,
      language: clip.language.split('-')[0]!,
      category: clip.category,
      said: phrases.map((phrase) => ({ phrase, ...end })),
      ...(clip.transcript ? { transcript: clip.transcript } : {}),
      durationS: clip.duration_s,
    };
  });
}

/** Makes a fresh ear per clip. The very code that the worker and the child process run, without the process around it. */
function earFactory(engine: SpeechFlags['engine'], phrases: readonly Phrase[]): () => (samples: Int16Array) => Hit[] {
  if (engine === 'fsmn') {
    const model = readFsmnModel(process.env.EVALROOM_MODELS ?? DEFAULT_FOLDER);
    return () => createSpotter({ model, phrases }).accept;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'evalroom-eval-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  let last: ReturnType<typeof openDecoder> | undefined;
  return () => {
    last?.close();
    const decoder = openDecoder('/usr/share/pocketsphinx/model/en-us');
    last = decoder;
    const { keywords, unheard } = planKeywords(phrases, decoder);
    for (const { phraseId, reason } of unheard) process.stderr.write(`cannot be spotted: ${phraseId}: ${reason}\n`);
    const path = join(scratch, 'phrases');
    writeFileSync(path, keywordFile(keywords));
    decoder.spot(path);
    return createEnglishSpotter(decoder, keywords);
  };
}

const LANGUAGE = { fsmn: 'zh', pocketsphinx: 'en' } as const;

/** One phrase of the labels or of a draw as a phrase of a pack; its text is its id. */
function asPhrase(text: string, category: SpeechCategory, language: string): Phrase {
  return { phraseId: text, language, category, forms: [text], citation: '' };
}

const plain = (text: string) => text.toLowerCase().replace(/[\s\p{P}]/gu, '');

/** Runs the evaluation. Rejects with InvalidInput for a folder or option that cannot be used, Unavailable without a model. */
export async function evalSpeech(flags: SpeechFlags, print: (line: string) => void) {
  const { dir, engine, seed } = flags;
  if (!(engine in LANGUAGE))
    throw new InvalidInput('bad_option', `--engine ${engine}: known engines are ${Object.keys(LANGUAGE).join(', ')}`);
  const language = LANGUAGE[engine];
  const labelled = readLabels(dir);
  const drawing = flags.drawPhrases !== undefined;
  // The wake word of the model's own test set is no phrase that anybody would draw.
  const clips = labelled.filter(
    (clip) => clip.language === language && !(drawing && clip.transcript?.includes('小云小云')),
  );
  if (clips.length === 0)
    throw new InvalidInput('no_clips', `measuring ${engine} on ${dir}: no clip is in ${language}`);
  const pack = loadRulePack(flags.rules ?? 'default');
  const drawn = drawing
    ? drawPhrases(
        clips.flatMap((clip) => clip.transcript ?? []),
        flags.drawPhrases!,
        seed,
      )
    : [];
  const texts = [...new Set(clips.flatMap((clip) => clip.said.map((said) => said.phrase)))];
  const phrases = drawing
    ? drawn.map((text) => asPhrase(text, 'prohibited', language))
    : flags.rules
      ? fillPhrases(pack.phrases.filter((phrase) => phrase.language.startsWith(language)))
      : texts.map((text) => asPhrase(text, 'prohibited', language));
  // A pack's phrase is named by the labelled text that one of its forms is, so that hits and labels meet.
  const nameOf = new Map(
    phrases.map((phrase) => {
      const forms = phrase.forms.map(plain);
      return [phrase.phraseId, texts.find((text) => forms.includes(plain(text))) ?? phrase.phraseId];
    }),
  );
  const freshEar = earFactory(engine, phrases);
  const mistakes: Mistake[] = [];
  const measure = async (condition: Condition) => {
    const { scored, sounds, rtf } = await listenToAll({ clips, dir, seed, condition, freshEar, nameOf });
    const base = {
      engine,
      clips: clips.length,
      skipped: labelled.length - clips.length,
      rtf,
      rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
    };
    const { soundsOf } = await import('../models/speech/syllables.ts');
    const wrong: Wrong[] = drawing
      ? listDrawn(scored, drawn, soundsOf).map(({ phrase, clip, wrong }) => ({
          kind: wrong ? 'false' : 'missed',
          file: clip,
          phrase,
        }))
      : scored.flatMap((one) => mistakesOf(one));
    for (const one of wrong) {
      const at = one.atS !== undefined ? ` at ${one.atS.toFixed(2)} s` : '';
      print(`${one.kind.padEnd(6)}  ${one.file}: ${one.phrase}${at}`);
      const sound = sounds.get(one.file)!;
      // A second of floor stands before the clip; a false alarm needs what led to it, not the hour around it.
      const samples =
        one.atS === undefined ? sound : sound.slice(Math.max(0, (one.atS - 5) * 16_000), (one.atS + 3) * 16_000);
      mistakes.push({ ...one, condition: nameOfCondition(condition), samples });
    }
    const levelOf = (category: string) => pack.rules[`speech_${category as SpeechCategory}`]?.level;
    const result = { ...base, ...(drawing ? scoreDrawn(scored, drawn, soundsOf) : scoreClips(scored, levelOf)) };
    report(result, print);
    return result;
  };
  const plainly: Condition = {
    ...(flags.noise === undefined ? {} : { noise: flags.noise }),
    ...(flags.room === undefined ? {} : { room: flags.room }),
  };
  const result = await measure(plainly);
  const augmented = [];
  for (const condition of flags.augment ? AUGMENTED : []) {
    print(`\n${nameOfCondition(condition)}`);
    augmented.push({ condition: nameOfCondition(condition), ...(await measure(condition)) });
  }
  if (flags.report) writeSpeechReport(flags.report, [result, ...augmented], mistakes);
  return flags.augment ? { ...result, augmented } : result;
}

type Wrong = Omit<Mistake, 'condition' | 'samples'>;

function mistakesOf(one: ScoredClip): Wrong[] {
  const { missed, wrong } = judgeClip(one);
  const { file } = one.clip;
  return [
    ...missed.map((phrase) => ({ kind: 'missed' as const, file, phrase })),
    ...wrong.map(({ phrase, endS }) => ({ kind: 'false' as const, file, phrase, atS: endS })),
  ];
}

function report(result: object, print: (line: string) => void): void {
  for (const [key, value] of Object.entries(result)) {
    const shown = typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(4) : JSON.stringify(value);
    print(`${key.padEnd(28)} ${shown}`);
  }
}
