/** `evalroom cloud`: the broker, ingest, store and page that supervisors use, as one process. */
import type { Command } from 'commander';
import { port } from './options.ts';

/** Adds the command to the program. */
export function addCommand(program: Command): void {
  program
    .command('cloud')
    .description('run the broker, ingest, store and web page that supervisors use')
    .option('--config <file>', 'cloud.yaml; without it the defaults for one machine are used')
    .option('--data <folder>', 'folder of the store, the clips and the keys (overrides the configuration)')
    .option('--port <number>', 'port of the web page (overrides the configuration; 0 picks a free one)', port)
    .option(
      '--box <device:room:file>',
      'make sure that this box is known for this room, and keep its secret in this file; may be repeated',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option(
      '--code <device:room>',
      'show a one-time code with which this box can be enrolled (evalroom enroll); may be repeated',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option('--check', 'read the configuration, say how long what is kept, and end')
    .addHelpText(
      'after',
      `
Examples:
  evalroom cloud                                   broker, SQLite and clips under ./.data/cloud, page on port 8080
  evalroom cloud --config cloud.yaml               an outside broker, PostgreSQL
  evalroom cloud --box box-101:room-101:./secret   and a box on this machine, whose secret goes into ./secret
  evalroom cloud --config cloud.yaml --code box-101:room-101   and a code for a box elsewhere`,
    )
    .action(async (options: CloudOptions) => {
      const { checkCloud, serveCloud } = await import('./cloud-run.ts');
      if (options.check === true) checkCloud(options);
      else await serveCloud(options);
    });
}

export interface CloudOptions {
  readonly config?: string;
  readonly data?: string;
  readonly port?: number;
  readonly check?: boolean;
  readonly box: readonly string[];
  readonly code: readonly string[];
}
