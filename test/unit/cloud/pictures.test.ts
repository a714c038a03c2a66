/** The question for a larger picture where nobody answers it, or where there is no broker. */
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { createRooms } from '../../../cloud/ingest/rooms.ts';
import { createPictures } from '../../../cloud/review/pictures.ts';
import type { LogEntry } from '../../../cloud/store/store.ts';
import { layoutOf, plainZone, stateOf } from '../../e2e/web-world.ts';

const who = { sessionId: 's', user: { userId: 'u', name: '王', role: 'supervisor' as const } };

function world(connected = true) {
  const clock = virtualClock();
  const rooms = createRooms();
  rooms.heardState('room-101', stateOf(layoutOf(1, plainZone)), clock.wallMs());
  const log: LogEntry[] = [];
  const asked: string[] = [];
  const pictures = createPictures({
    rooms,
    store: { appendLog: async (entry) => void log.push(entry) },
    ingest: {
      askPicture: (_roomId, { askId }) => {
        if (connected) asked.push(askId);
        return connected;
      },
    },
    clock,
  });
  const fresh = () => pictures.fresh(who, 'room-101', 'cam-a').catch((error: { code: string }) => error.code);
  return { clock, rooms, log, asked, pictures, fresh };
}

describe('a picture that nobody gives', () => {
  it('is given up after twelve seconds, logged all the same, and may be asked for again', async () => {
    const { clock, rooms, log, asked, fresh } = world();
    const first = fresh();
    await clock.advance(11_000);
    expect(asked).toHaveLength(1);
    await clock.advance(1500);
    expect(await first).toBe('picture_silent');
    const second = fresh();
    await clock.advance(10);
    // What comes too late is for nobody.
    const jpeg = Uint8Array.from([0xff, 0xd8, 0xff]);
    rooms.heardPicture('room-101', 'cam-a', { askId: asked[0]!, ageMs: 0, jpeg }, clock.wallMs());
    rooms.heardPicture('room-101', 'cam-a', { askId: asked[1]!, ageMs: 400, jpeg }, clock.wallMs());
    expect(await second).toEqual({ jpeg, wallMs: clock.wallMs() - 400 });
    expect(log.map(({ action, object }) => `${action} ${object}`)).toEqual([
      'view_picture room-101 cam-a',
      'view_picture room-101 cam-a',
    ]);
  });

  it('is refused at once without a broker, and at the end of the cloud', async () => {
    expect(await world(false).fresh()).toBe('picture_silent');
    const { clock, pictures, fresh } = world();
    const waiting = fresh();
    await clock.advance(10);
    await pictures.close();
    expect(await waiting).toBe('picture_silent');
  });
});
