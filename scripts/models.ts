/** `evalroom models`: fetch, list, verify and measure the weights that the eyes and ears use. */
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import pino from 'pino';
import { type Fetched, type FetchProgress, fetchModels } from '../models/fetch.ts';
import {
  acceptedHashes,
  DEFAULT_FOLDER,
  findWeight,
  howToGet,
  loadManifest,
  selectWeights,
  verifyFile,
  type Weight,
  weightFile,
} from '../models/manifest.ts';
import { TWO_TILES } from '../models/pose/boxes.ts';
import { EvalroomError, Unavailable } from '../protocol/errors.ts';
import { measureEyes } from './measure-eyes.ts';
import { fetchLibrary, LIBRARIES, type Library, verifyLibrary } from './models-libraries.ts';

/** Adds `models` with its subcommands to the program. */
export function modelsCommand(program: Command): void {
  const models = program.command('models').description('fetch, list, verify and measure the model weights');
  models.addHelpText(
    'after',
    `
NAME is a name of the list or a group:
  default  what npm brings: the eyes work with it
  better   the better person detector
  zh       the Mandarin ear
  en       the English ear (a Debian package, which is looked for)
  all      every weight of the list
  vosk     the library of the vosk engine (its models are yours to bring, docs/ears.md)
  sherpa   the library of the sherpa-onnx engine (the same)

Files are looked for in $EVALROOM_MODELS, then in ${DEFAULT_FOLDER}.`,
  );
  addFetch(models);
  addList(models);
  addVerify(models);
  addMeasure(models);
}

interface FetchFlags {
  readonly folder: string;
  readonly mirror?: string[];
  readonly from?: string;
  readonly acceptSha256?: string[];
  readonly connectLimit: number;
  readonly json?: boolean;
}

function addFetch(models: Command): void {
  models
    .command('fetch')
    .description('fetch weights from their official addresses, a mirror or a folder, and check their sha256')
    .argument('[names...]', 'names or groups', ['better', 'zh'])
    .option('--folder <folder>', 'models folder to write into', DEFAULT_FOLDER)
    .option('--from <folder>', 'take the files from this folder (a USB stick) instead of the network')
    .option('--mirror <address...>', 'http(s) address of a folder laid out like a models folder, tried first')
    .option('--accept-sha256 <hash...>', 'accept a file with this sha256 although the manifest has another')
    .option('--connect-limit <ms>', 'how long an address may take to answer', milliseconds, 5_000)
    .option('--json', 'print the outcome as one JSON object on the last line')
    .action(async (names: string[], flags: FetchFlags) => {
      const { folder, mirror, from, acceptSha256, connectLimit, json } = flags;
      const libraries: { name: string; path: string }[] = [];
      for (const library of LIBRARIES.filter((name) => names.includes(name))) {
        const path = await fetchLibrary({ library, folder: resolve(folder), ...(from ? { from: resolve(from) } : {}) });
        process.stderr.write(`${path}: is in place\n`);
        libraries.push({ name: library, path });
      }
      const weights = names.filter((name) => !LIBRARIES.some((library) => library === name));
      // No names would be all of them.
      const outcomes =
        weights.length === 0
          ? []
          : await fetchModels({
              names: weights,
              folder: resolve(folder),
              ...(mirror ? { mirrors: mirror } : {}),
              ...(from ? { from: resolve(from) } : {}),
              ...(acceptSha256 ? { acceptSha256: acceptSha256.map((hash) => hash.toLowerCase()) } : {}),
              connectLimitMs: connectLimit,
              onProgress: createProgressLine(),
              log: pino({ level: 'silent' }),
            });
      if (json) console.log(JSON.stringify({ folder: resolve(folder), libraries, models: outcomes.map(plain) }));
      const failed = outcomes.filter((outcome) => outcome.outcome === 'failed');
      if (failed.length > 0) throw summary(failed, outcomes.length);
    });
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number of ms, at least 1.');
  return value;
}

type Failed = Extract<Fetched, { outcome: 'failed' }>;

/** One error for all that failed, each with what to do, so that the command fails with everything that it knows. */
function summary(failed: readonly Failed[], total: number): EvalroomError {
  const [first] = failed;
  if (failed.length === 1 && first) return first.error;
  const lines = failed.map(({ error }) => `  ${error.message}`);
  return new Unavailable(
    first?.error.code ?? 'model_failed',
    `${failed.length} of ${total} are not in place:\n${lines.join('\n')}`,
  );
}

function plain(outcome: Fetched) {
  if (outcome.outcome !== 'failed') return outcome;
  const { name, path, error } = outcome;
  return { name, path, outcome: 'failed', code: error.code, reason: error.message };
}

/** Writes to stderr: on a terminal one line that grows, else one line per file. */
function createProgressLine(): (progress: FetchProgress) => void {
  const { isTTY } = process.stderr;
  let shown = '';
  return ({ path, state, bytes, total, from }) => {
    if (state === 'fetching') {
      const percent = Math.min(100, Math.floor((100 * bytes) / total));
      const line = `${path}: ${percent} % of ${Math.ceil(total / 1000)} kB from ${from}`;
      if (isTTY && line !== shown) process.stderr.write(`\r\x1b[K${line}`);
      shown = line;
      return;
    }
    const words = { present: 'is there already', done: 'is in place', failed: 'failed' }[state];
    process.stderr.write(`${isTTY ? '\r\x1b[K' : ''}${path}: ${words}\n`);
  };
}

function addList(models: Command): void {
  models
    .command('list')
    .description('name every weight with its origin and licence, and whether it is there')
    .argument('[names...]', 'names or groups')
    .option('--json', 'print one JSON object')
    .action(async (names: string[], { json }: { json?: boolean }) => {
      const weights = selectWeights(await loadManifest(), names);
      const rows = await Promise.all(
        weights.map(async (weight) => ({ weight, file: await findWeight(weight, folders()) })),
      );
      if (json) {
        console.log(JSON.stringify({ models: rows.map(({ weight, file }) => ({ ...weight, file: file ?? null })) }));
        return;
      }
      for (const { weight, file } of rows) {
        const licence = weight.licenceVerified ? weight.licence : `${weight.licence}, not verified`;
        console.log(
          `${file ? 'there  ' : 'missing'}  ${weight.name.padEnd(34)} ${weight.groups.join(',').padEnd(8)} ${licence}`,
        );
        console.log(`         ${file ?? howToGet(weight)}`);
      }
    });
}

function addVerify(models: Command): void {
  models
    .command('verify')
    .description('compare the sha256 of every weight that is there with the manifest')
    .argument('[names...]', 'names or groups, vosk, sherpa; what is named must be there')
    .option('--json', 'print one JSON object')
    .action(async (names: string[], { json }: { json?: boolean }) => {
      const libraries = LIBRARIES.filter((one) => names.includes(one));
      const others = names.filter((name) => !libraries.some((one) => one === name));
      const weights = names.length > 0 && others.length === 0 ? [] : selectWeights(await loadManifest(), others);
      const results: Verified[] = [];
      for (const weight of weights) results.push(await verify(weight, names.length > 0));
      for (const library of libraries) results.push(verifyOne(library));
      if (json) console.log(JSON.stringify({ models: results.map(({ error: _, ...rest }) => rest) }));
      else
        for (const { name, state, reason } of results)
          console.log(`${state.padEnd(8)} ${name}${reason ? `: ${reason}` : ''}`);
      const bad = results.filter(({ error }) => error);
      if (bad.length > 0) {
        const [first] = bad;
        throw new Unavailable(
          first?.error?.code ?? 'model_failed',
          `${bad.length} of ${results.length} weights are not as they should be`,
        );
      }
    });
}

interface Verified {
  readonly name: string;
  readonly state: 'good' | 'accepted' | 'missing' | 'bad';
  readonly file?: string;
  readonly reason?: string;
  readonly error?: EvalroomError;
}

/** A library that was asked for by its name: it has to be in one of the folders. */
function verifyOne(library: Library): Verified {
  const looked = folders().map((folder) => verifyLibrary({ library, folder }));
  const { reason, ...found } = looked.find(({ state }) => state !== 'missing') ?? looked[0]!;
  if (found.state === 'good') return { name: library, ...found };
  const error = new Unavailable('library_missing', `${library}: ${reason}`);
  return { name: library, ...found, reason: reason!, error };
}

async function verify(weight: Weight, required: boolean): Promise<Verified> {
  const { name } = weight;
  const places = folders();
  const file = await findWeight(weight, places);
  if (!file && !required) return { name, state: 'missing' as const, reason: howToGet(weight) };
  try {
    const folder = file?.slice(0, -weight.path.length - 1);
    const accepted = weight.source === 'fetch' && folder ? (await acceptedHashes(folder))[name] : undefined;
    const path = file ?? weightFile(weight, places[0] ?? DEFAULT_FOLDER);
    const sha256 = await verifyFile({ weight, file: path, acceptSha256: accepted ? [accepted] : [] });
    return { name, state: sha256 === weight.sha256 ? ('good' as const) : ('accepted' as const), file: path };
  } catch (error) {
    if (!(error instanceof EvalroomError)) throw error;
    return { name, state: 'bad' as const, reason: error.message, error };
  }
}

/** Where weights may lie, best first. */
function folders(): string[] {
  const given = process.env.EVALROOM_MODELS;
  return given ? [resolve(given), DEFAULT_FOLDER] : [DEFAULT_FOLDER];
}

interface MeasureFlags {
  readonly media?: string;
  readonly every: number;
  readonly tiles?: boolean;
  readonly poses?: boolean;
  readonly set?: (typeof MEASURED)[number][];
  readonly json?: boolean;
}

const MEASURED = ['default', 'better', 'centernet'] as const;

function addMeasure(models: Command): void {
  models
    .command('measure')
    .description('CPU per picture and share of people found, on footage with known truth')
    .option('--media <folder>', 'folder of NAME.mp4 with NAME.json beside each; default $EVALROOM_MEDIA/room-dev')
    .option('--every <frames>', 'look at every so many frames', milliseconds, 50)
    .addOption(new Option('--set <set...>', 'model sets').choices(MEASURED).default([...MEASURED]))
    .option('--tiles', 'look into two overlapping halves as well')
    .option('--poses', 'instead: the pose estimators of npm side by side, on the true box of everybody')
    .option('--json', 'print one JSON object on the last line')
    .action(async ({ media, every, tiles, poses, set = [], json }: MeasureFlags) => {
      const folder = media ?? (process.env.EVALROOM_MEDIA && join(process.env.EVALROOM_MEDIA, 'room-dev'));
      if (!folder)
        throw new Unavailable('media_missing', 'name a folder with footage: --media FOLDER or $EVALROOM_MEDIA');
      if (poses) {
        const { measurePoses } = await import('./measure-poses.ts');
        const found = await measurePoses(folder, every, DEFAULT_FOLDER);
        if (json) console.log(JSON.stringify({ every, estimators: found }));
        else console.table(found);
        return;
      }
      const figures = [];
      for (const name of set) {
        const result = await measureEyes({
          media: folder,
          set: name,
          every,
          dataFolder: DEFAULT_FOLDER,
          ...(process.env.EVALROOM_MODELS ? { modelsFolder: process.env.EVALROOM_MODELS } : {}),
          ...(tiles ? { regions: TWO_TILES } : {}),
        });
        figures.push(result);
        if (json) continue;
        const { modelSet, detectorCpuMs, poseCpuMs, videos } = result;
        console.log(`${modelSet}: detector ${detectorCpuMs} ms CPU per picture, pose ${poseCpuMs} ms CPU per person`);
        console.table(videos);
      }
      if (json) console.log(JSON.stringify({ every, tiles: Boolean(tiles), sets: figures }));
    });
}
