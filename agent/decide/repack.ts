/** Another rule pack while the room runs: what is going on goes on, and rules that the pack no longer has fall silent. */
import type { RulePack } from '../../protocol/rules.ts';
import type { Instant } from '../../protocol/time.ts';
import type { RoomContext, RoomMachine } from './room.ts';
import { RULES } from './rules.ts';

/** True when the pack switches this behaviour off. */
export function isSwitchedOff(pack: RulePack, behaviour: string): boolean {
  return RULES.some(({ name }) => name === behaviour) && !Object.hasOwn(pack.rules, behaviour);
}

/**
 * The machine under `context.pack`: tracks, seats, sums and open episodes are kept; a rule that is switched off forgets,
 * so that it begins anew should it come back. Its open episodes have to be ended by the caller.
 */
export function repackRoom(machine: RoomMachine, context: RoomContext, at: Instant): RoomMachine {
  const rules = { ...machine.rules };
  for (const rule of RULES) if (isSwitchedOff(context.pack, rule.name)) rules[rule.name] = rule.start(context, at, []);
  return { ...machine, rules };
}
