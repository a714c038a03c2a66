/** A larger, fresh picture of a camera for whoever sets a room up: asked of the box when somebody wants it, logged as a view, kept nowhere. */
import { randomUUID } from 'node:crypto';
import { Full, InvalidInput, Unavailable } from '../../protocol/errors.ts';
import { PICTURE_WAIT_MS, type PictureRefusal } from '../../protocol/picture.ts';
import type { Clock } from '../../protocol/time.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { HeardPicture, Rooms } from '../ingest/rooms.ts';
import type { Store } from '../store/store.ts';
import { requireSupervisor, type Viewer } from './access.ts';
import { createOften } from './often.ts';

export interface Picture {
  readonly jpeg: Uint8Array;
  /** When the camera showed it, by the cloud's clock. */
  readonly wallMs: number;
}

export interface Pictures {
  /**
   * Writes the entry in the log, then asks the box. Those who want the same camera meanwhile share one question. Throws InvalidInput
   * `not_found` for a camera that the room does not have; Unavailable `picture_silent` where nothing came in time,
   * `picture_not_recorded`, `picture_failed` where the box says so, `picture_busy` where too many wait; Full `picture_often` where the same person has asked the
   * room too often, which asks no box and is no view.
   */
  fresh(who: Viewer | undefined, roomId: string, cameraId: string): Promise<Picture>;
  counts(): PictureCounts;
  close(): Promise<void>;
}

/** Since the start, each question of each person: the picture came, it did not, or it was one too many. */
export interface PictureCounts {
  readonly given: number;
  readonly failed: number;
  readonly tooOften: number;
}

const WAITING_MAX = 100;
/** Of one person to one room: each picture is decoded from a recording by a box that has people to watch. */
const OFTEN = { max: 12, windowMs: 60_000 } as const;

interface Question {
  readonly askId: string;
  readonly roomId: string;
  readonly cameraId: string;
  readonly answered: PromiseWithResolvers<HeardPicture>;
}

export function createPictures(parts: {
  readonly store: Pick<Store, 'appendLog'>;
  readonly rooms: Pick<Rooms, 'state' | 'onPicture'>;
  readonly ingest: Pick<Ingest, 'askPicture'>;
  readonly clock: Clock;
}): Pictures {
  const { store, rooms, ingest, clock } = parts;
  const closing = new AbortController();
  const often = createOften({ ...OFTEN, clock });
  const counts = { given: 0, failed: 0, tooOften: 0 };
  /** By room and camera. */
  const asked = new Map<string, { readonly question: Question; readonly picture: Promise<Picture> }>();
  const stop = rooms.onPicture((heard) => {
    const question = asked.get(`${heard.roomId} ${heard.cameraId}`)?.question;
    // The room is the topic's: no box answers for another one, and none that was not asked.
    if (question?.askId === heard.answer.askId) question.answered.resolve(heard);
  });

  const ask = async (question: Question): Promise<Picture> => {
    const { askId, roomId, cameraId, answered } = question;
    const doing = `asking for a picture of ${cameraId} in ${roomId}`;
    if (!ingest.askPicture(roomId, { askId, cameraId }))
      throw new Unavailable('picture_silent', `${doing}: there is no line to the broker`);
    const over = new AbortController();
    const late = clock.sleep(PICTURE_WAIT_MS, AbortSignal.any([over.signal, closing.signal])).then(() => undefined);
    const heard = await Promise.race([answered.promise, late]);
    over.abort();
    if (!heard)
      throw new Unavailable('picture_silent', `${doing}: the box did not answer within ${PICTURE_WAIT_MS / 1000} s`);
    const { answer, wallMs } = heard;
    if (answer.jpeg) return { jpeg: answer.jpeg, wallMs: wallMs - answer.ageMs };
    throw refusal(answer.refused ?? 'failed', doing);
  };

  return {
    async fresh(who, roomId, cameraId) {
      const { user } = requireSupervisor(who);
      if (!rooms.state(roomId)?.health.cameras.some((camera) => camera.cameraId === cameraId))
        throw new InvalidInput(
          'not_found',
          `asking for a picture of ${cameraId} in ${roomId}: no such camera was heard`,
        );
      const object = `${roomId} ${cameraId}`;
      const going = asked.get(object);
      if (!going && asked.size >= WAITING_MAX)
        throw new Unavailable(
          'picture_busy',
          `asking for a picture of ${cameraId} in ${roomId}: too many are asked for`,
        );
      const waitMs = often.take(`${user.userId} ${roomId}`);
      if (waitMs > 0) {
        counts.tooOften++;
        throw new Full(
          'picture_often',
          `asking for a picture of ${cameraId} in ${roomId}: ${user.name} has had ${OFTEN.max} of this room within ${OFTEN.windowMs / 1000} s; wait ${Math.ceil(waitMs / 1000)} s`,
          undefined,
          waitMs,
        );
      }
      const picture =
        going?.picture ??
        begin({ askId: randomUUID(), roomId, cameraId, answered: Promise.withResolvers<HeardPicture>() }, user.name);
      // Whoever joins has seen it too.
      if (going) await logged(user.name, object);
      try {
        const given = await picture;
        counts.given++;
        return given;
      } catch (error) {
        counts.failed++;
        throw error;
      }
    },
    counts: () => ({ ...counts }),
    async close() {
      closing.abort();
      stop();
      await Promise.allSettled([...asked.values()].map(({ picture }) => picture));
    },
  };

  function begin(question: Question, name: string): Promise<Picture> {
    const key = `${question.roomId} ${question.cameraId}`;
    const picture = logged(name, key)
      .then(() => ask(question))
      .finally(() => asked.delete(key));
    // Heard of by whoever awaits it; while the log entry of another one is written that may be nobody.
    picture.catch(() => undefined);
    asked.set(key, { question, picture });
    return picture;
  }
  function logged(actor: string, object: string): Promise<void> {
    return store.appendLog({ wallMs: clock.wallMs(), actor, action: 'view_picture', object });
  }
}

function refusal(why: PictureRefusal, doing: string): InvalidInput | Unavailable {
  if (why === 'no_camera') return new InvalidInput('not_found', `${doing}: the box has no such camera`);
  if (why === 'not_recorded')
    return new Unavailable('picture_not_recorded', `${doing}: the box has recorded nothing of it in the last minute`);
  return new Unavailable('picture_failed', `${doing}: the box could not make one; its log says why`);
}
