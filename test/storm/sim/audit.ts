/** Beside world.ts: what must hold whatever happens, and the reader of the feed who checks it after every step. */
import type { Outbox } from '../../../agent/store/outbox.ts';
import type { Position, Store } from '../../../cloud/store/store.ts';
import { ticketOf } from '../../../scripts/storm/tickets.ts';

/** Said when an invariant does not hold: the simulation ends there. */
export class Broken extends Error {}

/** A room as far as it is audited. */
interface Holder {
  readonly outbox: Outbox;
}

/** All events that an outbox still has. */
export const heldBy = ({ outbox }: Holder) =>
  outbox.streams().flatMap(({ streamId }) => outbox.events(streamId, 0, Number.MAX_SAFE_INTEGER));

export class Audit {
  /** Tickets that `accept` has returned, by room. */
  readonly accepted = new Map<string, Holder>();
  /** Tickets that every reader of the feed can see, and how often. */
  readonly visible = new Map<string, number>();
  /** Streams that the ingest or a room gave up. */
  quarantines = 0;
  private readonly reached = new Map<string, number>();
  private readonly store: Pick<Store, 'since'>;
  private position: Position;

  constructor(store: Pick<Store, 'since'>, position: Position) {
    this.store = store;
    this.position = position;
  }

  check(holds: boolean, what: string): void {
    if (!holds) throw new Broken(what);
  }

  /** Reads what has become visible: rising seqs without a hole but for what was refused, and no ticket twice. */
  async read(): Promise<void> {
    for (let more = true; more; ) {
      const page = await this.store.since(this.position);
      for (const item of page.items) {
        if (item.kind !== 'event') continue;
        const { event } = item;
        const ticket = ticketOf(event);
        const before = this.reached.get(event.streamId) ?? 0;
        // What a stream that was given up had stored is refused in the next one, and its seq is passed over.
        const follows = this.quarantines === 0 ? event.seq === before + 1 : event.seq > before;
        this.check(follows, `a stream went from seq ${before} to ${event.seq}`);
        this.reached.set(event.streamId, event.seq);
        this.visible.set(ticket, (this.visible.get(ticket) ?? 0) + 1);
        this.check(this.visible.get(ticket) === 1, 'stored twice');
      }
      this.position = page.position;
      more = page.more;
    }
  }

  /** Every accepted event is in its outbox or visible: the first invariant of docs/durability.md. */
  nothingLost(rooms: readonly Holder[]): void {
    const held = new Map(rooms.map((room) => [room, new Set(heldBy(room).map(ticketOf))]));
    for (const [ticket, room] of this.accepted)
      this.check(this.visible.has(ticket) || held.get(room)!.has(ticket), 'an accepted event is nowhere');
  }
}
