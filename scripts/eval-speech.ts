/** `evalroom eval speech`: how well the ears find phrases in labelled recordings, and how often they are wrong. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_FOLDER } from '../models/manifest.ts';
import { ENGINES, type Engine } from '../models/speech/ears.ts';
import { EvalroomError, InvalidInput } from '../protocol/errors.ts';
import type { SpeechCategory } from '../protocol/observation.ts';
import { FRONTS, type FrontName } from './ears/front.ts';
import { type EarSet, type OpenedEngine, openEngine } from './eval-speech-ears.ts';
import { doubtsOf, eventsOf } from './eval-speech-events.ts';
import { type Labels, languageOf, readLabels } from './eval-speech-labels.ts';
import { AUGMENTED, type Condition, type HeardClip, listenToAll, nameOfCondition } from './eval-speech-listen.ts';
import { mistakesOf } from './eval-speech-mistakes.ts';
import { type Plan, planOf } from './eval-speech-phrases.ts';
import { type Mistake, writeSpeechReport } from './eval-speech-report.ts';
import {
  type DrawnScore,
  type LeftOut,
  type ScoredClip,
  type SpeechClip,
  type SpeechScore,
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
  /** HTML file to write; false: none. */
  readonly report: string | false;
  readonly json?: boolean;
}

/** Where lines go: what people read, and what they must not overlook. */
interface Lines {
  print(line: string): void;
  warn(line: string): void;
}

const REPORT = join('.data', 'eval-speech', 'report.html');

/** Adds `speech` to the `eval` command. `open`: who brings the engines. */
export function evalSpeechCommand(program: Command, open = openEngine): void {
  program
    .command('speech')
    .description('score an ear on recordings with a labels.json')
    .requiredOption('--dir <folder>', 'folder of sound files with a labels.json')
    .option('--engine <engine>', 'fsmn (Mandarin), pocketsphinx (English), vosk, sherpa or sherpa-kws', 'fsmn')
    .option('--language <language>', 'zh or en, for vosk, sherpa and sherpa-kws; else the one of most clips')
    .option(
      '--rules <pack>',
      'phrases of a rule pack instead of those of labels.json: its name, its folder, or a folder of phrases such as zh-CN',
    )
    .option('--draw-phrases <count>', 'draw phrases from the transcripts instead', numberFrom(1, 1000, true))
    .option('--seed <seed>', 'of the draw, the noise and the room', numberFrom(0, 2 ** 31, true), 1)
    .option('--noise <dB>', 'add pink noise so far below the speech', numberFrom(-20, 60))
    .option('--room <seconds>', 'add an artificial room with this reverberation time', numberFrom(0.1, 3))
    .option(
      '--distance <metres>',
      'in that room; the direct sound falls by 6 dB per doubling from 1 m on',
      numberFrom(0.1, 20),
    )
    .option('--front <name>', `what stands before the ear: ${FRONTS.join(', ')}`, 'shipped')
    .option('--curve', 'also with limits more and less strict: recall against false alarms (fsmn)')
    .option('--augment', 'also with noise at 20, 10 and 5 dB, in rooms of 0.3, 0.5 and 0.8 s, and at 2 and 4 m')
    .option('--report <file>', 'HTML page with the sound of every miss and false alarm', REPORT)
    .option('--no-report', 'write no page')
    .option('--json', 'print one JSON object as the last line')
    .addHelpText(
      'after',
      `
What is scored are events of the room's own deciding: the same phrase again within 5 s is the same event. One counts when it
ends within 1.5 s of the labelled end, anywhere in the clip where none is labelled; every other one is a false alarm. What
was only suspected is neither: suspectedOnly counts it. Each
clip begins with a fresh ear and has a second of noise floor on both sides. What cannot be read is named, counted and left out.
EVALROOM_MODELS names a folder with the models; without it ${DEFAULT_FOLDER} is used.`,
    )
    .action(async (flags: SpeechFlags) => {
      const lines: Lines = {
        print: (line) => void process.stdout.write(`${line}\n`),
        warn: (line) => void process.stderr.write(`${line}\n`),
      };
      const result = await evalSpeech(flags, lines, open);
      if (flags.json) process.stdout.write(`${JSON.stringify(result)}\n`);
      if (result.clips === 0 && (result.leftOut.length > 0 || result.skipped === 0))
        throw new InvalidInput(
          'nothing_scored',
          `measuring ${flags.engine} on ${flags.dir}: no clip could be used (${result.leftOut[0]?.reason ?? 'labels.json names none'})`,
        );
    });
}

function numberFrom(least: number, most: number, whole = false): (value: string) => number {
  return (value) => {
    const parsed = Number(value);
    if (value.trim() !== '' && parsed >= least && parsed <= most && (!whole || Number.isInteger(parsed))) return parsed;
    throw new InvalidInput(
      'bad_option',
      `reading the options: ${value} is not a ${whole ? 'whole ' : ''}number from ${least} to ${most}`,
    );
  };
}

/**
 * Runs the evaluation. Rejects with InvalidInput for a folder or option that cannot be used, Unavailable without a model. No
 * clip in the engine's language is no error: all are left out and counted.
 */
export async function evalSpeech(flags: SpeechFlags, lines: Lines, open = openEngine) {
  const { dir, engine, rules, drawPhrases, seed, front } = flags;
  checkFlags(flags);
  const opened = open(engine, flags.language === undefined ? undefined : languageOf(flags.language));
  const labels = readLabels(dir);
  const language = mostOf(opened, labels.clips);
  // The wake word of the model's own test set is no phrase that anybody would draw.
  const isWake = (clip: SpeechClip) => drawPhrases !== undefined && clip.transcript?.includes('小云小云') === true;
  const clips = labels.clips.filter((clip) => clip.language === language && !isWake(clip));
  if (clips.length === 0)
    lines.print(
      `${dir}: no clip is in a language that ${engine} hears (${opened.languages.join(', ')}): all ${labels.entries} are left out`,
    );
  const draw = drawPhrases === undefined ? undefined : { count: drawPhrases, seed };
  const plan = planOf({ clips, language, rules, draw });
  const { phrases } = plan.pack;
  if (clips.length > 0 && phrases.length === 0)
    lines.warn(
      `${dir}: the labels name no phrase in ${language}: nothing is listened for; --rules default brings some`,
    );
  const ears = await opened.listenFor({ language, phrases, front });
  for (const { phraseId, reason } of ears.unheard) lines.warn(`cannot be heard: ${phraseId}: ${reason}`);
  try {
    return await measureAll({ flags, plan, ears, clips, labels, lines });
  } finally {
    ears.close();
  }
}

function checkFlags({ engine, front, curve, rules, drawPhrases }: SpeechFlags): void {
  if (!ENGINES.includes(engine))
    throw new InvalidInput('bad_option', `--engine ${engine}: known engines are ${ENGINES.join(', ')}`);
  if (!FRONTS.includes(front)) throw new InvalidInput('bad_option', `--front ${front}: known are ${FRONTS.join(', ')}`);
  if (curve && engine !== 'fsmn')
    throw new InvalidInput('bad_option', `--curve: the strictness of ${engine} cannot be changed; use --engine fsmn`);
  if (rules !== undefined && drawPhrases !== undefined)
    throw new InvalidInput(
      'bad_option',
      '--rules and --draw-phrases: phrases come from a pack or from the transcripts, not from both; leave one out',
    );
}

/** Of the languages that the engine hears, the one of most clips. */
function mostOf({ languages }: OpenedEngine, clips: readonly SpeechClip[]): string {
  const count = (language: string) => clips.filter((clip) => clip.language === language).length;
  return [...languages].sort((a, b) => count(b) - count(a))[0]!;
}

/** By how much each limit is lowered: from far too strict to far too lax. */
const CURVE = [-1.5, -1, -0.5, 0, 0.5, 1, 1.5] as const;

async function measureAll(deps: {
  flags: SpeechFlags;
  plan: Plan;
  ears: EarSet;
  clips: readonly SpeechClip[];
  labels: Labels;
  lines: Lines;
}) {
  const { flags, plan, ears, labels, lines } = deps;
  const { dir, engine, seed } = flags;
  const { pack, drawn, meant, sound } = plan;
  const gravityOf = (category: string) => pack.rules[`speech_${category as SpeechCategory}`]?.level;
  const mistakes: Mistake[] = [];
  const leftOut: LeftOut[] = [...labels.leftOut];
  let { clips } = deps;
  const score = (scored: readonly ScoredClip[]): SpeechScore | DrawnScore =>
    drawn ? scoreDrawn(scored, drawn, sound) : scoreClips(scored, meant, gravityOf);
  const decide = ({ hits, doubts, ...one }: HeardClip) => ({
    ...one,
    events: eventsOf(hits, pack),
    doubts: doubtsOf(hits, doubts, pack),
  });
  const figures = (scored: readonly ScoredClip[], rtf: number | null) => ({
    engine,
    clips: scored.length,
    skipped: labels.entries - scored.length,
    ...score(scored),
    unheard: ears.unheard.length,
    rtf,
    rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
  });
  const measure = async (condition: Condition) => {
    const { heard, leftOut: unread, rtf } = await listenToAll({ clips, dir, seed, condition, ears });
    // What cannot be read now can not be read with noise either.
    clips = heard.map(({ clip }) => clip);
    leftOut.push(...unread);
    const scored = heard.map(decide);
    const result = figures(scored, rtf);
    const keep = flags.report !== false;
    mistakes.push(...(await mistakesOf({ scored, plan, condition, before: mistakes, keep, print: lines.print })));
    return { result, heard };
  };
  /** Once more through ears of each strictness: with limits apart, all that the shipped one does. */
  const strictnesses = async (condition: Condition) => {
    const points = [];
    for (const ease of CURVE) {
      lines.print(`limits lowered by ${ease} …`);
      const { heard, rtf } = await listenToAll({ clips, dir, seed, condition, ears, lax: { ease } });
      points.push({ ease, ...figures(heard.map(decide), rtf) });
    }
    return points;
  };
  const plainly: Condition = {
    ...(flags.noise === undefined ? {} : { noise: flags.noise }),
    ...(flags.room === undefined ? {} : { room: flags.room }),
    ...(flags.distance === undefined ? {} : { distance: flags.distance }),
  };
  const { result, heard } = await measure(plainly);
  warnOf(leftOut, labels, heard, lines.warn);
  report(result, lines.print);
  const augmented = [];
  for (const condition of flags.augment ? AUGMENTED : []) {
    lines.print(`\n${nameOfCondition(condition)}`);
    const more = await measure(condition);
    report(more.result, lines.print);
    augmented.push({ condition: nameOfCondition(condition), ...more.result });
  }
  const curve = flags.curve ? await strictnesses(plainly) : [];
  if (flags.curve) for (const line of curveLines(curve)) lines.print(line);
  writeReport(flags.report, [result, ...augmented], mistakes, lines);
  return { ...result, leftOut, ...(flags.augment ? { augmented } : {}), ...(flags.curve ? { curve } : {}) };
}

/** A label that is so far from the sound's own length, in seconds, is worth a word. */
const LENGTH_S = 0.5;

function warnOf(leftOut: readonly LeftOut[], { entries }: Labels, heard: readonly HeardClip[], warn: Lines['warn']) {
  for (const { file, reason } of leftOut) warn(`left out: ${file}: ${reason}`);
  if (leftOut.length > 0) warn(`${leftOut.length} of ${entries} clips could not be used and are left out`);
  for (const { clip, durationS, silent } of heard) {
    if (silent)
      warn(`${clip.file}: nothing in it is louder than a microphone's own noise; two channels that cancel each other?`);
    if (clip.labelledS !== undefined && Math.abs(clip.labelledS - durationS) > LENGTH_S)
      warn(`${clip.file}: labelled ${clip.labelledS} s, its sound has ${durationS.toFixed(2)} s; the sound counts`);
  }
}

function writeReport(
  path: string | false,
  results: readonly object[],
  mistakes: readonly Mistake[],
  { print, warn }: Lines,
): void {
  if (path === false) return;
  try {
    writeSpeechReport(path, results, mistakes);
    print(`report: ${path}`);
  } catch (error) {
    // The figures stand without it.
    if (!(error instanceof EvalroomError)) throw error;
    warn(`no report: ${error.message}`);
  }
}

/** The curve as a table for people: false alarms per hour, or per hour and phrase where phrases were drawn. */
function curveLines(points: readonly ((SpeechScore | DrawnScore) & { readonly ease: number })[]): string[] {
  const rows = points.map((point) => {
    const [rate, bound] =
      'phraseHours' in point
        ? [point.falseAlarmsPerPhraseHour, point.falseAlarmsPerPhraseHour95]
        : [point.falseAlarmsPerHour, point.falseAlarmsPerHour95];
    const shares = [rate, bound].map((share) => share?.toFixed(2) ?? '-');
    const shown = [point.ease, point.recallAll?.toFixed(3) ?? '-', point.falseAlarms, ...shares];
    return shown.map((value) => String(value).padStart(13)).join('');
  });
  return [
    '',
    ['lowered by', 'recall', 'false', 'per hour', '95 % bound'].map((name) => name.padStart(13)).join(''),
    ...rows,
  ];
}

function report(result: object, print: (line: string) => void): void {
  for (const [key, value] of Object.entries(result)) {
    const shown = typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(4) : JSON.stringify(value);
    print(`${key.padEnd(28)} ${shown}`);
  }
}
