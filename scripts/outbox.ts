/** `evalroom outbox salvage`: brings what a damaged outbox file still holds back into the room's outbox. */
import type { Command } from 'commander';

/** Adds the command to the program. */
export function salvageCommand(program: Command): void {
  program
    .command('salvage')
    .description("bring the intact events of a damaged outbox file back into the room's outbox, under their old names")
    .argument('<file>', 'what the agent kept aside: outbox.db.damaged-…, or outbox.db-wal.damaged-…')
    .option(
      '--into <file>',
      "outbox.db of the room's data folder; the agent must be stopped. Without it nothing is written",
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Every event has a sum of its own: one whose bytes have changed is never brought back. Events that the cloud has acked are left
out where the file still says so; the cloud refuses those that it has, by their names. Clips that a damaged file listed are not
brought back into the list; their files stay in the data folder.

Examples:
  evalroom outbox salvage .data/room/outbox.db.damaged-1795513704447
  evalroom outbox salvage .data/room/outbox.db.damaged-1795513704447 --into .data/room/outbox.db`,
    )
    .action(async (file: string, options: SalvageOptions) => {
      const { salvage } = await import('./outbox-run.ts');
      salvage(file, options);
    });
}

export interface SalvageOptions {
  readonly into?: string;
  readonly json?: true;
}
