/** A larger picture from the desk to the box and back through a real broker: who may, what is logged, whose answer counts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LogView, PICTURE_AGE } from '../../../cloud/http/api.ts';
import type { PersonLinkView } from '../../../cloud/http/people-api.ts';
import { answerBytes, type PictureAsk, readAsk } from '../../../protocol/picture.ts';
import { topics } from '../../../protocol/stream.ts';
import { layoutOf, plainZone, stateOf } from '../../e2e/web-world.ts';
import { Box, Browser, eventually, startTestCloud, type TestCloud } from './cloud.ts';

const JPEG = Uint8Array.from([0xff, 0xd8, 0xff, 1, 2, 3]);
const ROOM = 'room-101';
let page: string;
let test: TestCloud;
let supervisor: Browser;
let viewer: Browser;
let box: Box;
let other: Box;
/** What boxes were asked, and what the one of the room does about it. */
const asks: { readonly topic: string; readonly ask: PictureAsk }[] = [];
let react: (ask: PictureAsk) => void = () => {};

const enter = async (deviceId: string, roomId: string) => {
  const entered = await Box.enter(test.cloud(), deviceId, roomId, await test.cloud().addDevice({ deviceId, roomId }));
  entered.client.on('message', (topic, payload) => {
    const ask = readAsk(payload);
    if (!ask) return;
    asks.push({ topic, ask });
    if (roomId === ROOM) react(ask);
  });
  return entered;
};
const wanted = (who: Browser, camera = 'cam-a') => who.send('POST', `/api/rooms/${ROOM}/picture/${camera}`);
const answer = (from: Box, camera: string, ask: PictureAsk, rest: object) =>
  void from.client.publish(topics.snapshot(from.roomId, camera), answerBytes({ askId: ask.askId, ageMs: 0, ...rest }));
const viewed = async () => {
  const { entries } = await supervisor.json<LogView>('GET', '/api/log');
  return entries.filter(({ action }) => action === 'view_picture').map(({ actor, object }) => `${actor}: ${object}`);
};

beforeAll(async () => {
  page = mkdtempSync(join(tmpdir(), 'evalroom-no-page-'));
  test = await startTestCloud('sqlite', page);
  [supervisor, viewer] = [new Browser(test.cloud().url), new Browser(test.cloud().url)];
  await supervisor.setUp(test.cloud().setupUrl!);
  const { token } = await supervisor.json<PersonLinkView>('POST', '/api/people', { name: '李', role: 'viewer' });
  await viewer.json('POST', '/api/invitation/accept', { token, password: 'own password' });
  [box, other] = [await enter('box-1', ROOM), await enter('box-2', 'room-102')];
  const state = stateOf(layoutOf(1, plainZone));
  box.client.publish(topics.state(ROOM), JSON.stringify(state));
});
afterAll(async () => {
  box?.leave();
  other?.leave();
  await test?.stop();
  rmSync(page, { recursive: true });
});

describe('a larger picture', () => {
  it('comes from the box with the time at which it was shown, and is logged as a view before', async () => {
    await eventually(async () => {
      const { rooms } = await supervisor.json<{ rooms: { state?: object }[] }>('GET', '/api/overview');
      return rooms.some((room) => room.state);
    }).toBe(true);
    react = (ask) => answer(box, ask.cameraId, ask, { ageMs: 2500, jpeg: JPEG });
    const before = Date.now();
    const response = await wanted(supervisor);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([...JPEG]);
    const shown = Number(response.headers.get(PICTURE_AGE));
    expect(shown).toBeGreaterThan(before - 3000);
    expect(shown).toBeLessThanOrEqual(Date.now() - 2500);
    expect(asks.map(({ topic }) => topic)).toEqual([topics.ack(ROOM)]);
    expect(await viewed()).toEqual([`王监督: ${ROOM} cam-a`]);
    // It is nobody's snapshot afterwards: it was for whoever asked.
    expect((await supervisor.send('GET', `/api/rooms/${ROOM}/snapshot/cam-a`)).status).toBe(404);
  });

  it('is for those who may set a room up: a viewer is refused, no box is asked, nothing is logged', async () => {
    const count = asks.length;
    expect((await wanted(viewer)).status).toBe(403);
    expect((await wanted(new Browser(test.cloud().url))).status).toBe(401);
    expect((await wanted(supervisor, 'cam-x')).status).toBe(404);
    expect((await supervisor.send('POST', '/api/rooms/room-9/picture/cam-a')).status).toBe(404);
    expect(asks).toHaveLength(count);
    expect(await viewed()).toHaveLength(1);
  });

  it('is taken from no other room, under no other question, and from no other camera', async () => {
    const ours = Uint8Array.from([...JPEG, 9]);
    react = (ask) => {
      answer(other, ask.cameraId, ask, { jpeg: JPEG });
      answer(box, 'cam-b', ask, { jpeg: JPEG });
      answer(box, ask.cameraId, { ...ask, askId: 'old' }, { jpeg: JPEG });
      box.client.publish(topics.snapshot(ROOM, ask.cameraId), `{"askId":"${ask.askId}","ageMs":0}\n<svg>`);
      setTimeout(() => answer(box, ask.cameraId, ask, { jpeg: ours }), 300);
    };
    const response = await wanted(supervisor);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([...ours]);
  });

  it('is asked for once where two want it at the same time, and both have seen it', async () => {
    react = (ask) => setTimeout(() => answer(box, ask.cameraId, ask, { jpeg: JPEG }), 300);
    const [count, seen] = [asks.length, (await viewed()).length];
    const both = await Promise.all([wanted(supervisor), wanted(supervisor)]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(asks).toHaveLength(count + 1);
    expect(await viewed()).toHaveLength(seen + 2);
  });

  it('is refused in words where the box has none', async () => {
    react = (ask) => answer(box, ask.cameraId, ask, { refused: 'not_recorded' });
    const response = await wanted(supervisor);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      code: 'picture_not_recorded',
      message: { zh: expect.stringContaining('没有录到') },
    });
  });
});
