/** `evalroom bench`: what the path costs and how long it takes, measured on this machine. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';

const count = (value: string): number => {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('a whole number above 0 is needed');
  return number;
};

/** Adds the command to the program. */
export function addCommand(program: Command): void {
  const bench = program.command('bench').description('measure latency and cost on this machine');
  bench
    .command('latency')
    .description('from the frame or sound that completes a rule to the alert in the page, in a real browser')
    .option('--alerts <number>', 'alerts of the scripted room', count, 100)
    .option('--seconds <number>', 'how long the room with real models is watched', count, 160)
    .option('--json', 'print one JSON object as the last line')
    .addHelpText(
      'after',
      `
Prints: alerts, visionP50Ms, visionP99Ms (scripted observations: frame out of ffmpeg's pipe -> DOM),
seenP50Ms, seenP99Ms (real models: frame leaves the camera -> DOM), speechP50Ms, speechP95Ms,
speechP99Ms (end of the phrase -> DOM), speech (the same for each language, with the engine that heard it).`,
    )
    .action(async (options: LatencyOptions) => {
      const { benchLatency } = await import('./bench/latency.ts');
      await benchLatency(options);
    });
  bench
    .command('camera')
    .description('processor and memory for one camera with five seats, beside a bare ffmpeg decode')
    .option('--seconds <number>', 'how long is measured', count, 60)
    .option('--fps <number>', 'frames per second handed to the models', count, 2)
    .addOption(new Option('--set <name>', 'default: weights from npm alone').choices(CAMERA_SETS).default('auto'))
    .option('--soak <minutes>', 'instead: whether memory and drops grow over so many minutes', count)
    .option('--most', 'instead: how many cameras this machine holds with seat states no older than 1.5 s')
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: CameraOptions) => {
      if (options.soak !== undefined) {
        const { benchSoak } = await import('./bench/soak.ts');
        await benchSoak(options);
        return;
      }
      if (options.most) {
        const { benchMostCameras } = await import('./bench/cameras.ts');
        await benchMostCameras(options);
        return;
      }
      const { benchCamera } = await import('./bench/camera.ts');
      await benchCamera(options);
    });
  bench
    .command('outbox')
    .description('events that a room accepts per second, beside bare inserts of the same bytes with the same pragmas')
    .option('--events <number>', 'events of both', count, 10_000)
    .option('--folder <folder>', 'on the disk to be measured; default: the one for temporary files')
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: OutboxOptions) => {
      const { benchOutbox } = await import('./bench/outbox.ts');
      await benchOutbox(options);
    });
  bench
    .command('ingest')
    .description(
      'events per second from MQTT to committed rows on PostgreSQL, beside a bare unnest insert of the same rows',
    )
    .option('--events <number>', 'events of each run, a multiple of 400', count, 120_000)
    .option('--workers <list>', 'numbers of ingest workers, one run each', counts, [1, 2, 4])
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: IngestOptions) => {
      const { benchIngest } = await import('./bench/ingest.ts');
      await benchIngest(options);
    });
  bench
    .command('fanin')
    .description('thousands of real MQTT connections, one event each at the same instant, as after an outage')
    .option('--connections <number>', 'boxes, each a connection of its own', count, 10_000)
    .option('--workers <number>', 'ingest workers', count, 2)
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: FaninOptions) => {
      const { benchFanin } = await import('./bench/fanin.ts');
      await benchFanin(options);
    });
  bench
    .command('feed')
    .description('from the commit to every open page, with hundreds of pages')
    .option('--clients <number>', 'open lines', count, 500)
    .option('--per-s <number>', 'events a second', count, 200)
    .option('--seconds <number>', 'how long', count, 20)
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: FeedOptions) => {
      const { benchFeed } = await import('./bench/feed.ts');
      await benchFeed(options);
    });
  bench
    .command('browsers', { hidden: true })
    .description('feed clients of a benchmark as a process of their own')
    .requiredOption('--setup <file>', 'where and how many')
    .action(async ({ setup }: { setup: string }) => {
      const { runBrowsers } = await import('./bench/browsers.ts');
      await runBrowsers(JSON.parse(readFileSync(setup, 'utf8')));
    });
  bench
    .command('senders', { hidden: true })
    .description('boxes of a benchmark as a process of their own')
    .requiredOption('--setup <file>', 'who they are and what they send')
    .action(async ({ setup }: { setup: string }) => {
      const { runSenders } = await import('./bench/senders.ts');
      await runSenders(JSON.parse(readFileSync(setup, 'utf8')));
    });
  bench
    .command('lexicon')
    .description('phrases found behind a channel that garbles syllables, false ones in neutral talk, time per syllable')
    .option('--patterns <number>', 'forms of phrases that are looked for', count, 500)
    .option('--seed <number>', 'of the channel', count, 1)
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: LexiconOptions) => {
      const { benchLexicon } = await import('./bench/lexicon.ts');
      benchLexicon(options);
    });
  bench
    .command('net')
    .description('the Mandarin net in plain TypeScript beside the same net as a graph in ONNX Runtime')
    .requiredOption('--onnx <file>', 'streaming graph of the net')
    .option('--seconds <number>', 'sound that goes through each', count, 60)
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: NetOptions) => {
      const { benchNet } = await import('./bench/net.ts');
      await benchNet(options);
    });
  bench
    .command('net-alone', { hidden: true })
    .description('one of the two in a process of its own')
    .option('--graph <file>', 'the graph; without it the net in TypeScript')
    .requiredOption('--seconds <number>', 'sound', count)
    .action(async ({ graph, seconds }: { graph?: string; seconds: number }) => {
      const { benchNetAlone } = await import('./bench/net.ts');
      await benchNetAlone(graph, seconds);
    });
  bench
    .command('ears')
    .description('processor and memory of the Mandarin ear, fed as microphones would feed it')
    .option('--microphones <number>', 'ears side by side', count, 2)
    .option('--phrases <number>', 'phrases of each', count, 200)
    .option('--seconds <number>', 'sound that each hears', count, 120)
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: EarsOptions) => {
      const { benchEars } = await import('./bench/ears.ts');
      await benchEars(options);
    });
}

/** Models that the eyes are measured with. */
export const CAMERA_SETS = ['auto', 'default', 'better'] as const;
export type CameraSet = (typeof CAMERA_SETS)[number];

const counts = (value: string): number[] => value.split(',').map(count);

export interface OutboxOptions {
  readonly events: number;
  readonly folder?: string;
  readonly json?: true;
}

export interface FaninOptions {
  readonly connections: number;
  readonly workers: number;
  readonly json?: true;
}

export interface FeedOptions {
  readonly clients: number;
  readonly perS: number;
  readonly seconds: number;
  readonly json?: true;
}

export interface IngestOptions {
  readonly events: number;
  readonly workers: readonly number[];
  readonly json?: true;
}

export interface NetOptions {
  readonly onnx: string;
  readonly seconds: number;
  readonly json?: true;
}

export interface LexiconOptions {
  readonly patterns: number;
  readonly seed: number;
  readonly json?: true;
}

export interface EarsOptions {
  readonly microphones: number;
  readonly phrases: number;
  readonly seconds: number;
  readonly json?: true;
}

export interface LatencyOptions {
  readonly alerts: number;
  readonly seconds: number;
  readonly json?: true;
}

export interface CameraOptions {
  readonly seconds: number;
  readonly fps: number;
  readonly set: CameraSet;
  readonly soak?: number;
  readonly most?: true;
  readonly json?: true;
}
