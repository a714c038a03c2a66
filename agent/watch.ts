/** The heart of the agent: an observation goes in, decide says what it means, the outbox takes it, and only then others hear of it. */
import type { Logger } from 'pino';
import { Full } from '../protocol/errors.ts';
import type { DraftEvent, RoomEvent } from '../protocol/event.ts';
import type { Clock } from '../protocol/time.ts';
import { type Input, type RoomContext, type RoomView, startRoom, step } from './decide/room.ts';

/** What watch needs of the outbox. */
export interface Accepting {
  /** One transaction; throws Full when nothing more can be taken, and then nothing of `drafts` was. */
  accept(drafts: readonly DraftEvent[]): RoomEvent[];
  /** Latest event of every episode that has not ended. */
  openEpisodes(): DraftEvent[];
}

/**
 * Decided events that a full outbox refused wait in memory, in order, up to this many. Beyond it the room stops
 * deciding (observations are counted as missed) until there is room again: a decision is never dropped.
 */
const HELD_LIMIT = 1000;

export interface Watch {
  /** Decides on one observation and stores what it decided. Throws only what is a bug or a corrupt outbox. */
  observe(input: Input): void;
  /** Stores events that were not decided from observations: boot, clip, gap. */
  record(drafts: readonly DraftEvent[]): void;
  /** Called after the commit, in order of acceptance. */
  onEvent(listener: (event: RoomEvent) => void): void;
  view(): RoomView;
  health(): { readonly full: boolean; readonly held: number; readonly missed: number };
}

export interface WatchParts {
  readonly context: RoomContext;
  readonly outbox: Accepting;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Begins with the episodes that were open when the agent last stopped. */
export function createWatch({ context, outbox, clock, log }: WatchParts): Watch {
  const listeners: ((event: RoomEvent) => void)[] = [];
  let held: DraftEvent[] = [];
  let missed = 0;
  let machine = startRoom(context, clock.now(), outbox.openEpisodes());
  let view: RoomView = { seats: [], tracks: [], faults: [] };

  function store(drafts: readonly DraftEvent[]): void {
    if (drafts.length === 0 && held.length === 0) return;
    const all = [...held, ...drafts];
    try {
      const events = outbox.accept(all);
      if (held.length > 0)
        log.warn({ events: held.length }, 'outbox takes events again, those held in memory are stored');
      held = [];
      for (const event of events) for (const listener of listeners) listener(event);
    } catch (error) {
      if (!(error instanceof Full)) throw error;
      if (held.length === 0) log.error({ err: error }, 'outbox is full: decided events wait in memory');
      held = all;
    }
  }

  return {
    observe(input) {
      if (held.length >= HELD_LIMIT) {
        missed += 1;
        store([]);
        return;
      }
      const next = step(machine, input, context);
      machine = next.machine;
      view = next.view;
      if (next.drafts.length > 0 || input.kind === 'tick') store(next.drafts);
    },
    record: store,
    onEvent: (listener) => void listeners.push(listener),
    view: () => view,
    health: () => ({ full: held.length > 0, held: held.length, missed }),
  };
}
