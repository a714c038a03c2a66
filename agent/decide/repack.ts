/** Another rule pack or layout while the room runs: what is going on goes on, and rules that the pack no longer has fall silent. */
import type { DraftEvent, EpisodeBody } from '../../protocol/event.ts';
import type { RulePack } from '../../protocol/rules.ts';
import type { Instant } from '../../protocol/time.ts';
import { type RoomContext, type RoomMachine, startRoom } from './room.ts';
import { type AnyRule, RULES } from './rules.ts';

const isAbsent = (pack: RulePack, { packKey }: AnyRule) => !Object.hasOwn(pack.rules, packKey);

/** True when the pack does not look for what this episode tells of. */
export function isSwitchedOff(pack: RulePack, body: EpisodeBody): boolean {
  const rule = RULES.find((one) => one.owns(body));
  return rule !== undefined && (isAbsent(pack, rule) || rule.isOff(pack, body));
}

/**
 * The machine under `context.pack`: tracks, seats, sums and open episodes are kept; a rule that is switched off forgets,
 * so that it begins anew should it come back, and one that loses a part of what it looks for begins anew from what is
 * left of `open`, the latest events of the episodes that have not ended. Those switched off have to be ended by the caller.
 */
export function repackRoom(
  machine: RoomMachine,
  context: RoomContext,
  at: Instant,
  open: readonly DraftEvent[],
): RoomMachine {
  const { pack } = context;
  const rules = { ...machine.rules };
  for (const rule of RULES) {
    const own = open.filter(({ body }) => body.kind === 'episode' && rule.owns(body));
    const kept = own.filter(({ body }) => body.kind === 'episode' && !isSwitchedOff(pack, body));
    if (isAbsent(pack, rule) || kept.length < own.length) rules[rule.name] = rule.start(context, at, kept);
  }
  return { ...machine, rules };
}

/**
 * The machine under `context.layout`: it begins anew from `open`, but for rules that know nothing of the layout. Those
 * keep what they have counted in the session, unless one of their episodes is in `over` and ends with its seat.
 */
export function relayRoom(
  machine: RoomMachine,
  context: RoomContext,
  at: Instant,
  episodes: { readonly open: readonly DraftEvent[]; readonly over: readonly DraftEvent[] },
): RoomMachine {
  const fresh = startRoom(context, at, episodes.open);
  const rules = { ...fresh.rules };
  for (const rule of RULES) {
    const ends = episodes.over.some(({ body }) => body.kind === 'episode' && rule.owns(body));
    if (rule.keepsOnRelay && !ends) rules[rule.name] = machine.rules[rule.name];
  }
  return { ...fresh, rules };
}
