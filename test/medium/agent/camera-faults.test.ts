/** The agent as a whole when its camera misbehaves, and what it talks to. More faults: test/long/camera-faults.test.ts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OverviewView } from '../../../cloud/http/api.ts';
import type { EvaluationView } from '../../../cloud/http/sessions-api.ts';
import { connectionsOf, type FaultRoom, goThrough, startFaultRoom } from './fault-room.ts';

let room: FaultRoom;

describe('a room whose camera misbehaves', () => {
  beforeAll(async () => {
    room = await startFaultRoom();
  });
  afterAll(() => room?.close());

  it('shows a frozen picture as a fault and nobody as there or away, and is back soon', async () => {
    await goThrough(room, 'freeze', { seenMs: 25_000, backMs: 25_000 });
  });

  it('follows an evaluation that the desk begins, and its own file again once that has ended', async () => {
    const roster = [{ seatId: '1', expertId: 'E-1' }];
    const request = { title: '采购', roster, bidders: [['甲公司']] };
    const state = async () => (await room.desk.get<OverviewView>('/api/overview')).rooms[0]?.state;
    const follows = (revision: number) =>
      room.until(
        'the box follows',
        async () => {
          const heard = await state();
          return (heard?.orders?.revision ?? 0) >= revision ? heard : undefined;
        },
        30_000,
      );
    const begun = await room.desk.post<EvaluationView>('/api/rooms/room-demo/session', request);
    const during = await follows(begun.revision);
    expect(during.layout.roster).toEqual(roster);
    expect(during.orders?.refused).toEqual([]);
    const ended = await room.desk.post<EvaluationView>(`/api/sessions/${begun.sessionId}/end`, {});
    const after = await follows(ended.revision);
    expect([after.orders?.refused, after.layout.roster.length > 1]).toEqual([[], true]);
  });

  it('has talked to its camera and its cloud and to nobody else, and listens to nobody', () => {
    const { camera, cloud } = room.stand;
    const { port } = new URL(room.stand.url);
    const allowed = new Set([
      new URL(String(camera.ready.main)).port,
      String(camera.ready.onvif).split(':')[1],
      new URL(String(cloud.ready.mqttUrl)).port,
      port,
    ]);
    const { peers, listening } = connectionsOf(room.stand.agent().pid);
    expect(peers.length).toBeGreaterThan(0);
    for (const peer of peers) {
      expect(peer).toMatch(/^127\.0\.0\.1:/);
      expect([...allowed]).toContain(peer.split(':')[1]);
    }
    expect(listening).toEqual([]);
    // Not at this moment alone: whatever it has asked for since it began, however short.
    const asked = room.asked();
    expect(asked).toEqual(expect.arrayContaining([`connect 127.0.0.1:${port}`]));
    for (const one of asked) expect([...allowed].map((known) => `connect 127.0.0.1:${known}`)).toContain(one);
  });
});
