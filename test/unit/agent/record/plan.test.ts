/** Which clips an event asks for: spans, causes, cameras. */
import { describe, expect, it } from 'vitest';
import { type ClipRequest, MAX_CLIP_MS, NOTHING_PLANNED, type PlanState, plan } from '../../../../agent/record/plan.ts';
import type { DraftEvent, EpisodeBody } from '../../../../protocol/event.ts';
import type { RoomLayout } from '../../../../protocol/room.ts';

const wall = 1_800_000_000_000;
const zone = [
  [0, 0],
  [1, 0],
  [1, 1],
] as const;
const layout: RoomLayout = {
  roomId: 'room-1',
  name: '',
  centre: '',
  timeZone: 'Asia/Shanghai',
  seats: [
    { seatId: '1', name: '1', views: [{ cameraId: 'cam-a', zone }] },
    { seatId: '2', name: '2', views: [{ cameraId: 'cam-b', zone }] },
    { seatId: '3', name: '3', views: [{ cameraId: 'cam-b', zone }] },
  ],
  zones: [],
  doorLines: [],
  floor: [],
  roster: [],
};
const event = (body: Partial<EpisodeBody>, atWallMs = wall): DraftEvent => ({
  at: { wallMs: atWallMs, monoMs: 50_000, bootId: 'b', clock: 'sure' },
  body: {
    kind: 'episode',
    episodeId: 'ep-1',
    phase: 'begin',
    behaviour: 'left_seat',
    level: 'notice',
    seatIds: ['1'],
    beganWallMs: atWallMs - 10_000,
    from: '',
    to: '',
    durationMs: 0,
    rule: { pack: '', packVersion: '', ruleId: '', citation: '' },
    figures: [],
    sentence: { zh: '', en: '' },
    ...body,
  },
});
let ids = 0;
const step = (state: PlanState, draft: DraftEvent): [PlanState, ClipRequest[]] =>
  plan(state, draft, { layout, recorded: ['cam-d'], newId: () => `c-${++ids}` });
const requests = (draft: DraftEvent) => step(NOTHING_PLANNED, draft)[1];

describe('plan', () => {
  it('begins ten seconds before the first evidence and ends five after the event', () => {
    expect(requests(event({}))).toMatchObject([
      {
        cause: 'begin',
        cameraId: 'cam-a',
        fromWallMs: wall - 20_000,
        toWallMs: wall + 5000,
        dueMonoMs: 55_000,
        bootId: 'b',
      },
    ]);
  });

  it('shows both ends of a behaviour that began long before it counted', () => {
    const found = requests(event({ beganWallMs: wall - 300_000 }));
    expect(found.map(({ fromWallMs, toWallMs }) => [fromWallMs - wall, toWallMs - wall])).toEqual([
      [-310_000, -280_000],
      [-20_000, 5000],
    ]);
    expect(found[0]?.dueMonoMs).toBe(50_000);
    for (let ago = 0; ago < 400_000; ago += 1000)
      for (const { fromWallMs, toWallMs } of requests(event({ beganWallMs: wall - ago })))
        expect(toWallMs - fromWallMs).toBeLessThan(MAX_CLIP_MS);
  });

  it('asks at begin, at each escalation and at the end, and for no other update', () => {
    let state = NOTHING_PLANNED;
    const causes = [
      event({}),
      event({ phase: 'update' }),
      event({ phase: 'update', level: 'alarm' }),
      event({ phase: 'update', level: 'alarm' }),
      event({ phase: 'end', level: 'alarm' }),
      // More of what was said, when it is over already.
      event({
        ...{ phase: 'end', level: 'alarm', from: 'SILENT', to: 'SILENT' },
        transcript: { language: 'zh-CN', engine: 'fsmn', text: 'x', hit: [0, 1] },
      }),
    ].map((draft) => {
      const [next, found] = step(state, draft);
      state = next;
      return found.map(({ cause }) => cause).join();
    });
    expect(causes).toEqual(['begin', '', 'escalation', '', 'end', '']);
    expect(state.levels.size).toBe(0);
  });

  it('takes an update of an unknown episode for its begin', () => {
    expect(requests(event({ phase: 'update', level: 'alarm' }))).toMatchObject([{ cause: 'begin' }]);
  });

  it('does not believe a begin in the future', () => {
    expect(requests(event({ beganWallMs: wall + 3_600_000 }))).toMatchObject([{ fromWallMs: wall - 10_000 }]);
  });

  it.each([
    ['the source', { sourceId: 'cam-b', seatIds: ['1'] }, 'cam-b'],
    ['the seat', { seatIds: ['2'] }, 'cam-b'],
    ['the camera of most seats, for the room', { seatIds: [] }, 'cam-b'],
    ['the camera of most seats, for a microphone', { sourceId: 'mic-usb', seatIds: [] }, 'cam-b'],
    ['the camera whose sound it is', { sourceId: 'cam-a', seatIds: [], behaviour: 'speech_prohibited' }, 'cam-a'],
    ['a camera that nothing is drawn for', { sourceId: 'cam-d', seatIds: [] }, 'cam-d'],
    ['a camera at fault that sees no seat', { sourceId: 'cam-c', seatIds: [], behaviour: 'camera_fault' }, 'cam-c'],
  ] as const)('chooses %s', (_name, body, cameraId) => {
    expect(requests(event(body))[0]?.cameraId).toBe(cameraId);
  });

  it('asks nothing of other events', () => {
    expect(
      requests({
        ...event({}),
        body: { kind: 'gap', sourceId: 'x', role: 'audio', fromWallMs: 1, toWallMs: 2, reason: '' },
      }),
    ).toEqual([]);
  });
});
