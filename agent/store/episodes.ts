/** Beside the outbox, in the same file: which episodes are open. The events themselves say it; a table says it for those that have left. */
import type { Database } from 'better-sqlite3';
import type { DraftEvent } from '../../protocol/event.ts';
import { isIntact } from './schema.ts';

/** Open episodes as of the last accepted event. `save` runs inside the outbox's own transactions. */
export interface OpenEpisodes {
  /** Order of acceptance of the newest event that this file has ever held, as far as it is known. */
  readonly newest: number;
  /** An event has been committed as number `taken`. */
  follow(draft: DraftEvent, taken: number): void;
  /**
   * Writes down what has changed since it was last written: in every transaction that deletes events, because after it
   * they are no longer there to be asked.
   */
  save(): void;
  /** That transaction is committed. */
  saved(): void;
  /** The newest event of every open episode, oldest episode first. */
  list(): DraftEvent[];
}

interface Open {
  /** Order of acceptance of its first event. */
  readonly began: number;
  readonly draft: DraftEvent;
}

/**
 * Reads the table, and over it the events that were accepted after it was written: an accept therefore writes its event
 * and nothing else. Keys say nothing of the order, since a quarantined stream's old events move behind newer ones.
 */
export function readOpenEpisodes(database: Database): OpenEpisodes {
  const write = database.prepare(
    'insert into episode (episode_id, began, json) values (?, ?, ?) on conflict (episode_id) do update set json = excluded.json',
  );
  const drop = database.prepare('delete from episode where episode_id = ?');
  const mark = database.prepare('update episode_mark set taken = ?');

  const open = new Map<string, Open>();
  const changed = new Set<string>();
  let newest = Number(database.prepare('select taken from episode_mark').pluck().get());
  const rows = database.prepare('select episode_id as id, began, json from episode order by began').all();
  for (const { id, began, json } of rows as { id: string; began: number; json: string }[])
    open.set(id, { began, draft: JSON.parse(json) as DraftEvent });

  const since = new Map<string, Open & { readonly last: number; readonly ended: boolean }>();
  const events = database
    .prepare('select taken, event_id as eventId, crc, json from event where taken > ?')
    .iterate(newest);
  for (const { taken, eventId, crc, json } of events as Iterable<{
    taken: number;
    eventId: string;
    crc: number;
    json: string;
  }>) {
    newest = Math.max(newest, taken);
    // A damaged one is set aside and reported when its turn to be sent comes; it says nothing here.
    if (!isIntact(eventId, json, crc)) continue;
    const draft = JSON.parse(json) as DraftEvent;
    const { body } = draft;
    if (body.kind !== 'episode') continue;
    const known = since.get(body.episodeId);
    const began = Math.min(taken, known?.began ?? taken);
    since.set(
      body.episodeId,
      known && known.last > taken ? { ...known, began } : { began, draft, last: taken, ended: body.phase === 'end' },
    );
  }
  for (const [id, { began, draft, ended }] of [...since].sort(([, a], [, b]) => a.began - b.began)) {
    if (ended) open.delete(id);
    else open.set(id, { began: open.get(id)?.began ?? began, draft });
    changed.add(id);
  }

  return {
    newest,
    follow(draft, taken) {
      newest = taken;
      const { body } = draft;
      if (body.kind !== 'episode') return;
      const { episodeId } = body;
      if (body.phase === 'end') open.delete(episodeId);
      else open.set(episodeId, { began: open.get(episodeId)?.began ?? taken, draft });
      changed.add(episodeId);
    },
    save() {
      if (changed.size === 0) return;
      for (const id of changed) {
        const episode = open.get(id);
        if (episode) write.run(id, episode.began, JSON.stringify({ at: episode.draft.at, body: episode.draft.body }));
        else drop.run(id);
      }
      mark.run(newest);
    },
    saved: () => changed.clear(),
    list: () => [...open.values()].map(({ draft }) => draft),
  };
}
