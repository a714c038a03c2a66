/** Answers the desk's wish for a larger picture of a camera: out of the recorder's ring, with heads hidden where the room asks for it. */
import type { Logger } from 'pino';
import {
  PICTURE_BYTES,
  PICTURE_SIDE,
  PICTURE_WAIT_MS,
  type PictureAnswer,
  type PictureAsk,
} from '../protocol/picture.ts';
import type { Box } from '../protocol/seat.ts';
import type { Clock, MonoMs } from '../protocol/time.ts';
import type { RingSegment } from './record/ring.ts';
import { grabStill } from './record/still.ts';

export interface Pictures {
  /** One picture is made at a time, and given to all who wait for this camera. Asks beyond the bounds are dropped: the desk says that nothing came. */
  ask(ask: PictureAsk): void;
  /** Ends what is being made. */
  close(): Promise<void>;
}

export interface PicturesParts {
  readonly cameraIds: readonly string[];
  readonly newest: (cameraId: string) => RingSegment | undefined;
  /** Absent where pictures leave the box as they are. Undefined of it: nobody knows where heads were, and all is hidden. */
  readonly headsAt?: (cameraId: string, monoMs: MonoMs) => readonly Box[] | undefined;
  readonly answer: (cameraId: string, answer: PictureAnswer) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What was recorded longer ago is no picture of the room of now. */
const OLDEST_MS = 60_000;
/** Between two pictures: the box has other work. */
const REST_MS = 1000;
/** Cameras that may wait, and desks for the same one. */
const WAITING_MAX = 16;
const ASKERS_MAX = 4;
const WHOLE: readonly Box[] = [[0, 0, 1, 1]];

export function createPictures({ cameraIds, newest, headsAt, answer, clock, log }: PicturesParts): Pictures {
  const ending = new AbortController();
  /** Who waits and since when, by camera, oldest first. */
  const waiting = new Map<string, readonly { readonly askId: string; readonly sinceMonoMs: MonoMs }[]>();
  let working: Promise<void> | undefined;

  const make = async (cameraId: string): Promise<Omit<PictureAnswer, 'askId'>> => {
    if (!cameraIds.includes(cameraId)) return { ageMs: 0, refused: 'no_camera' };
    const segment = newest(cameraId);
    const nowWallMs = clock.wallMs();
    // Nor of a time to come: the clock was set back since, and nobody knows how old it is.
    if (!segment || Math.abs(nowWallMs - segment.endWallMs) > OLDEST_MS) return { ageMs: 0, refused: 'not_recorded' };
    try {
      const { jpeg, shownWallMs } = await grabStill({
        segment,
        side: PICTURE_SIDE,
        bytes: PICTURE_BYTES,
        ...(headsAt
          ? { hidden: (atWallMs) => headsAt(cameraId, clock.monoMs() - (clock.wallMs() - atWallMs)) ?? WHOLE }
          : {}),
        signal: ending.signal,
      });
      return { ageMs: Math.max(0, Math.round(clock.wallMs() - shownWallMs)), jpeg };
    } catch (error) {
      if (!ending.signal.aborted) log.warn({ err: error, cameraId }, 'no larger picture could be made');
      return { ageMs: 0, refused: 'failed' };
    }
  };
  const work = async () => {
    for (;;) {
      const [cameraId] = waiting.keys();
      if (cameraId === undefined || ending.signal.aborted) break;
      // The newest is the last one: where even that has been given up, nobody looks at what would be made.
      const asked = waiting.get(cameraId)?.at(-1);
      if (!asked || clock.monoMs() - asked.sinceMonoMs > PICTURE_WAIT_MS) {
        waiting.delete(cameraId);
        continue;
      }
      const made = await make(cameraId);
      // Also those who have asked while it was made.
      const asks = waiting.get(cameraId) ?? [];
      waiting.delete(cameraId);
      if (ending.signal.aborted) break;
      for (const { askId } of asks) answer(cameraId, { askId, ...made });
      await clock.sleep(REST_MS, ending.signal);
    }
    // Not behind a promise: an ask between its end and then would wait for ever.
    working = undefined;
  };
  return {
    ask({ cameraId, askId }) {
      const asks = waiting.get(cameraId) ?? [];
      if (ending.signal.aborted || asks.length >= ASKERS_MAX || waiting.size >= WAITING_MAX) return;
      waiting.set(cameraId, [...asks, { askId, sinceMonoMs: clock.monoMs() }]);
      working ??= work();
    },
    async close() {
      ending.abort();
      await working;
    },
  };
}
