/** `evalroom discover`: asks the local network which ONVIF cameras are there. */
import type { Command } from 'commander';
import { seconds } from './options.ts';

/** Adds the command to the program. */
export function discoverCommand(program: Command): void {
  program
    .command('discover')
    .description('find the ONVIF cameras of the local network')
    .option('--wait <seconds>', 'how long to listen for answers', seconds, 4)
    .option('--json', 'print one JSON object {cameras}')
    .addHelpText(
      'after',
      '\nWS-Discovery is a multicast: it does not cross routers. A camera elsewhere can still be named in room.yaml.',
    )
    .action(async (options: DiscoverOptions) => {
      const { runDiscover } = await import('./discover-run.ts');
      process.exitCode = await runDiscover(options);
    });
}

export interface DiscoverOptions {
  readonly wait: number;
  readonly json?: true;
}
