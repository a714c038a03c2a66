/** `evalroom enroll`: makes a key pair on this box and exchanges a one-time code for its certificate. */
import type { Command } from 'commander';

/** Adds the command to the program. */
export function addCommand(program: Command): void {
  program
    .command('enroll')
    .description('give this box its identity: exchange a one-time code of the cloud for a certificate')
    .requiredOption('--cloud <url>', 'address of the cloud: https://host[:port]')
    .requiredOption('--code <code>', 'the one-time code that the cloud has shown')
    .option('--room <file>', 'room.yaml whose identity.certificate names the folder; its ids are compared')
    .option('--data <folder>', 'folder for key and certificate (default: that of --room, else ./identity)')
    .option('--ca <file>', "PEM of the authority of the cloud's web certificate, where that is not the cloud's own")
    .option('--json', 'print one JSON object {deviceId, roomId, folder, caSha256, notAfter, mqtt, upload}')
    .addHelpText(
      'after',
      `
The code is good for one day and one box. It also names the cloud's authority, so that the very first connection is
certain. The key never leaves this box. A running agent renews its certificate by itself.

Example:
  evalroom enroll --cloud https://cloud.example:8443 --code 0F3K9M-… --room room.yaml`,
    )
    .action(async (options: EnrollOptions) => {
      const { enrollBox } = await import('./enroll-run.ts');
      await enrollBox(options);
    });
}

export interface EnrollOptions {
  readonly cloud: string;
  readonly code: string;
  readonly room?: string;
  readonly data?: string;
  readonly ca?: string;
  readonly json?: true;
}
