/** Inside the storm: the queue in a real browser, never loaded anew, and what stands on it. */
import { openQueue } from '../bench/page.ts';

export interface StormPage {
  readonly userName: string;
  /** By episode: how many rows it has, and the newest event on them. */
  rows(): Promise<ReadonlyMap<string, { readonly rows: number; readonly eventId: string }>>;
  close(): Promise<void>;
}

const ROWS = `[...document.querySelectorAll('[data-episode-id]')].map((row) => [row.dataset.episodeId, row.dataset.eventId])`;

/** Makes the first supervisor and opens the queue. Throws Unavailable `chromium_missing`. */
export async function openPage(setupUrl: string, password: string): Promise<StormPage> {
  const queue = await openQueue(setupUrl, password);
  return {
    userName: 'bench',
    async rows() {
      const found = await queue.page.evaluate<[string, string][]>(ROWS);
      const rows = new Map<string, { rows: number; eventId: string }>();
      for (const [episodeId, eventId] of found) {
        const before = rows.get(episodeId);
        rows.set(episodeId, { rows: (before?.rows ?? 0) + 1, eventId });
      }
      return rows;
    },
    close: queue.close,
  };
}
