/** `evalroom eval fronts`: what each thing that may stand before an ear is worth, under every kind of bad sound, as a table. */
import type { Command } from 'commander';
import { loadRulePack } from '../models/rules/load.ts';
import { InvalidInput } from '../protocol/errors.ts';
import { FRONTS, type FrontName } from './ears/front.ts';
import { openEngine } from './eval-speech-ears.ts';
import { eventsOf } from './eval-speech-events.ts';
import { readLabels } from './eval-speech-labels.ts';
import { AUGMENTED, type Condition, type HeardClip, listenToAll, nameOfCondition } from './eval-speech-listen.ts';
import { asPhrase, drawPhrases, soundIn } from './eval-speech-phrases.ts';
import { once, type SpeechHit, scoreClips, scoreDrawn } from './eval-speech-score.ts';

interface FrontFlags {
  readonly dir: string;
  readonly engine: 'fsmn' | 'pocketsphinx';
  readonly fronts: FrontName[];
  readonly only?: string;
  readonly drawPhrases?: number;
  readonly draws: number;
  readonly seeds: number[];
  readonly microphones: number;
  readonly lead: number;
  readonly json?: boolean;
}

/** One front under one condition; rates per hour, or per hour and phrase where phrases were drawn. */
interface FrontRow {
  readonly front: FrontName;
  readonly condition: string;
  readonly recall: number;
  readonly falseAlarms: number;
  readonly falseRate: number;
  /** The most that other limits could give where the condition is known exactly (fsmn). */
  readonly recallAtBound?: number;
  /** Share of a core while one microphone sends sound, all in. */
  readonly core: number;
}

/** The ears listen with limits lowered by so much; strictness is judged afterwards. */
const LAX = 1;
const EASES = [-0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1] as const;
/** False alarms per hour and phrase that are borne; without drawn phrases none is. */
const BOUND = 0.5;
/** A second microphone hears other noise and other echoes. */
const ELSEWHERE = 1000;
const SAME_S = 1.5;

const whole = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidInput('bad_option', `reading the options: ${text} is no whole number from ${least} to ${most}`);
};

/** Adds `fronts` to the `eval` command. */
export function evalFrontsCommand(program: Command): void {
  program
    .command('fronts')
    .description('what noise subtraction, dereverberation and gates are worth before an ear')
    .requiredOption('--dir <folder>', 'folder of sound files with a labels.json')
    .option('--engine <engine>', 'fsmn or pocketsphinx', 'fsmn')
    .option('--fronts <name...>', FRONTS.join(', '), ['none', 'subtract', 'wpe', 'shipped'])
    .option('--only <text>', 'only conditions with this in their name, such as T60')
    .option('--draw-phrases <count>', 'draw phrases from the transcripts', whole(1, 1000))
    .option('--draws <count>', 'so many draws (seeds 1, 2 …) at once', whole(1, 100), 5)
    .option('--seeds <seed...>', 'of the noise and the rooms', (text, before: number[] = []) => [
      ...before,
      whole(0, 2 ** 31)(text),
    ])
    .option(
      '--microphones <count>',
      '2: another one with other noise and echoes, the better one counts',
      whole(1, 2),
      1,
    )
    .option('--lead <seconds>', 'so much of the same noise before each recording', whole(0, 600), 0)
    .option('--json', 'print one JSON object as the last line')
    .action(async (given: Omit<FrontFlags, 'seeds'> & { seeds?: number[] }) => {
      const flags: FrontFlags = { ...given, seeds: given.seeds ?? [1] };
      const rows = await evalFronts(flags, (line) => process.stdout.write(`${line}\n`));
      if (flags.json) process.stdout.write(`${JSON.stringify({ ...flags, json: undefined, rows })}\n`);
    });
}

/** Rejects with InvalidInput for a folder or option that cannot be used, Unavailable without a model. */
export async function evalFronts(flags: FrontFlags, print: (line: string) => void): Promise<FrontRow[]> {
  const { dir, engine, fronts, seeds, lead } = flags;
  const language = { fsmn: 'zh', pocketsphinx: 'en' }[engine];
  if (language === undefined)
    throw new InvalidInput('bad_option', `--engine ${engine}: fsmn and pocketsphinx can be measured`);
  for (const front of fronts)
    if (!FRONTS.includes(front))
      throw new InvalidInput('bad_option', `--fronts ${front}: known are ${FRONTS.join(', ')}`);
  const drawing = flags.drawPhrases !== undefined;
  const labels = readLabels(dir);
  for (const { file, reason } of labels.leftOut) print(`left out: ${file}: ${reason}`);
  const clips = labels.clips.filter(
    (clip) => clip.language === language && !(drawing && clip.transcript?.includes('小云小云')),
  );
  if (clips.length === 0)
    throw new InvalidInput('no_clips', `measuring ${engine} on ${dir}: no clip is in ${language}`);
  const transcripts = clips.flatMap((clip) => clip.transcript ?? []);
  const draws = drawing
    ? Array.from({ length: flags.draws }, (_, i) => drawPhrases(transcripts, flags.drawPhrases!, i + 1, language))
    : [];
  const texts = [...new Set(drawing ? draws.flat() : clips.flatMap((clip) => clip.said.map(({ phrase }) => phrase)))];
  const phrases = texts.map((text) => asPhrase(text, null, language));
  const pack = { ...loadRulePack('default'), phrases };
  const sound = soundIn(language);
  const opened = openEngine(engine);
  const conditions = [{}, ...AUGMENTED].filter((one) => nameOfCondition(one).includes(flags.only ?? ''));
  if (conditions.length === 0)
    throw new InvalidInput(
      'bad_option',
      `--only ${flags.only}: no condition has this in its name; there are ${[{}, ...AUGMENTED].map(nameOfCondition).join(', ')}`,
    );
  const lax = engine === 'fsmn' ? LAX : 0;

  const measure = async (front: FrontName, condition: Condition): Promise<FrontRow> => {
    const ears = await opened.listenFor({ language, phrases, front });
    const heard: HeardClip[][] = [];
    let core = 0;
    // What was recorded as it is sounds alike with every seed.
    const used = Object.keys(condition).length === 0 ? seeds.slice(0, 1) : seeds;
    for (const seed of used) {
      const sides = Array.from({ length: flags.microphones }, (_, i) => seed + i * ELSEWHERE);
      const each = [];
      for (const side of sides)
        each.push(
          await listenToAll({
            clips,
            dir,
            seed: side,
            condition: { ...condition, ...(lead > 0 ? { leadS: lead } : {}) },
            ears,
            lax: { ease: lax, everything: lax > 0 },
          }),
        );
      core += each.reduce((sum, { rtf }) => sum + (rtf ?? 0), 0) / each.length / used.length;
      for (const { file, reason } of each[0]!.leftOut) print(`left out: ${file}: ${reason}`);
      heard.push(each.map((one) => one.heard).reduce(better));
    }
    ears.close();
    const at = (ease: number) => {
      const told = heard.flatMap((scored) =>
        scored.map(({ clip, durationS, hits }) => {
          const told = once(hits.filter(({ margin }) => margin >= lax - ease));
          return { clip, durationS, events: eventsOf(told, pack) };
        }),
      );
      return drawing
        ? pooled(draws.map((draw) => scoreDrawn(told, draw, sound)))
        : plain(
            scoreClips(
              told,
              (text) => new Set([text]),
              () => undefined,
            ),
          );
    };
    const shipped = at(0);
    const bound = drawing ? BOUND : 0;
    const others = EASES.map(at).filter(({ falseRate }) => falseRate <= bound);
    return {
      front,
      condition: nameOfCondition(condition),
      ...shipped,
      ...(lax > 0 ? { recallAtBound: Math.max(0, ...others.map(({ recall }) => recall)) } : {}),
      core,
    };
  };

  print(lineOf(['front', 'condition', 'recall', 'false', drawing ? 'per phrase-h' : 'per hour', 'at bound', 'core']));
  const rows: FrontRow[] = [];
  for (const condition of conditions)
    for (const front of fronts) {
      const row = await measure(front, condition);
      rows.push(row);
      const { recall, falseAlarms, falseRate, recallAtBound, core } = row;
      const figures = [recall.toFixed(3), falseAlarms, falseRate.toFixed(2), recallAtBound?.toFixed(3) ?? '-'];
      print(lineOf([front, row.condition, ...figures, core.toFixed(4)]));
    }
  return rows;
}

const lineOf = (cells: readonly (string | number)[]) =>
  cells.map((cell, i) => (i < 2 ? String(cell).padEnd(18) : String(cell).padStart(13))).join('');

type Figures = Pick<FrontRow, 'recall' | 'falseAlarms' | 'falseRate'>;

function pooled(draws: readonly ReturnType<typeof scoreDrawn>[]): Figures {
  const falseAlarms = draws.reduce((sum, draw) => sum + draw.falseAlarms, 0);
  const hours = draws.reduce((sum, draw) => sum + draw.phraseHours, 0);
  const recall = draws.reduce((sum, draw) => sum + (draw.recallAll ?? 0), 0) / draws.length;
  return { recall, falseAlarms, falseRate: hours === 0 ? 0 : falseAlarms / hours };
}

function plain({ recallAll, falseAlarms, falseAlarmsPerHour }: ReturnType<typeof scoreClips>): Figures {
  return { recall: recallAll ?? 0, falseAlarms, falseRate: falseAlarmsPerHour ?? 0 };
}

/** Of the same phrase at the same time at two microphones the better hit counts. */
function better(one: HeardClip[], other: HeardClip[]): HeardClip[] {
  return one.map((clip, i) => {
    const all = [...clip.hits, ...other[i]!.hits].sort((a, b) => b.margin - a.margin);
    const kept: SpeechHit[] = [];
    for (const hit of all)
      if (!kept.some(({ phraseId, endS }) => phraseId === hit.phraseId && Math.abs(endS - hit.endS) <= SAME_S))
        kept.push(hit);
    return { ...clip, hits: kept };
  });
}
