/** `evalroom calibrate`: watches a room while people sit, and proposes its seats; checks the floor points that were measured. */
import { type Command, InvalidArgumentError } from 'commander';

const minutes = (value: string): number => {
  const number = Number(value);
  if (!(number > 0 && number <= 240)) throw new InvalidArgumentError('minutes, more than 0 and at most 240');
  return number;
};

export interface CalibrateOptions {
  readonly room: string;
  readonly minutes: number;
  readonly json?: true;
}

/** Adds the command to the program. */
export function calibrateCommand(program: Command): void {
  program
    .command('calibrate')
    .description('watch a room while people sit, and propose its seats; check the floor points')
    .requiredOption('--room <file>', 'room.yaml with the cameras; its seats may still be empty: seats: []')
    .option('--minutes <number>', 'how long people are watched', minutes, 10)
    .option('--json', 'print one JSON object as the last line')
    .addHelpText(
      'after',
      `
Let everybody sit at their seats and do what they do. Then prints, for each camera, seats and views in the form of
room.yaml, to be pasted, named and confirmed. Writes nothing.`,
    )
    .action(async (options: CalibrateOptions) => {
      const { calibrate } = await import('./calibrate-run.ts');
      await calibrate(options);
    });
}
