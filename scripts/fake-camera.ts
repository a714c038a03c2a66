/** `evalroom fake-camera`: the scripted camera as a process of its own, for the demo, the benchmarks and the tests. */
import type { Command } from 'commander';
import { numberFrom, port } from './options.ts';

/** Adds the command to the program. */
export function addCommand(program: Command): void {
  program
    .command('fake-camera')
    .description('serve a film over ONVIF and RTSP as a camera would; takes faults over IPC')
    .option('--main <file>', 'film of the main stream; default: the film of the demo')
    .option('--sub <file>', 'film of the sub-stream; default: the film of the demo')
    .option('--sound <file>', 'sound track; default with the film of the demo: its phrases over a noise floor')
    .option('--from <ms>', 'where in the loop play begins', numberFrom(0, 86_400_000), 0)
    .requiredOption('--user <name>', 'user name that clients must give')
    .requiredOption('--password-file <file>', 'file with the password that clients must give')
    .option('--cache <folder>', 'where a built sound track is kept', '.data/sound')
    .option('--onvif-port <number>', 'port of the ONVIF device, 0: any', port, 0)
    .option('--rtsp-port <number>', 'port of the streams, 0: any', port, 0)
    .action(async (options: FakeCameraOptions) => {
      const { serveFakeCamera } = await import('./fake-camera-run.ts');
      await serveFakeCamera(options);
    });
}

export interface FakeCameraOptions {
  readonly main?: string;
  readonly sub?: string;
  readonly sound?: string;
  readonly from: number;
  readonly user: string;
  readonly passwordFile: string;
  readonly cache: string;
  readonly onvifPort: number;
  readonly rtspPort: number;
}
