/** Inside the storm: the schedule of faults that a seed stands for; the same seed gives the same schedule. */
import { createDice } from './dice.ts';

/** Which process a fault is for: a writer, a whole cloud, a worker or a web process by number, the broker, the database. */
export type Target = `${'writer' | 'cloud' | 'ingest' | 'web'}-${number}` | 'broker' | 'database';

export type Fault =
  /** `at` commit: between what a worker stores next and its word of it. */
  | { readonly kind: 'kill'; readonly target: Target; readonly at?: 'commit' }
  /** SIGSTOP, and SIGCONT after `forMs`. */
  | { readonly kind: 'freeze'; readonly target: Target; readonly forMs: number }
  /** Every connection between rooms and broker is cut. */
  | { readonly kind: 'cut' }
  /** The line between rooms and broker carries nothing, and stays open. */
  | { readonly kind: 'stall'; readonly forMs: number }
  /** Payloads on that line are dropped, doubled and reordered. */
  | { readonly kind: 'rough'; readonly forMs: number }
  /** A screen loses its line and comes back with its cursor, or is loaded anew. */
  | { readonly kind: 'unplug' | 'reload' };

export interface Step {
  /** Pause before it, from the step before. */
  readonly afterMs: number;
  readonly fault: Fault;
}

const STALL_MAX_MS = 10_000;
/** Share of the kills of an ingest worker that fall between its COMMIT and its ack. */
const AT_COMMIT = 0.7;

/** `kills` kills with other faults between them. `targets` are what can be killed. */
export function planStorm(seed: number, kills: number, targets: readonly Target[]): Step[] {
  const dice = createDice(seed);
  const steps: Step[] = [];
  const add = (fault: Fault, lowMs = 30, highMs = 350) => steps.push({ afterMs: dice.between(lowMs, highMs), fault });
  for (let kill = 0; kill < kills; kill++) {
    if (dice.chance(0.35)) add({ kind: 'rough', forMs: dice.between(500, 5000) });
    if (dice.chance(0.15)) add({ kind: 'cut' });
    // Mostly short; the longest ones of ten seconds come once in about forty kills.
    if (dice.chance(0.1)) add({ kind: 'stall', forMs: Math.round(STALL_MAX_MS * dice.next() ** 3) });
    if (dice.chance(0.2))
      add({ kind: 'freeze', target: dice.pick(targets), forMs: Math.round(100 + 3000 * dice.next() ** 2) });
    if (dice.chance(0.25)) add({ kind: dice.chance(0.5) ? 'unplug' : 'reload' });
    const target = dice.pick(targets);
    const at = target.startsWith('ingest-') && dice.chance(AT_COMMIT) ? { at: 'commit' as const } : {};
    add({ kind: 'kill', target, ...at }, 50, 1200);
  }
  return steps;
}
