/** `evalroom eval speech`: how well the ears find phrases in labelled recordings, and how often they are wrong. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { DEFAULT_FOLDER } from '../models/manifest.ts';
import { loadRulePack } from '../models/rules/load.ts';
import { ENGINES, type Engine } from '../models/speech/ears.ts';
import { fillPhrases } from '../models/speech/lexicon/slots.ts';
import { InvalidInput } from '../protocol/errors.ts';
import type { SpeechCategory } from '../protocol/observation.ts';
import type { Phrase } from '../protocol/rules.ts';
import { FRONTS, type FrontName } from './ears/front.ts';
import { earFactory } from './eval-speech-ears.ts';
import { AUGMENTED, type Condition, listenToAll, nameOfCondition } from './eval-speech-listen.ts';
import { type Mistake, writeSpeechReport } from './eval-speech-report.ts';
import {
  drawPhrases,
  judgeClip,
  listDrawn,
  once,
  type ScoredClip,
  type SpeechClip,
  scoreClips,
  scoreDrawn,
} from './eval-speech-score.ts';

interface SpeechFlags {
  readonly dir: string;
  readonly engine: Engine;
  readonly language?: string;
  readonly rules?: string;
  readonly drawPhrases?: number;
  readonly seed: number;
  readonly noise?: number;
  readonly room?: number;
  readonly distance?: number;
  readonly front: FrontName;
  readonly curve?: boolean;
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
    .option('--engine <engine>', 'fsmn (Mandarin), pocketsphinx (English), vosk, sherpa or sherpa-kws', 'fsmn')
    .option('--language <language>', 'zh or en, for vosk, sherpa and sherpa-kws', 'zh')
    .option('--rules <pack>', 'phrases of this rule pack (name or folder) instead of those of labels.json')
    .option('--draw-phrases <count>', 'draw phrases from the transcripts instead', number(1, 1000))
    .option('--seed <seed>', 'of the draw, the noise and the room', number(0, 2 ** 31), 1)
    .option('--noise <dB>', 'add pink noise so far below the speech', number(-20, 60))
    .option('--room <seconds>', 'add an artificial room with this reverberation time', number(0.1, 3))
    .option(
      '--distance <metres>',
      'in that room; the direct sound falls by 6 dB per doubling from 1 m on',
      number(0.1, 20),
    )
    .option('--front <name>', `what stands before the ear: ${FRONTS.join(', ')}`, 'shipped')
    .option('--curve', 'also with limits more and less strict: recall against false alarms (fsmn)')
    .option('--augment', 'also with noise at 20, 10 and 5 dB, in rooms of 0.3, 0.5 and 0.8 s, and at 2 and 4 m')
    .option('--report <file>', 'write an HTML page with the sound of every miss and false alarm')
    .option('--json', 'print one JSON object as the last line')
    .addHelpText(
      'after',
      `
A hit counts when it ends within 1.5 s of the labelled end, anywhere in the clip where none is labelled; every other
hit is a false alarm. Each clip begins with a fresh ear and has a second of noise floor on both sides.
EVALROOM_MODELS names a folder with the models; without it ${DEFAULT_FOLDER} is used.`,
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
export function readLabels(dir: string): SpeechClip[] {
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

/** One phrase of the labels or of a draw as a phrase of a pack; its text is its id. */
export function asPhrase(text: string, language: string): Phrase {
  return { phraseId: text, language, category: 'prohibited', forms: [text], citation: '' };
}

const plain = (text: string) => text.toLowerCase().replace(/[\s\p{P}]/gu, '');

/** Runs the evaluation. Rejects with InvalidInput for a folder or option that cannot be used, Unavailable without a model. */
export async function evalSpeech(flags: SpeechFlags, print: (line: string) => void) {
  const { dir, engine, seed } = flags;
  if (!ENGINES.includes(engine))
    throw new InvalidInput('bad_option', `--engine ${engine}: known engines are ${ENGINES.join(', ')}`);
  if (!FRONTS.includes(flags.front))
    throw new InvalidInput('bad_option', `--front ${flags.front}: known are ${FRONTS.join(', ')}`);
  if (flags.curve && engine !== 'fsmn')
    throw new InvalidInput('bad_option', `--curve: the strictness of ${engine} cannot be changed; use --engine fsmn`);
  const language =
    { fsmn: 'zh', pocketsphinx: 'en', vosk: undefined, sherpa: undefined, 'sherpa-kws': undefined }[engine] ??
    flags.language ??
    'zh';
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
    ? drawn.map((text) => asPhrase(text, language))
    : flags.rules
      ? fillPhrases(pack.phrases.filter((phrase) => phrase.language.startsWith(language)))
      : texts.map((text) => asPhrase(text, language));
  // A pack's phrase is named by the labelled text that one of its forms is, so that hits and labels meet.
  const nameOf = new Map(
    phrases.map((phrase) => {
      const forms = phrase.forms.map(plain);
      return [phrase.phraseId, texts.find((text) => forms.includes(plain(text))) ?? phrase.phraseId];
    }),
  );
  const levelOf = (category: string) => pack.rules[`speech_${category as SpeechCategory}`]?.level;
  const ears = await earFactory({ engine, language, phrases, front: flags.front });
  const mistakes: Mistake[] = [];
  const measure = async (condition: Condition) => {
    const freshEar = () => ears(0);
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
    const result = { ...base, ...(drawing ? scoreDrawn(scored, drawn, soundsOf) : scoreClips(scored, levelOf)) };
    report(result, print);
    return result;
  };
  /** One more time through ears as lax as can be; what a stricter one would have told is what reaches its limits. */
  const strictnesses = async (condition: Condition) => {
    const lax = Math.max(...CURVE);
    const { scored } = await listenToAll({ clips, dir, seed, condition, freshEar: () => ears(lax), nameOf });
    const { soundsOf } = await import('../models/speech/syllables.ts');
    return CURVE.map((ease) => {
      const told = scored.map(({ clip, hits }) => ({
        clip,
        hits: once(hits.filter((hit) => hit.margin >= lax - ease)),
      }));
      return { ease, ...(drawing ? scoreDrawn(told, drawn, soundsOf) : scoreClips(told, levelOf)) };
    });
  };
  const plainly: Condition = {
    ...(flags.noise === undefined ? {} : { noise: flags.noise }),
    ...(flags.room === undefined ? {} : { room: flags.room }),
    ...(flags.distance === undefined ? {} : { distance: flags.distance }),
  };
  const result = await measure(plainly);
  const augmented = [];
  for (const condition of flags.augment ? AUGMENTED : []) {
    print(`\n${nameOfCondition(condition)}`);
    augmented.push({ condition: nameOfCondition(condition), ...(await measure(condition)) });
  }
  const curve = flags.curve ? await strictnesses(plainly) : [];
  if (flags.curve) for (const line of curveLines(curve)) print(line);
  if (flags.report) writeSpeechReport(flags.report, [result, ...augmented], mistakes);
  return { ...result, ...(flags.augment ? { augmented } : {}), ...(flags.curve ? { curve } : {}) };
}

/** By how much each limit is lowered: from far too strict to far too lax. */
const CURVE = [-1.5, -1, -0.5, 0, 0.5, 1, 1.5] as const;

/** The curve as a table for people: false alarms per hour, or per hour and phrase where phrases were drawn. */
function curveLines(points: readonly { readonly ease: number }[]): string[] {
  const rows = points.map((point) => {
    const { ease, recallAll, falseAlarms, ...rest } = point as Record<string, number | null>;
    const [rate, bound] =
      rest.falseAlarmsPerPhraseHour === undefined
        ? [rest.falseAlarmsPerHour, rest.falseAlarmsPerHour95]
        : [rest.falseAlarmsPerPhraseHour, rest.falseAlarmsPerPhraseHour95];
    const shown = [
      ease,
      recallAll === null ? '-' : recallAll?.toFixed(3),
      falseAlarms,
      rate?.toFixed(2),
      bound?.toFixed(2),
    ];
    return shown.map((value) => String(value).padStart(13)).join('');
  });
  return [
    '',
    ['lowered by', 'recall', 'false', 'per hour', '95 % bound'].map((name) => name.padStart(13)).join(''),
    ...rows,
  ];
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
