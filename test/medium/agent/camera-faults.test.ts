/** The agent as a whole when its camera misbehaves, and what it talks to. More faults: test/long/camera-faults.test.ts. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OverviewView } from '../../../cloud/http/api.ts';
import type { EvaluationView } from '../../../cloud/http/sessions-api.ts';
import { demoFilm } from '../../../hardware/fake/demo-film.ts';
import { headBox } from '../../../protocol/heads.ts';
import type { Box } from '../../../protocol/seat.ts';
import {
  connectionsOf,
  type FaultRoom,
  goThrough,
  sitting,
  startFaultRoom,
  strangers,
  strangersAsked,
} from './fault-room.ts';

/** The demo's only one. */
const CAMERA = 'cam-a';
const [WIDTH, HEIGHT] = [640, 360];
let room: FaultRoom;

/** Grey values of a picture, or of the first one of a film file, made as large as the small still. */
function grey(picture: Buffer | string): Buffer {
  const isFile = typeof picture === 'string';
  const args = ['-v', 'error', '-i', isFile ? picture : 'pipe:0', '-frames:v', '1', '-vf', `scale=${WIDTH}:${HEIGHT}`];
  return execFileSync(
    'ffmpeg',
    [...args, '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
    isFile ? {} : { input: picture },
  );
}

/** Mean difference of a pixel to its right neighbour within a box: what a face is recognised by. */
function detail(pixels: Buffer, [x0, y0, x1, y1]: Box): number {
  let [sum, count] = [0, 0];
  for (let y = Math.ceil(y0 * HEIGHT); y < Math.floor(y1 * HEIGHT); y++)
    for (let x = Math.ceil(x0 * WIDTH); x < Math.floor(x1 * WIDTH) - 1; x++) {
      sum += Math.abs(pixels[y * WIDTH + x]! - pixels[y * WIDTH + x + 1]!);
      count += 1;
    }
  return sum / count;
}

describe('a room whose camera misbehaves', () => {
  beforeAll(async () => {
    room = await startFaultRoom({ keys: { blurHeads: true } });
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

  it('shows no head in the stills that it publishes, small or large, where the room asks for that', async () => {
    const { stand, desk } = room;
    const small = await room.until(
      'a still',
      () => desk.bytes(`/api/rooms/${stand.roomId}/snapshot/${CAMERA}`).catch(() => undefined),
      20_000,
    );
    const asked = await fetch(new URL(`/api/rooms/${stand.roomId}/picture/${CAMERA}`, stand.url), {
      method: 'POST',
      headers: { origin: new URL(stand.url).origin, cookie: desk.cookie },
    });
    expect(asked.status).toBe(200);
    const large = Buffer.from(await asked.arrayBuffer());
    const [film, aspect] = [demoFilm().sub, 16 / 9];
    for (const [jpeg, name] of [
      [small, 'small'],
      [large, 'large'],
    ] as const) {
      const [blurred, open] = [grey(jpeg), grey(film)];
      const heads = sitting().map((box) => headBox({ box }, aspect));
      for (const head of heads) expect(detail(blurred, head), name).toBeLessThan(0.5 * detail(open, head));
      // The rest of the room is as it was: blurring all of it would hide the heads too.
      expect(detail(blurred, [0, 0.75, 1, 1]), name).toBeGreaterThan(0.5 * detail(open, [0, 0.75, 1, 1]));
    }
  });

  it('has talked to its camera and its cloud and to nobody else, and listens to nobody', () => {
    const { peers, listening } = connectionsOf(room.stand.agent().pid);
    expect(peers.length).toBeGreaterThan(0);
    expect(strangers(room, peers)).toEqual([]);
    expect(listening).toEqual([]);
    // Not at this moment alone: whatever it has asked for since it began, however short.
    expect(room.asked().length).toBeGreaterThan(0);
    expect(strangersAsked(room)).toEqual([]);
  });
});
