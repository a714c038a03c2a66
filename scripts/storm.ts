/** `evalroom storm`: rooms, broker, cloud and screens under kill -9 and broken lines; what was accepted against what is stored and shown. */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** Ways to break the path on purpose: a storm that notices none of them would prove nothing. */
export const SABOTAGES = ['delete_when_sent', 'accept_twice', 'forget_cursor', 'no_dedup'] as const;
export type Sabotage = (typeof SABOTAGES)[number];

const count = (value: string): number => {
  const number = Number(value);
  if (value.trim() === '' || !Number.isInteger(number) || number < 0)
    throw new InvalidArgumentError('a whole number is needed');
  return number;
};

/** `whole`: broker, ingest and page in one process. `split`: a process for each, two workers and two web processes. */
export const LAYOUTS = ['whole', 'split'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Adds the command to the program. */
export function addCommand(program: Command): void {
  const storm = program
    .command('storm')
    .description('drive rooms through faults and compare what was accepted with what was stored')
    .option('--kills <number>', 'processes killed with -9', count, 30)
    .option('--seed <number>', 'of the schedule of faults; drawn and printed when absent', count)
    .option('--rooms <number>', 'rooms, each a process with a real outbox', count, 3)
    .addOption(
      new Option(
        '--store <kind>',
        'sqlite: one cloud with its own broker; postgres: two clouds on one broker and a PostgreSQL',
      )
        .choices(['sqlite', 'postgres'])
        .default('sqlite'),
    )
    .addOption(
      new Option(
        '--layout <kind>',
        'split: as in production, two ingest workers, two web processes, an outside broker and PostgreSQL',
      )
        .choices(LAYOUTS)
        .default('whole'),
    )
    .option('--browser', 'also watch the queue in a headless Chromium')
    .addOption(
      new Option('--sabotage <way...>', 'break the path on purpose, to see that the storm notices').choices(SABOTAGES),
    )
    .option('--quiet', 'no line for each fault')
    .option('--json', 'print one JSON object as the last line')
    .addHelpText(
      'after',
      `
Prints: accepted N, kills K, lost 0, stored twice 0, shown twice 0, missing on screen 0, seed S.
Exit code 1 when one of these four is not 0. The seed repeats the schedule of faults; what falls between two of its
instructions is up to the machine.

Examples:
  evalroom storm --kills 300 --seed 7
  evalroom storm --kills 100 --store postgres --browser
  evalroom storm --kills 100 --layout split                workers die between COMMIT and ack too
  evalroom storm --kills 5 --sabotage delete_when_sent      must end with losses`,
    )
    .action(async (options: StormOptions) => {
      const { storm: run } = await import('./storm/run.ts');
      await run(options.layout === 'split' ? { ...options, store: 'postgres' } : options);
    });
  storm
    .command('writer', { hidden: true })
    .description('one room of the storm; what it is to do stands in EVALROOM_STORM_WRITER')
    .action(async () => {
      const { runWriter } = await import('./storm/writer.ts');
      await runWriter(JSON.parse(process.env.EVALROOM_STORM_WRITER ?? '{}') as WriterOptions);
    });
}

export interface StormOptions {
  readonly kills: number;
  readonly seed?: number;
  readonly rooms: number;
  readonly store: 'sqlite' | 'postgres';
  /** Default whole; split is always on PostgreSQL. */
  readonly layout?: Layout;
  readonly browser?: true;
  readonly sabotage?: readonly Sabotage[];
  readonly quiet?: true;
  readonly json?: true;
}

/** What one process that stands for a room is told. */
export interface WriterOptions {
  /** File of its outbox. */
  readonly outbox: string;
  readonly room: string;
  readonly device: string;
  readonly secret: string;
  /** Of the broker, or of the bad line to it. */
  readonly port: number;
  /** Unique for each start: names the tickets. */
  readonly life: string;
  /** Accepts nothing until it is told to. */
  readonly waits: boolean;
  readonly seed: number;
  readonly sabotage: readonly Sabotage[];
}
