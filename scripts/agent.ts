/** `evalroom agent`: the box in a room, as its room.yaml says. */
import type { Command } from 'commander';

/** Adds the command to the program. */
export function addCommand(program: Command): void {
  program
    .command('agent')
    .description('run the box in a room as its room.yaml says')
    .requiredOption('--room <file>', 'room.yaml; room.example.yaml explains every line')
    .addHelpText(
      'after',
      `
Examples:
  evalroom doctor --room room.yaml     check the file, the camera and the models first
  evalroom agent --room room.yaml`,
    )
    .action(async (options: { room: string }) => {
      const { serveAgent } = await import('./agent-run.ts');
      await serveAgent(options.room);
    });
}
