/** `evalroom agent`: the box in a room, as its room.yaml says. */
import type { Command } from 'commander';
import type { ReplayOptions } from './agent-replay.ts';

/** Adds the command to the program. */
export function addCommand(program: Command): void {
  const agent = program
    .command('agent')
    .description('run the box in a room as its room.yaml says')
    .requiredOption('--room <file>', 'room.yaml; room.example.yaml explains every line')
    .addHelpText(
      'after',
      `
Examples:
  evalroom doctor --room room.yaml     check the file, the camera and the models first
  evalroom agent --room room.yaml
  evalroom agent replay --room room.yaml --rules ./my-pack   what would this pack have raised?`,
    )
    .action(async (options: { room: string }) => {
      const { serveAgent } = await import('./agent-run.ts');
      await serveAgent(options.room);
    });
  // --room is the agent's own option, wherever it stands in the line.
  agent
    .command('replay')
    .description('run a rule pack over what this box still holds: the sound of its segments, the events in its outbox')
    .option(
      '--rules <pack>',
      'name of a shipped pack, folder of a pack, or the file that the rule page gives; default: the pack in force',
    )
    .option('--from <time>', 'begin, by the clock of the room, such as 2026-03-01T14:00; default: all that is held')
    .option('--to <time>', 'end; default: now')
    .option('--json', 'print one JSON object {pack, raised, sound, stored}')
    .action(async (options: Omit<ReplayOptions, 'room'>) => {
      const { replayRoom } = await import('./agent-replay.ts');
      await replayRoom({ ...options, room: agent.opts<{ room: string }>().room });
    });
}
