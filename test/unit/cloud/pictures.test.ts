/** The question for a larger picture where nobody answers it, or where there is no broker. */
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { errorView } from '../../../cloud/http/errors.ts';
import { createRooms } from '../../../cloud/ingest/rooms.ts';
import { createPictures } from '../../../cloud/review/pictures.ts';
import type { LogEntry } from '../../../cloud/store/store.ts';
import { Full } from '../../../protocol/errors.ts';
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
  rooms.heardState('room-102', { ...stateOf(layoutOf(2, plainZone)), roomId: 'room-102' }, clock.wallMs());
  const fresh = (by = who, roomId = 'room-101') =>
    pictures.fresh(by, roomId, 'cam-a').catch((error: { code: string; waitMs?: number }) => error.waitMs ?? error.code);
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

describe('somebody who asks again and again', () => {
  it('is told how long to wait, and nobody else; no box is asked for it, and it is no view', async () => {
    const { clock, log, asked, pictures, fresh } = world(false);
    for (let n = 0; n < 12; n++) {
      expect(await fresh()).toBe('picture_silent');
      await clock.advance(1000);
    }
    expect(log).toHaveLength(12);
    expect(await fresh()).toBe(48_000);
    expect([log.length, asked.length]).toEqual([12, 0]);
    const other = { ...who, user: { ...who.user, userId: 'v' } };
    expect(await fresh(other)).toBe('picture_silent');
    expect(await fresh(who, 'room-102')).toBe('picture_silent');
    await clock.advance(47_900);
    expect(await fresh()).toBe(100);
    await clock.advance(100);
    expect(await fresh()).toBe('picture_silent');
    expect(pictures.counts()).toEqual({ given: 0, failed: 15, tooOften: 2 });
  });

  it('hears it from the page in words', () => {
    const { status, view } = errorView(new Full('picture_often', 'asking', undefined, 47_100));
    expect([status, view.code, view.waitMs]).toEqual([429, 'picture_often', 47_100]);
    expect(view.message.zh).toContain('请等待 48 秒');
    expect(view.message.en).toContain('wait 48 s');
  });
});
