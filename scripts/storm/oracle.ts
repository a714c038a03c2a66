/** Inside the storm: what rooms said that they had accepted, against what is stored, against what was shown. */
import type { StoredEvent } from '../../cloud/http/api.ts';
import { openStore, type StoreConfig } from '../../cloud/store/open.ts';
import { ticketOf } from './tickets.ts';

/** What is stored, read after everything has ended, by the same reader that feeds the screens. */
export interface Stored {
  readonly events: readonly StoredEvent[];
  /** Rows of events in the store, those behind a hole included. */
  readonly rows: number;
  readonly rejected: number;
  readonly quarantined: number;
  /** Why rows were refused, each reason once: a storm has honest rooms, so each wants an explanation. */
  readonly refusals: readonly string[];
}

/** What happened, in numbers; the four in the middle must be 0. */
export interface Verdict {
  readonly accepted: number;
  readonly lost: number;
  readonly storedTwice: number;
  readonly shownTwice: number;
  readonly missingOnScreen: number;
  /** For a person: the first few of what is wrong. */
  readonly faults: readonly string[];
}

export async function readStored(config: StoreConfig): Promise<Stored> {
  const store = await openStore(config);
  try {
    const events: StoredEvent[] = [];
    let position = { pos: 0, seq: 0 };
    for (let more = true; more; ) {
      const page = await store.since(position);
      for (const item of page.items) if (item.kind === 'event') events.push(item.event);
      position = page.position;
      more = page.more;
    }
    const { events: rows, rejected, quarantined } = await store.counts();
    const kept = await store.rejections(1000);
    const refusals = [...new Set(kept.map(({ code, reason }) => `refused (${code}): ${reason}`))];
    return { events, rows, rejected, quarantined, refusals };
  } finally {
    await store.close();
  }
}

export interface Seen {
  /** Tickets of all events that a room has told of after its commit. */
  readonly accepted: ReadonlySet<string>;
  readonly stored: readonly StoredEvent[];
  /** Screens that were never loaded anew: how often each ticket was shown on each. */
  readonly steady: readonly ReadonlyMap<string, number>[];
  /** Screens that were: the episodes that stand on each at the end. */
  readonly reloaded: readonly ReadonlySet<string>[];
  /** Rows of a real page by episode: how many there are, and the newest event on them. */
  readonly page?: ReadonlyMap<string, { readonly rows: number; readonly eventId: string }>;
}

/** Compares. A ticket stands for one decision, so the same fact under two eventIds counts as stored twice. */
export function judge({ accepted, stored, steady, reloaded, page }: Seen): Verdict {
  const faults: string[] = [];
  const note = (text: string) => {
    if (faults.length < 20) faults.push(text);
  };
  const times = new Map<string, number>();
  const newest = new Map<string, string>();
  const reached = new Map<string, number>();
  for (const event of stored) {
    const ticket = ticketOf(event);
    times.set(ticket, (times.get(ticket) ?? 0) + 1);
    if (event.body.kind === 'episode') newest.set(event.body.episodeId, event.eventId);
    const before = reached.get(event.streamId) ?? 0;
    if (event.seq <= before) note(`stream ${event.streamId} shows seq ${event.seq} after ${before}`);
    reached.set(event.streamId, event.seq);
  }
  const lost = [...accepted].filter((ticket) => !times.has(ticket));
  const twice = [...times].filter(([, count]) => count > 1);
  for (const ticket of lost.slice(0, 5)) note(`accepted and not stored: ${ticket}`);
  for (const [ticket, count] of twice.slice(0, 5)) note(`stored ${count} times: ${ticket}`);
  let missing = 0;
  let repeated = 0;
  for (const [index, shown] of steady.entries()) {
    for (const ticket of times.keys())
      if (!shown.has(ticket)) {
        missing++;
        note(`stored and not on screen ${index + 1}: ${ticket}`);
      }
    for (const [ticket, count] of shown)
      if (count > 1) {
        repeated++;
        note(`on screen ${index + 1} ${count} times: ${ticket}`);
      }
  }
  for (const episodes of reloaded)
    for (const episodeId of newest.keys())
      if (!episodes.has(episodeId)) {
        missing++;
        note(`episode not on the screen that was loaded anew: ${episodeId}`);
      }
  if (page)
    for (const [episodeId, eventId] of newest) {
      const row = page.get(episodeId);
      if (row?.eventId !== eventId) {
        missing++;
        note(`the page shows ${row?.eventId ?? 'no row'} for episode ${episodeId}, the newest is ${eventId}`);
      }
      if (row && row.rows > 1) {
        repeated++;
        note(`the page has ${row.rows} rows for episode ${episodeId}`);
      }
    }
  return {
    accepted: accepted.size,
    lost: lost.length,
    storedTwice: twice.length,
    shownTwice: repeated,
    missingOnScreen: missing,
    faults,
  };
}
