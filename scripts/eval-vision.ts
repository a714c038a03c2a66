/** `evalroom eval vision`: footage with known truth through the real eyes and the real deciding, in virtual time, as fast as the machine can. */
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { type Input, startRoom, step } from '../agent/decide/room.ts';
import { Corrupt, InvalidInput, Unavailable } from '../protocol/errors.ts';
import type { DraftEvent } from '../protocol/event.ts';
import type { FrameObservation } from '../protocol/observation.ts';
import type { RoomLayout } from '../protocol/room.ts';
import type { RulePack } from '../protocol/rules.ts';
import { CLEAN, FURTHER, VARIANTS, type Variant, varied } from './eval-vision-augment.ts';
import { BEGIN, createWatcher, instant, type Watcher } from './eval-vision-eyes.ts';
import { type LeftOut, readRooms } from './eval-vision-files.ts';
import { type Said, scoreOccupancy } from './eval-vision-occupancy.ts';
import {
  drawnFor,
  layoutAsProposed,
  type ProposalScore,
  type ProposedZones,
  poolProposals,
  proposed,
  scoreProposals,
} from './eval-vision-proposals.ts';
import { type ReportedRoom, writeReport } from './eval-vision-report.ts';
import { episodesOf, pool, type RoomScore, type Span, scoreEpisodes } from './eval-vision-score.ts';
import { layoutOf, secondsOf, type Truth, type TruthRoom } from './eval-vision-truth.ts';
import { numberFrom, someOf } from './options.ts';

export interface EvalVisionOptions {
  /** Folder of NAME.mp4 with NAME.json beside each. */
  readonly dir: string;
  /** Name or folder of the rule pack. */
  readonly rules: string;
  /** Analysed frames per second. */
  readonly fps: number;
  /** Keep and use what the eyes saw in `.data/eval-vision`; default true. */
  readonly cache?: boolean;
  /** Only videos whose name contains this. */
  readonly only?: string;
  /** Each camera for itself. */
  readonly single?: boolean;
  /** Judge with the seats that each camera proposes by itself instead of those of the truth. */
  readonly proposed?: boolean;
  /** The clean run and every spoilt one. */
  readonly augment?: boolean;
  /** Only these variants, by name; the clean run is `clean`. */
  readonly variants?: readonly string[];
  /** Footage is repeated until all rooms and variants together last so many room-hours. */
  readonly loop?: number;
  /** HTML file to write; false: none. */
  readonly report?: string | false;
  readonly json?: boolean;
}

const REPORT = join('.data', 'eval-vision', 'report.html');
/** Every way in which footage may be shown to the eyes. */
const RUNS = [CLEAN, ...VARIANTS, ...FURTHER];

/** Adds `vision` to the `eval` command. */
export function evalVisionCommand(program: Command): void {
  program
    .command('vision')
    .description('score the eyes and the state machines on footage with truth files')
    .requiredOption(
      '--dir <folder>',
      'folder of NAME.mp4 with NAME.json beside each; files that share a name up to _cam? are one room',
    )
    .option('--rules <pack>', 'rule pack: its name or its folder', 'eval')
    .option('--fps <number>', 'analysed frames per second', numberFrom(0, 25, 'above'), 2)
    .option('--only <text>', 'only videos whose name contains this')
    .option('--single', 'score each camera alone instead of fusing the cameras of a room')
    .option(
      '--proposed',
      'find the seats as a new room does and judge with these: what is proposed, taken as it is; what is not, drawn as in the truth; no desks, no floor',
    )
    .option('--augment', `besides the clean run: ${VARIANTS.map((v) => v.name).join(', ')}`)
    .option(
      '--variants <names>',
      `only these of the runs, separated by commas; besides those of --augment: ${FURTHER.map((v) => v.name).join(', ')}`,
      someOf(RUNS.map(({ name }) => name)),
    )
    .option(
      '--loop <hours>',
      'repeat the footage until it lasts so many room-hours: for rates of false alarms',
      numberFrom(0, 1000, 'above'),
    )
    .option('--report <file>', 'HTML page with timelines and the frames of misses and false alarms', REPORT)
    .option('--no-report', 'write no page')
    .option('--no-cache', 'look at every video anew, and keep nothing')
    .option('--json', 'print one JSON object as the last line')
    .addHelpText(
      'after',
      '\nEVALROOM_MODELS names a folder with fetched models; without it the set that comes with npm is measured.',
    )
    .action(async (options: EvalVisionOptions) => {
      const result = await evalVision(options, (line) => process.stdout.write(`${line}\n`));
      if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
      // What was asked for was not all done, whatever the figures of the rest are.
      if (result.failed.length > 0) process.exitCode = 1;
    });
}

/** Runs the evaluation; `print` gets the lines for people. Rejects with InvalidInput for a folder or truth file that cannot be used. */
export async function evalVision(options: EvalVisionOptions, print: (line: string) => void) {
  const { loadRulePack } = await import('../models/rules/load.ts');
  const pack = loadRulePack(options.rules);
  const { rooms, leftOut } = await readRooms(options);
  const failed: LeftOut[] = [];
  for (const { file, reason } of leftOut) print(`left out: ${file}: ${reason}`);
  const runs = chosen(options);
  const times = loops(options.loop, rooms, runs.length);
  const watcher = createWatcher({
    fps: options.fps,
    cache: options.cache !== false,
    modelsFolder: process.env.EVALROOM_MODELS,
  });
  const scores: RoomScore[] = [];
  const reported: ReportedRoom[] = [];
  const files = new Set<string>();
  const offered: ProposalScore[] = [];
  try {
    for (const variant of runs)
      for (const clean of rooms) {
        const room = varied(clean, variant);
        const drawn = layoutOf(room);
        const offer = options.proposed ? await offersOf(watcher, room, drawn, variant) : undefined;
        for (const score of offer?.scores ?? []) {
          offered.push(score);
          printOffer(room, score, print);
        }
        const layout = offer ? layoutAsProposed(drawn, offer.zones) : drawn;
        const seen = await lookAt(watcher, room, layout, variant, options.fps).catch((error: unknown) => {
          if (isOurs(error)) return error;
          throw error;
        });
        if (seen instanceof Error) {
          failed.push({ file: room.name, reason: seen.message });
          print(`failed: ${room.name}: ${seen.message}`);
          continue;
        }
        for (const line of seen.warnings) print(`warning: ${line}`);
        const shown = repeated(seen.room, seen.observations, times);
        const { score, said } = scoreRoom(shown.room, layout, shown.observations, pack);
        scores.push(score);
        for (const { file } of clean.cameras) files.add(basename(file));
        reported.push({ room: shown.room, variant, score, said });
        printRoom(score, print);
      }
  } finally {
    await watcher.close();
  }
  if (scores.length === 0)
    throw new InvalidInput(
      'no_media',
      `nothing of ${options.dir} could be looked at: ${failed.map(({ file, reason }) => `${file}: ${reason}`).join('; ')}`,
    );
  const result = {
    files: [...files],
    ...pool(scores, watcher.cpuMsPerFrame(), watcher.modelSet()),
    ...(options.proposed ? { proposals: poolProposals(offered) } : {}),
    leftOut: leftOut.map(({ file }) => file),
    failed: failed.map(({ file }) => file),
  };
  printPool(result, print);
  if (options.report !== false && options.report !== undefined)
    try {
      await writeReport(options.report, { rooms: reported, figures: result, rules: pack.name });
      print(`report: ${options.report}`);
    } catch (error) {
      // Figures that took hours are not lost for a page that has no place.
      print(`warning: the page was not written: ${error instanceof Error ? error.message : String(error)}`);
    }
  return result;
}

/** A truth file that lasts longer or shorter than its video by more than this is told, seconds. */
const MISMATCH_S = 1;

const isOurs = (error: unknown): error is Corrupt | Unavailable =>
  error instanceof Corrupt || error instanceof Unavailable;

/** The observations of all cameras of a room; what lies beyond the end of its footage is not of its truth. */
async function lookAt(watcher: Watcher, room: TruthRoom, layout: RoomLayout, variant: Variant, fps: number) {
  const observations: FrameObservation[] = [];
  const warnings: string[] = [];
  const cameras: TruthRoom['cameras'][number][] = [];
  for (const camera of room.cameras) {
    const { cameraId, file, truth, shown = variant } = camera;
    const seen = await watcher.watch(file, cameraId, layout, shown);
    observations.push(...seen);
    const shownS = secondOf(seen.at(-1)!) + 1 / (variant.fps ?? fps);
    const lasts = Math.min(truth.duration_s, shownS + MISMATCH_S);
    if (Math.abs(truth.duration_s - shownS) > MISMATCH_S)
      warnings.push(
        `${cameraId}: its truth lasts ${truth.duration_s.toFixed(1)} s, its video ${shownS.toFixed(1)} s: only what both have is scored`,
      );
    cameras.push(lasts < truth.duration_s ? { ...camera, truth: cutShort(truth, shownS) } : camera);
  }
  const shown = { ...room, cameras };
  const endS = secondsOf(shown);
  return { room: shown, warnings, observations: observations.filter((one) => secondOf(one) < endS) };
}

/** What each camera of the room proposes while it knows of no seat. */
async function offersOf(watcher: Watcher, room: TruthRoom, drawn: RoomLayout, variant: Variant) {
  const scores: ProposalScore[] = [];
  const zones = new Map<string, ProposedZones>();
  for (const { cameraId, file } of room.cameras) {
    const seen = await watcher.watch(file, cameraId, { ...drawn, seats: [], floor: [] }, variant);
    const offer = scoreProposals(cameraId, drawnFor(drawn, cameraId), proposed(seen));
    scores.push(offer.score);
    zones.set(cameraId, offer.zones);
  }
  return { scores, zones };
}

function cutShort(truth: Truth, duration_s: number): Truth {
  return {
    ...truth,
    duration_s,
    frames: truth.frames.filter(({ t }) => t < duration_s),
    events: truth.events
      .filter(({ start_s }) => start_s < duration_s)
      .map((event) => ({ ...event, end_s: Math.min(event.end_s, duration_s) })),
  };
}

const secondOf = ({ at }: FrameObservation): number => (at.monoMs - BEGIN.monoMs) / 1000;

/** How often everything must be seen for all of it to last so many hours. */
function loops(hours: number | undefined, rooms: readonly TruthRoom[], runs: number): number {
  if (hours === undefined) return 1;
  const once = (runs * rooms.reduce((sum, r) => sum + secondsOf(r), 0)) / 3600;
  return Math.max(1, Math.ceil(hours / once));
}

/** The same footage and truth again and again in one run: what was learnt and what was decided goes on. */
function repeated(room: TruthRoom, observations: readonly FrameObservation[], times: number) {
  if (times === 1) return { room, observations };
  const seconds = secondsOf(room);
  const turns = Array.from({ length: times }, (_, i) => i * seconds);
  const later = (at: FrameObservation['at'], s: number) => ({
    ...at,
    wallMs: at.wallMs + s * 1000,
    monoMs: at.monoMs + s * 1000,
  });
  return {
    room: {
      ...room,
      cameras: room.cameras.map(({ truth, ...camera }) => ({
        ...camera,
        truth: {
          ...truth,
          duration_s: seconds * times,
          frames: turns.flatMap((s) => truth.frames.filter((f) => f.t < seconds).map((f) => ({ ...f, t: f.t + s }))),
          events: turns.flatMap((s) => truth.events.map((e) => ({ ...e, start_s: e.start_s + s, end_s: e.end_s + s }))),
        },
      })),
    },
    observations: turns.flatMap((s) => observations.map((o) => ({ ...o, at: later(o.at, s) }))),
  };
}

function chosen({ augment, variants }: EvalVisionOptions): readonly Variant[] {
  if (!variants) return augment ? [CLEAN, ...VARIANTS] : [CLEAN];
  return RUNS.filter(({ name }) => variants.includes(name));
}

/** The state machines over all cameras of the room in order of time, with a tick a second. */
export function scoreRoom(
  room: TruthRoom,
  layout: RoomLayout,
  observations: readonly FrameObservation[],
  pack: RulePack,
): { readonly score: RoomScore; readonly said: readonly Said[] } {
  const seconds = secondsOf(room);
  const inputs: Input[] = [...observations];
  for (let s = 1; s <= seconds; s++) inputs.push({ kind: 'tick', at: instant(s) });
  inputs.sort((a, b) => a.at.monoMs - b.at.monoMs);
  const context = { layout, pack, runId: 'eval' };
  let machine = startRoom(context, instant(0), []);
  const drafts: DraftEvent[] = [];
  const said: Said[] = [];
  for (const input of inputs) {
    const result = step(machine, input, context);
    machine = result.machine;
    drafts.push(...result.drafts);
    if (input.kind !== 'frame') continue;
    const seats = Object.fromEntries(result.view.seats.map((s) => [s.seatId, s.occupancy]));
    said.push({ t: secondOf(input), seats });
  }
  const predicted = episodesOf(drafts, BEGIN.wallMs, seconds);
  const score = {
    name: room.name,
    hours: seconds / 3600,
    ...scoreEpisodes(room, predicted, pack),
    ...scoreOccupancy(room, said),
  };
  return { score, said };
}

const spanWords = ({ name, seats, startS, endS }: Span) =>
  `${name} seat ${seats.join(',') || '-'} ${startS.toFixed(1)}–${endS.toFixed(1)} s`;

function printOffer(
  room: TruthRoom,
  { cameraId, seats, found, extra, ious, missed }: ProposalScore,
  print: (line: string) => void,
) {
  const lacks = missed.length > 0 ? ` (none for ${missed.join(', ')})` : '';
  print(
    `${room.name} ${cameraId}: proposed ${found} of ${seats} seats${lacks}, ${extra} more; overlap ${ious.join(', ')}`,
  );
}

function printRoom(score: RoomScore, print: (line: string) => void): void {
  const seats = Object.values(score.occupancy);
  const sum = (k: 'right' | 'frames' | 'unknown') => seats.reduce((n, s) => n + s[k], 0);
  print(
    `${score.name}: occupancy right ${sum('right')} of ${sum('frames')}, unknown ${sum('unknown')}; fault frames right ${score.fault.right} of ${score.fault.frames}`,
  );
  for (const span of score.spans) {
    if (span.verdict === 'missed') print(`  missed  ${spanWords(span)}`);
    if (span.verdict === 'false') print(`  false   ${spanWords(span)}`);
    if (span.verdict === 'unscored' && span.of === 'predicted') print(`  unscored ${spanWords(span)}`);
  }
}

function printPool(
  result: ReturnType<typeof pool> & { readonly proposals?: ReturnType<typeof poolProposals> },
  print: (line: string) => void,
): void {
  for (const [name, b] of Object.entries(result.behaviours))
    print(
      `${name.padEnd(17)} found ${b.found} of ${b.episodes}, false ${b.false}, start error median ${b.startErrorMedianS ?? '–'} s, time to alert median ${b.timeToAlertMedianS ?? '–'} s`,
    );
  if (result.proposals)
    print(
      `proposed seats: ${result.proposals.found} of ${result.proposals.seats}, and ${result.proposals.extra} that are none; overlap median ${result.proposals.iouMedian ?? '–'}`,
    );
  print(
    `occupancy accuracy ${result.occupancyAccuracy}, unknown ${result.unknownShare}, fault frames right ${result.faultFramesRight}`,
  );
  print(
    `false alarms per room-hour ${result.falseAlarmsPerRoomHour}, false notices ${result.falseNoticesPerRoomHour}, over ${result.roomHours} h`,
  );
  print(
    `model set ${result.modelSet}${result.cpuMsPerFrame === null ? '' : `, ${result.cpuMsPerFrame} ms of CPU per frame`}; unscored: ${JSON.stringify(result.unscored)}`,
  );
}
