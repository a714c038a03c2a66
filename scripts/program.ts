/** The subcommands of `evalroom`: their names stand here, only the one that is asked for is loaded, and every error is worded. */
import { Command, CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { Bug, EvalroomError, InvalidInput } from '../protocol/errors.ts';

interface Entry {
  readonly name: string;
  readonly summary: string;
  /** Its modules and the function in each that declares it; heavy parts are loaded when the subcommand runs, not before. */
  readonly from: readonly (readonly [module: string, declare: string])[];
  /** Set where the modules declare parts of a command that is made here. */
  readonly group?: true;
  /** Set for a command of the house itself, which the help text leaves out. */
  readonly hidden?: true;
}

/** Every subcommand, in the order of the help text. */
export const ENTRIES: readonly Entry[] = [
  {
    name: 'demo',
    summary: 'run a whole room on this machine: fake or own camera, agent, cloud and web page',
    from: [['./demo.ts', 'addCommand']],
  },
  {
    name: 'agent',
    summary: 'run the box in a room as its room.yaml says',
    from: [['./agent.ts', 'addCommand']],
  },
  {
    name: 'enroll',
    summary: 'give this box its identity: exchange a one-time code of the cloud for a certificate',
    from: [['./enroll.ts', 'addCommand']],
  },
  {
    name: 'cloud',
    summary: 'run the broker, ingest, store and web page that supervisors use',
    from: [['./cloud.ts', 'addCommand']],
  },
  {
    name: 'certify',
    summary: "sign a certificate for an outside broker or an ingest worker with the cloud's own authority",
    from: [['./certify.ts', 'addCommand']],
  },
  {
    name: 'discover',
    summary: 'find the ONVIF cameras of the local network',
    from: [['./discover.ts', 'discoverCommand']],
  },
  {
    name: 'doctor',
    summary: 'check this machine, the models, a room.yaml and its cameras, and say what to do',
    from: [['./doctor.ts', 'doctorCommand']],
  },
  {
    name: 'outbox',
    summary: "bring what a damaged outbox file still holds back into the room's outbox",
    from: [['./outbox.ts', 'salvageCommand']],
    group: true,
  },
  {
    name: 'calibrate',
    summary: 'watch a room while people sit, and propose its seats; check the floor points',
    from: [['./calibrate.ts', 'calibrateCommand']],
  },
  {
    name: 'models',
    summary: 'fetch, list and verify the model weights',
    from: [['./models.ts', 'modelsCommand']],
  },
  {
    name: 'eval',
    summary: 'measure how well the eyes and the ears do against known truth',
    from: [
      ['./eval-vision.ts', 'evalVisionCommand'],
      ['./eval-speech.ts', 'evalSpeechCommand'],
      ['./eval-speech-fronts.ts', 'evalFrontsCommand'],
      ['./eval-splice.ts', 'evalSpliceCommand'],
    ],
    group: true,
  },
  {
    name: 'bench',
    summary: 'measure latency and cost on this machine',
    from: [['./bench.ts', 'addCommand']],
  },
  {
    name: 'storm',
    summary: 'drive rooms through faults and compare what was accepted with what was stored',
    from: [['./storm.ts', 'addCommand']],
  },
  {
    name: 'fake-camera',
    summary: 'serve a film over ONVIF and RTSP as a camera would',
    from: [['./fake-camera.ts', 'addCommand']],
    hidden: true,
  },
];

const EXAMPLES = `
Examples:
  evalroom demo                           a demo room with a fake camera; prints one URL
  evalroom demo --camera rtsp://user:pass@host/path
  evalroom doctor --room room.yaml        what is broken, and what to do
  evalroom agent --room room.yaml         a real room
  evalroom enroll --cloud URL --code CODE its identity, beyond one machine
  evalroom models fetch zh                the Mandarin ear
  evalroom SUBCOMMAND --help              all options of a subcommand

Exit codes: 0 done, 1 failed with a reason, 2 wrong usage.`;

/** The program with every subcommand named, and the one called `wanted` declared in full by its own modules. */
export async function buildProgram(wanted: string | undefined): Promise<Command> {
  const program = new Command('evalroom')
    .description(packageJson.description)
    .version(packageJson.version)
    .option('--verbose', 'print the causes and the place of an error')
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  for (const entry of ENTRIES) {
    if (entry.name === wanted) await declare(entry, program);
    else program.command(entry.name, { hidden: entry.hidden === true }).description(entry.summary);
  }
  return program;
}

async function declare(entry: Entry, program: Command): Promise<void> {
  const parent = entry.group ? program.command(entry.name).description(entry.summary) : program;
  for (const [path, name] of entry.from) {
    const loaded: Record<string, unknown> = await import(new URL(path, import.meta.url).href);
    const add = loaded[name];
    if (typeof add !== 'function')
      throw new Bug('command_not_declared', `evalroom ${entry.name}: ${path} does not export ${name}`);
    add(parent);
  }
  // Subcommands copy this setting when they are made; the modules need not know of it.
  overrideExit(program);
}

function overrideExit(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) overrideExit(inner);
}

/** What a person reads of an error: one line, and with `verbose` its stack and causes. */
export function wordError(error: unknown, verbose: boolean): string {
  if (!(error instanceof Error)) return `evalroom: ${String(error)}`;
  const line =
    error instanceof EvalroomError
      ? `evalroom: ${error.message} [${error.code}]`
      : `evalroom: unexpected ${error.name}: ${error.message}`;
  if (!verbose) return error instanceof EvalroomError ? line : `${line}\n(--verbose shows where it comes from)`;
  const lines = [line];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    lines.push(cause.stack ?? String(cause));
  return lines.join('\ncaused by: ').replace('\ncaused by: ', '\n');
}

/** Options that each alone could be right, or that only the subcommand itself can judge. */
const isUsage = (error: unknown): boolean => error instanceof InvalidInput && error.code === 'bad_option';

/** Runs the command line and returns the exit code: 0, 1 for an error, 2 for wrong usage. */
export async function runCli(args: readonly string[]): Promise<number> {
  const verbose = args.includes('--verbose');
  // The first word that is no option; `help NAME` is commander's own way of saying `NAME --help`.
  const words = args.filter((arg) => !arg.startsWith('-'));
  const wanted = words[0] === 'help' ? words[1] : words[0];
  try {
    const program = await buildProgram(wanted);
    await program.parseAsync(
      args.filter((arg) => arg !== '--verbose'),
      { from: 'user' },
    );
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(wordError(error, verbose));
    return isUsage(error) ? 2 : 1;
  }
}
