/** Beside the ring: the last two minutes of what the models saw and the ear heard, to be drawn over a clip. */
import type { Overlay, OverlayFrame } from '../../protocol/clip.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import type { Clock, MonoMs, WallMs } from '../../protocol/time.ts';

/** One analysed frame without its place in a clip. */
export type OverlayShot = Omit<OverlayFrame, 'tMs'>;

export interface OverlayRing {
  frame(cameraId: string, wallMs: WallMs, shot: OverlayShot): void;
  word(wallMs: WallMs, text: string, hit: boolean): void;
  /** Content of overlay.json; `placeMs` gives the time in the clip of a wall time, undefined outside it. */
  overlay(clip: {
    readonly clipId: string;
    readonly cameraId: string;
    readonly placeMs: (wallMs: WallMs) => number | undefined;
  }): Overlay;
}

const KEPT_MS = 120_000;
/** Bounds besides time, oldest dropped: 30 frames per second for two minutes; a word each 100 ms. */
const MAX_FRAMES = 3600;
const MAX_WORDS = 1200;

interface Kept<T> {
  readonly wallMs: WallMs;
  readonly monoMs: MonoMs;
  readonly what: T;
}

/** Rings of `layout`'s cameras; the layout is read when a clip is cut. Age is counted on the monotonic clock. */
export function createOverlayRing({
  layout,
  clock,
}: {
  readonly layout: () => RoomLayout;
  readonly clock: Clock;
}): OverlayRing {
  const frames = new Map<string, Kept<OverlayShot>[]>();
  const words: Kept<{ text: string; hit: boolean }>[] = [];

  const keep = <T>(list: Kept<T>[], wallMs: WallMs, what: T, most: number): void => {
    const monoMs = clock.monoMs();
    list.push({ wallMs, monoMs, what });
    while (list.length > most || (list[0] && list[0].monoMs < monoMs - KEPT_MS)) list.shift();
  };

  return {
    frame(cameraId, wallMs, shot) {
      const list = frames.get(cameraId) ?? [];
      frames.set(cameraId, list);
      keep(list, wallMs, shot, MAX_FRAMES);
    },
    word: (wallMs, text, hit) => keep(words, wallMs, { text, hit }, MAX_WORDS),
    overlay: ({ clipId, cameraId, placeMs }) => ({
      version: 1,
      clipId,
      cameraId,
      seats: layout().seats.flatMap(({ seatId, name, views }) =>
        views.filter((view) => view.cameraId === cameraId).map(({ zone }) => ({ seatId, name, zone })),
      ),
      frames: (frames.get(cameraId) ?? []).flatMap(({ wallMs, what }) => {
        const tMs = placeMs(wallMs);
        return tMs === undefined ? [] : [{ tMs, ...what }];
      }),
      words: words.flatMap(({ wallMs, what }) => {
        const tMs = placeMs(wallMs);
        return tMs === undefined ? [] : [{ tMs, ...what }];
      }),
    }),
  };
}
