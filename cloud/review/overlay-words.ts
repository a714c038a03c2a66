/** Beside retention.ts: takes the captions of spoken words out of clips' overlays; picture, sound, boxes and seats stay as they are. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Overlay } from '../../protocol/clip.ts';
import type { WordsRemoved } from '../../protocol/event.ts';
import type { Store } from '../store/store.ts';
import type { OverlayFile } from '../store/words.ts';
import type { ClipFiles } from './clip-files.ts';

const PAGE = 100;
const DAY_MS = 86_400_000;
/** An overlay of a minute with thirty pictures a second has a tenth of this; a larger one is no overlay of ours. */
const BYTES_MAX = 32 * 1024 * 1024;

export interface OverlayWords {
  /**
   * Looks into overlays of before the instant, at most a day's worth from the oldest one that can be read on. What failed is tried
   * again in the next round, and holds up no other: one damaged file would keep the captions of all later ones for ever.
   */
  look(beforeWallMs: number, removed: WordsRemoved): Promise<{ readonly emptied: number; readonly faults: unknown[] }>;
}

export function createOverlayWords({
  store,
  files,
  folder,
}: {
  readonly store: Pick<Store, 'overlays' | 'overlayEmptied' | 'overlayLooked'>;
  readonly files: Pick<ClipFiles, 'verify' | 'read' | 'keep' | 'remove'>;
  /** For a file that is being written: on the same file system as the clips. */
  readonly folder: string;
}): OverlayWords {
  /** The old file goes after the new one is in its place, and before it is said to be done: a kill costs a second look only. */
  const lookInto = async (overlay: OverlayFile, removed: WordsRemoved): Promise<boolean> => {
    await files.verify(overlay.sha256);
    const emptied = withoutCaptions(await contentOf(overlay), overlay.clipId, removed);
    let sha256 = overlay.sha256;
    if (emptied) {
      const bytes = Buffer.from(JSON.stringify(emptied));
      sha256 = createHash('sha256').update(bytes).digest('hex');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, `overlay-${randomUUID()}`);
      try {
        await writeFile(path, bytes, { mode: 0o600 });
        await files.keep(path, sha256);
      } finally {
        await rm(path, { force: true });
      }
      await store.overlayEmptied(overlay, { sha256, bytes: bytes.length });
    }
    for (const old of new Set([overlay.sha256, overlay.announcedSha256]))
      if (old !== undefined && old !== sha256) await files.remove(old);
    await store.overlayLooked(overlay.clipId, removed.wallMs);
    return emptied !== undefined;
  };

  const contentOf = async ({ sha256, bytes }: OverlayFile): Promise<unknown> => {
    if (bytes > BYTES_MAX) return undefined;
    const text = await buffer(files.read(sha256, { start: 0, end: Math.max(0, bytes - 1) }));
    try {
      return JSON.parse(text.toString('utf8'));
    } catch {
      return undefined;
    }
  };

  return {
    async look(beforeWallMs, removed) {
      let [until, after]: [number | undefined, OverlayFile | undefined] = [undefined, undefined];
      let emptied = 0;
      const faults: unknown[] = [];
      for (;;) {
        const page: readonly OverlayFile[] = await store.overlays({
          beforeWallMs,
          limit: PAGE,
          ...(after ? { after } : {}),
        });
        for (const overlay of page)
          try {
            if (until !== undefined && overlay.storedWallMs >= until) break;
            if (await lookInto(overlay, removed)) emptied++;
            until ??= overlay.storedWallMs + DAY_MS;
          } catch (error) {
            faults.push(error);
          }
        after = page.at(-1);
        if (!after || page.length < PAGE || (until !== undefined && after.storedWallMs >= until))
          return { emptied, faults };
      }
    },
  };
}

/** Undefined where no words stand in it. What cannot be read as an overlay becomes one in which nothing is drawn. */
export function withoutCaptions(content: unknown, clipId: string, wordsRemoved: WordsRemoved): Overlay | undefined {
  const found = (typeof content === 'object' && content !== null ? content : {}) as Partial<Overlay>;
  const list = <T>(part: readonly T[] | undefined): readonly T[] => (Array.isArray(part) ? part : []);
  if (found.version === 1 && Array.isArray(found.words) && found.words.length === 0) return undefined;
  return {
    version: 1,
    clipId,
    cameraId: typeof found.cameraId === 'string' ? found.cameraId : '',
    seats: list(found.seats),
    frames: list(found.frames),
    words: [],
    wordsRemoved,
  };
}
