/** `evalroom demo`: a whole room on this machine, from a camera to the page. */
import type { Command } from 'commander';
import { port } from './options.ts';

/** Adds the command to the program. */
export function addCommand(program: Command): void {
  program
    .command('demo')
    .description('run a whole room on this machine: fake or own camera, agent, cloud and web page')
    .option(
      '--camera <address>',
      'use this camera instead: rtsp://user:pass@host/path, or user:pass@host[:port] for ONVIF',
    )
    .option('--room <file>', 'use this room.yaml instead; its cloud and identity are replaced by those of the demo')
    .option('--port <number>', 'port of the page (0 picks a free one)', port, 0)
    .option('--data <folder>', 'where the demo keeps its data', '.data/demo')
    .option('--fresh', 'forget what the demo kept: supervisors, alerts and clips')
    .option('--smoke', 'no page: run until the clip of the first alert was fetched and decoded, print figures, exit 0')
    .option('--json', 'with --smoke: the figures as one JSON object on the last line (always so)')
    .addHelpText(
      'after',
      `
Examples:
  npm start                                            the demo room with its film
  npm start -- --camera rtsp://user:pass@host/path     your own camera
  npm start -- --camera user:pass@192.168.1.64         your own camera, looked up by ONVIF
  npm start -- --room room.yaml                        your own room
  npm start -- --smoke                                 does it work on this machine?`,
    )
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import('./demo/run.ts');
      process.exitCode = await runDemo(options);
    });
}

export interface DemoOptions {
  readonly camera?: string;
  readonly room?: string;
  readonly port: number;
  readonly data: string;
  readonly fresh?: true;
  readonly smoke?: true;
  readonly json?: true;
}
