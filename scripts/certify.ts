/** `evalroom certify`: the cloud's authority signs for parts that are no boxes: an outside broker, an ingest worker. */
import type { Command } from 'commander';
import { numberFrom } from './options.ts';

/** Adds the command to the program. */
export function addCommand(program: Command): void {
  program
    .command('certify')
    .description("sign a certificate for an outside broker or an ingest worker with the cloud's own authority")
    .requiredOption('--config <file>', 'cloud.yaml of the cloud whose authority signs')
    .requiredOption('--out <folder>', 'where key, certificate and the chain to trust are written')
    .option('--server <names>', 'for a server with these names and addresses, parted by commas')
    .option('--ingest', 'for an ingest worker: the name that may write acks; keep it as the authority itself')
    .option('--days <number>', 'how long it is good', numberFrom(1, 36_500, 'whole'), 397)
    .addHelpText(
      'after',
      `
Writes ca.pem and, mode 0600, server.pem and server.key, or ingest.pem and ingest.key.

Examples:
  evalroom certify --config cloud.yaml --server broker.example,10.0.0.7 --out ./broker
  evalroom certify --config cloud.yaml --ingest --out ./ingest`,
    )
    .action(async (options: CertifyOptions) => {
      const { certify } = await import('./certify-run.ts');
      await certify(options);
    });
}

export interface CertifyOptions {
  readonly config: string;
  readonly out: string;
  readonly server?: string;
  readonly ingest?: true;
  readonly days: number;
}
