/** `evalroom eval splice`: recordings of a pack's own phrases, put together from recordings of other words. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { DEFAULT_FOLDER } from '../models/manifest.ts';
import { loadRules } from '../models/rules/load.ts';
import { readFsmnModel } from '../models/speech/fsmn-files.ts';
import { InvalidInput } from '../protocol/errors.ts';
import { wavOf } from '../protocol/wav.ts';
import { asPhrase, drawPhrases } from './eval-speech-phrases.ts';
import { seeded } from './eval-speech-sound.ts';
import { numberFrom } from './options.ts';
import { bySyllable, chooseUnits, missingFor } from './splice/choose.ts';
import { inTurn, joinUnits, runsOf, speechLevel } from './splice/join.ts';
import { readAloud } from './splice/robot.ts';
import { drawSayings, type Saying } from './splice/say.ts';
import { type Inventory, type Recording, soundsIn, type Unit, unitsOf } from './splice/units.ts';

interface SpliceFlags {
  readonly dir?: readonly string[];
  readonly rules: string;
  readonly language: 'zh' | 'en';
  readonly out: string;
  readonly drawPhrases?: number;
  readonly takenBack?: boolean;
  readonly perPhrase: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** One recording that was made, as labels.json has it. */
interface Made {
  readonly file: string;
  readonly language: string;
  readonly category: string | null;
  readonly phrase: string | null;
  readonly phrase_end_s?: number;
  readonly transcript: string;
  readonly duration_s: number;
  readonly kind: string;
  readonly [more: string]: unknown;
}

const RATE = 16_000;
/** Between a phrase and the sentences around it. */
const PAUSE_S = 0.35;

/** Adds `splice` to the `eval` command. */
export function evalSpliceCommand(program: Command): void {
  program
    .command('splice')
    .description("make recordings of a rule pack's phrases out of recordings of other words")
    .option('--dir <folders...>', 'folders of Mandarin recordings with transcripts in a labels.json')
    .option('--rules <pack>', 'pack whose phrases are to be said: its name or folder', 'default')
    .addOption(
      new Option('--language <language>', 'zh: spliced from --dir; en: read by espeak-ng')
        .choices(['zh', 'en'])
        .default('zh'),
    )
    .requiredOption('--out <folder>', 'new folder for the recordings and their labels.json')
    .option(
      '--draw-phrases <count>',
      'say phrases of the transcripts themselves, never with their own sound: shows what splicing costs',
      numberFrom(1, 1000, 'whole'),
    )
    .option('--taken-back', 'say the phrases behind words that take them back: nothing may be found in these')
    .option('--per-phrase <count>', 'recordings of each phrase', numberFrom(1, 100, 'whole'), 3)
    .option('--seed <seed>', 'of what is chosen where several things would do', numberFrom(0, 2 ** 31, 'whole'), 1)
    .option('--json', 'print one JSON object as the last line')
    .addHelpText(
      'after',
      `
Each recording holds one phrase, every second one between two sentences of the same voice. The clips of --dir that hold no
phrase are named in labels.json too, so that "evalroom eval speech --dir FOLDER --rules PACK --curve" has both. What is made is
worth as much as it is: voices are human, joints are not, and syllables were found by the net that is to hear them.
The recordings are made of other people's: what may be done with those may be done with these.`,
    )
    .action(async (flags: SpliceFlags) => {
      const made = await evalSplice(flags, (line) => void process.stdout.write(`${line}\n`));
      if (flags.json) process.stdout.write(`${JSON.stringify(made)}\n`);
    });
}

/** Makes the folder. Rejects with InvalidInput for options that contradict each other or a folder that is not empty. */
export async function evalSplice(flags: SpliceFlags, print: (line: string) => void) {
  const { out, language, dir = [], drawPhrases: draw, takenBack = false } = flags;
  const bad = (why: string) => new InvalidInput('bad_option', why);
  if (language === 'zh' && dir.length === 0) throw bad('--dir: Mandarin is spliced from recordings; name their folder');
  if (language === 'en' && (dir.length > 0 || draw !== undefined))
    throw bad('--language en: a synthetic voice reads the phrases; leave out --dir and --draw-phrases');
  if (draw !== undefined && takenBack) throw bad('--draw-phrases, --taken-back: drawn phrases have no such words');
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new InvalidInput('splice_folder', `--out ${out}: there is something in it; name a new folder`);
  mkdirSync(out, { recursive: true });
  const { made, neutral, ...rest } = language === 'zh' ? await splice(flags, print) : await readAloud(flags);
  writeFileSync(join(out, 'labels.json'), JSON.stringify({ version: 1, clips: [...made, ...neutral] }, null, 1));
  const { unsayable } = rest;
  for (const { phraseId, form, missing } of unsayable)
    print(`cannot be said: ${phraseId} ${form}: ${missing.join(' ')}`);
  const figures = {
    recordings: made.length,
    neutral: neutral.length,
    phrases: new Set(made.map(({ phrase_id }) => phrase_id)).size,
    ...rest,
    unsayable: unsayable.length,
    seconds: Math.round(made.reduce((sum, { duration_s }) => sum + duration_s, 0)),
  };
  for (const [key, value] of Object.entries(figures)) print(`${key.padEnd(20)} ${value}`);
  return { ...figures, unsayable };
}

async function splice(flags: SpliceFlags, print: (line: string) => void) {
  const { dir = [], rules, out, drawPhrases: draw, takenBack = false, perPhrase, seed } = flags;
  const inventory = await unitsOf(dir, readFsmnModel(process.env.EVALROOM_MODELS ?? DEFAULT_FOLDER));
  for (const { file, reason } of inventory.leftOut) print(`left out: ${file}: ${reason}`);
  const { units, recordings } = inventory;
  const there = bySyllable(units);
  const random = seeded(seed);
  const phrases =
    draw === undefined
      ? loadRules(rules).phrases.filter(({ language }) => language.startsWith('zh'))
      : drawPhrases([...new Set(recordings.map(({ transcript }) => transcript))], draw, seed).map((text) =>
          asPhrase(text, null, 'zh'),
        );
  const { sayings, unsayable, forms } = drawSayings({
    phrases,
    language: 'zh',
    forbidden: takenBack,
    count: perPhrase,
    random,
    missingFor: (text) => missingFor(soundsIn(text), there),
  });
  const made: Made[] = [];
  let [joints, syllables, toned, kept] = [0, 0, 0, 0];
  for (const [index, saying] of sayings.entries()) {
    const text = soundsIn(saying.lead + saying.text);
    // A drawn phrase is never said by those who said it: that would be no splice.
    const mayUse = (unit: Unit) => draw === undefined || !unit.recording.transcript.includes(saying.text);
    const chosen = chooseUnits({ text, there, random, mayUse });
    if (!chosen) continue;
    kept++;
    joints += runsOf(chosen).length - 1;
    syllables += chosen.length;
    toned += chosen.filter(({ tone }, i) => tone === text[i]!.tone).length;
    made.push(record({ saying, chosen, index, out, inventory, random, takenBack, drawn: draw !== undefined }));
  }
  const share = (count: number) => Number((count / Math.max(1, syllables)).toFixed(2));
  return {
    made,
    neutral: neutralOf(inventory),
    forms,
    unsayable,
    notMade: sayings.length - kept,
    units: units.length,
    syllables: there.size,
    voices: new Set(recordings.map(({ speaker }) => speaker)).size,
    jointsPerSyllable: share(joints),
    rightTone: share(toned),
  };
}

/** Writes one recording and says what is in it. */
function record(deps: {
  saying: Saying;
  chosen: readonly Unit[];
  index: number;
  out: string;
  inventory: Inventory;
  random: () => number;
  takenBack: boolean;
  drawn: boolean;
}): Made {
  const { saying, chosen, index, out, inventory, random, takenBack, drawn } = deps;
  const most = [...Map.groupBy(chosen, ({ recording }) => recording.speaker)].sort((a, b) => b[1].length - a[1].length);
  const [speaker, own] = most[0]!;
  const level = speechLevel(own[0]!.recording.sound);
  const phrase = joinUnits(chosen, level);
  const others = index % 2 === 0 ? [] : carriersOf(speaker, saying, inventory);
  const carrier = () => others[Math.floor(((random() + 1) / 2) * others.length) % others.length]!;
  const around = others.length === 0 ? [] : [carrier(), carrier()];
  const parts = [...around.slice(0, 1).map(whole), phrase, ...around.slice(1).map(whole)];
  const { samples, ends } = inTurn(parts, PAUSE_S, index);
  const place = around.length > 0 ? 1 : 0;
  const file = `${saying.phraseId.replace(/[^\w-]+/g, '') || 'drawn'}-${String(index).padStart(4, '0')}.wav`;
  writeFileSync(join(out, file), wavOf(samples));
  const words = saying.lead + saying.text;
  const end = Number((ends[place]! / RATE).toFixed(3));
  return {
    file,
    language: 'zh',
    category: takenBack || drawn ? null : saying.category,
    phrase: takenBack ? null : saying.text,
    ...(takenBack ? {} : { phrase_end_s: end }),
    transcript: [
      ...around.slice(0, 1).map((one) => one.transcript),
      words,
      ...around.slice(1).map((one) => one.transcript),
    ].join('，'),
    duration_s: samples.length / RATE,
    kind: takenBack ? 'spliced-taken-back' : 'spliced',
    phrase_id: saying.phraseId,
    form: saying.form,
    ...(saying.lead ? { lead: saying.lead.trim() } : {}),
    speaker,
    runs: runsOf(chosen).map((run) => run.map(({ character }) => character).join('')),
  };
}

/** Sentences of a voice that do not have the words of the phrase. */
const carriersOf = (speaker: string, { text }: Saying, { recordings }: Inventory): readonly Recording[] =>
  recordings.filter((one) => one.speaker === speaker && !one.transcript.includes(text) && one.neutral);

const whole = ({ sound, begin, end }: Recording) => sound.subarray(begin, end);

/** As entries of another folder's labels. */
const neutralOf = ({ neutral }: Inventory): readonly object[] =>
  neutral.map(({ path, language, transcript, labelledS }) => ({
    file: path,
    language,
    category: null,
    phrase: null,
    ...(transcript === undefined ? {} : { transcript }),
    ...(labelledS === undefined ? {} : { duration_s: labelledS }),
    kind: 'neutral',
  }));
