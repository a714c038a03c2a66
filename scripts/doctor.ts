/** `evalroom doctor`: looks at everything that a room needs and says what is fine, what deserves attention and what is broken. */
import type { Command } from 'commander';
import { port } from './options.ts';

/** Adds the command to the program. */
export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check this machine, the models, a room.yaml and its cameras, and say what to do')
    .option('--room <file>', 'also check this room.yaml, its cameras and its cloud')
    .option('--data <folder>', 'where this machine keeps its data (default: of the room, else .data)')
    .option('--port <number>', 'port that the page is to have', port, 8080)
    .option('--json', 'print one JSON object {findings, broken, attention} instead of the table')
    .addHelpText('after', '\nExit code 1 when something is broken; what deserves attention alone does not count.')
    .action(async (options: DoctorOptions) => {
      const { examine } = await import('./doctor/examine.ts');
      const { printFindings } = await import('./doctor/finding.ts');
      process.exitCode = printFindings(await examine(options), options.json === true);
    });
}

export interface DoctorOptions {
  readonly room?: string;
  readonly data?: string;
  readonly port: number;
  readonly json?: true;
}
