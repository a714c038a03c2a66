/** The heart of the agent: an observation goes in, decide says what it means, the outbox takes it, and only then others hear of it. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { Full } from '../protocol/errors.ts';
import type { DraftEvent, EpisodeBody, RoomEvent } from '../protocol/event.ts';
import type { RoomLayout } from '../protocol/room.ts';
import type { RulePack } from '../protocol/rules.ts';
import type { Clock } from '../protocol/time.ts';
import { isSwitchedOff, relayRoom, repackRoom } from './decide/repack.ts';
import { type Input, type RoomContext, type RoomView, startRoom, step } from './decide/room.ts';
import { createRate, type Rate } from './rate.ts';

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
/** Of those so many are stored in one transaction, so that they come in again as room comes, whatever the quota is. */
const AT_ONCE = 100;

export interface Watch {
  /** Decides on one observation and stores what it decided. Throws only what is a bug or a corrupt outbox. */
  observe(input: Input): void;
  /** Stores events that were not decided from observations: boot, clip, gap. */
  record(drafts: readonly DraftEvent[]): void;
  /** Called after the commit, in order of acceptance. */
  onEvent(listener: (event: RoomEvent) => void): void;
  /**
   * Decides by another layout from now on, as after a restart: open episodes go on, those of seats that are no more
   * end. Observations made for the old layout must not come in any more.
   */
  relay(layout: RoomLayout): void;
  /** Decides by another rule pack from now on; open episodes go on, those of a rule that is switched off end. */
  repack(pack: RulePack): void;
  view(): RoomView;
  health(): { readonly full: boolean; readonly held: number; readonly missed: number };
  /** Mean time of deciding on a frame of that camera over the last ten seconds. */
  decideMs(cameraId: string): number;
}

export interface WatchParts {
  readonly context: RoomContext;
  readonly outbox: Accepting;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Begins with the episodes that were open when the agent last stopped. */
export function createWatch({ context: given, outbox, clock, log }: WatchParts): Watch {
  let context = given;
  const listeners: ((event: RoomEvent) => void)[] = [];
  /** What was decided at once stays together: all of it is stored or nothing. */
  let held: (readonly DraftEvent[])[] = [];
  let missed = 0;
  const spent = new Map<string, Rate>();
  let machine = startRoom(context, clock.now(), outbox.openEpisodes());
  let view: RoomView = { seats: [], tracks: [], faults: [], nudged: [] };

  const heldEvents = () => held.reduce((sum, decision) => sum + decision.length, 0);

  function store(drafts: readonly DraftEvent[]): void {
    const waited = heldEvents();
    if (drafts.length > 0) held.push(drafts);
    while (held.length > 0) {
      const [now, later] = split(held);
      let events: RoomEvent[];
      try {
        events = outbox.accept(now.flat());
      } catch (error) {
        if (!(error instanceof Full)) throw error;
        if (waited === 0) log.error({ err: error }, 'outbox is full: decided events wait in memory');
        return;
      }
      held = later;
      // Beyond the catch: what a listener throws says nothing of the outbox, and must not store these events again.
      for (const event of events) for (const listener of listeners) listener(event);
    }
    if (waited > 0) log.warn({ events: waited }, 'outbox takes events again, those held in memory are stored');
  }

  const goingOn = () =>
    (held.length === 0 ? outbox.openEpisodes() : afterHeld(outbox.openEpisodes(), held)).flatMap((event) =>
      event.body.kind === 'episode' ? [{ ...event, body: event.body }] : [],
    );

  return {
    observe(input) {
      if (heldEvents() >= HELD_LIMIT) {
        missed += 1;
        store([]);
        return;
      }
      const beganMs = clock.monoMs();
      const next = step(machine, input, context);
      if (input.kind === 'frame') {
        const rate = spent.get(input.cameraId) ?? createRate(clock);
        spent.set(input.cameraId, rate);
        rate.add(clock.monoMs() - beganMs);
      }
      machine = next.machine;
      view = next.view;
      if (next.drafts.length > 0 || input.kind === 'tick') store(next.drafts);
    },
    record: store,
    relay(layout) {
      const at = clock.now();
      const kept = new Set(layout.seats.map(({ seatId }) => seatId));
      const going = goingOn();
      const isOver = ({ body }: { body: EpisodeBody }) => body.seatIds.some((seatId) => !kept.has(seatId));
      const { session } = machine;
      // The session at the start of the agent may have been withdrawn since.
      const { session: _atStart, ...rest } = context;
      // Its own ids: the count of episodes begins anew.
      context = { ...rest, layout, runId: randomUUID(), ...(session ? { session } : {}) };
      machine = relayRoom(machine, context, at, {
        open: going.filter((event) => !isOver(event)),
        over: going.filter(isOver),
      });
      store(going.filter(isOver).map(({ body }) => ({ at, body: endedByLayout(body) })));
    },
    repack(pack) {
      const at = clock.now();
      const going = goingOn();
      const off = going.filter(({ body }) => isSwitchedOff(pack, body));
      context = { ...context, pack };
      machine = repackRoom(machine, context, at, going);
      store(off.map(({ body }) => ({ at, body: endedByPack(body, pack) })));
    },
    onEvent: (listener) => void listeners.push(listener),
    view: () => view,
    health: () => ({ full: held.length > 0, held: heldEvents(), missed }),
    decideMs: (cameraId) => spent.get(cameraId)?.mean() ?? 0,
  };
}

/** The open episodes as they are once what waits in memory is stored too. */
function afterHeld(open: readonly DraftEvent[], held: readonly (readonly DraftEvent[])[]): DraftEvent[] {
  const latest = new Map<string, DraftEvent>();
  for (const event of [...open, ...held.flat()])
    if (event.body.kind === 'episode') latest.set(event.body.episodeId, event);
  return [...latest.values()].filter(({ body }) => body.kind === 'episode' && body.phase !== 'end');
}

/** Nobody watches this seat any more: the last thing that was known stands. */
function endedByLayout(body: EpisodeBody): EpisodeBody {
  return {
    ...body,
    phase: 'end',
    from: body.to,
    to: 'UNKNOWN',
    sentence: {
      zh: `${body.sentence.zh}；席位已从布局中删除，事件到此为止`,
      en: `${body.sentence.en}; the seat was taken out of the layout, so this ends here`,
    },
  };
}

/** Nobody looks for this any more: the last thing that was known stands. */
function endedByPack(body: EpisodeBody, { name, version }: RulePack): EpisodeBody {
  return {
    ...body,
    phase: 'end',
    from: body.to,
    to: 'UNKNOWN',
    sentence: {
      zh: `${body.sentence.zh}；规则包 ${name} ${version} 不再检测此行为，事件到此为止`,
      en: `${body.sentence.en}; the rule pack ${name} ${version} does not look for this any more, so this ends here`,
    },
  };
}

/** The first decisions, at least one, that make no more than one transaction, and the rest. */
function split(held: readonly (readonly DraftEvent[])[]): [(readonly DraftEvent[])[], (readonly DraftEvent[])[]] {
  let count = 1;
  for (let events = held[0]!.length; count < held.length; count += 1) {
    events += held[count]!.length;
    if (events > AT_ONCE) break;
  }
  return [held.slice(0, count), held.slice(count)];
}
