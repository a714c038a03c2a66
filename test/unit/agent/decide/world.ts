/** A small room for the tests of decide/: three seats in a row, scripted people, virtual time. */
import {
  type Input,
  type RoomContext,
  type RoomMachine,
  type RoomView,
  startRoom,
  step,
} from '../../../../agent/decide/room.ts';
import type { DraftEvent, EpisodeBody } from '../../../../protocol/event.ts';
import type { FrameObservation, Person, PictureState } from '../../../../protocol/observation.ts';
import type { RoomLayout } from '../../../../protocol/room.ts';
import type { RulePack } from '../../../../protocol/rules.ts';
import type { Box } from '../../../../protocol/seat.ts';
import type { Instant } from '../../../../protocol/time.ts';

/** Left edge of each seat's zone; a zone is 0.16 wide and 0.2 high. */
export const ZONES: Readonly<Record<string, number>> = { '1': 0.1, '2': 0.4, '3': 0.7 };

export const layout: RoomLayout = {
  roomId: 'room-1',
  name: '评标一室',
  centre: 'test',
  timeZone: 'Asia/Shanghai',
  seats: Object.entries(ZONES).map(([seatId, x]) => ({
    seatId,
    name: `${seatId}号席`,
    views: [
      {
        cameraId: 'cam-a',
        zone: [
          [x, 0.4],
          [x + 0.16, 0.4],
          [x + 0.16, 0.6],
          [x, 0.6],
        ],
      },
    ],
  })),
  zones: [],
  doorLines: [],
  floor: [],
  roster: ['1', '2', '3'].map((seatId) => ({ seatId, expertId: `E-${seatId}` })),
};

export const pack: RulePack = {
  name: 'test',
  version: '1.0.0',
  title: { zh: '测试', en: 'test' },
  cooldownMs: 20_000,
  phrases: [],
  rules: {
    left_seat: {
      citation: 'stay',
      noticeMs: 30_000,
      alarmMs: 60_000,
      cumulativeAlarmMs: 150_000,
      windowMs: 10_000,
      onDutyShare: 0.6,
      leavingShare: 0.2,
      returnShare: 0.5,
    },
    too_far: { citation: 'near', noticeMs: 10_000, alarmMs: 60_000, distanceM: 1.5, shoulderWidths: 2 },
    extra_person: { citation: 'alone', noticeMs: null, alarmMs: 5000 },
    camera_fault: {
      citation: 'seen',
      coveredMs: 5000,
      coveredEdgeFall: 0.7,
      movedMs: 5000,
      movedShift: 0.05,
      frozenMs: 5000,
      downMs: 15_000,
    },
    microphone_fault: { citation: 'heard', mutedMs: 60_000, mutedDropDb: 20, downMs: 10_000, deafMs: 10_000 },
    speech_prohibited: { citation: 'words', level: 'alarm', alarmAfter: null, mergeMs: 10_000 },
    speech_suggestive: { citation: 'hints', level: 'notice', alarmAfter: 3, mergeMs: 10_000 },
    speech_irrelevant: { citation: 'talk', level: 'notice', alarmAfter: null, mergeMs: 10_000 },
  },
};

export const context: RoomContext = { layout, pack, runId: 'run' };

/** Second 0 of every test. */
export const BEGIN: Instant = { wallMs: 1_800_000_000_000, monoMs: 500_000, bootId: 'boot', clock: 'sure' };
export const at = (s: number): Instant => ({
  ...BEGIN,
  wallMs: BEGIN.wallMs + Math.round(s * 1000),
  monoMs: BEGIN.monoMs + Math.round(s * 1000),
});

export const CLEAR: PictureState = {
  brightness: 120,
  edgeEnergy: 6,
  shift: { dx: 0, dy: 0, confidence: 0.95 },
  change: 0.4,
};

/** Somebody sitting at a seat, shifted by zone widths. */
export function sitting(seatId: string, dx = 0, score = 0.8): Person {
  const x = ZONES[seatId]! + 0.03 + dx * 0.16;
  return { box: [x, 0.4, x + 0.1, 0.58], score };
}

/** Somebody standing with the middle at `x`. */
export function standing(x: number, score = 0.8): Person {
  return { box: [x - 0.05, 0.25, x + 0.05, 0.75] as Box, score };
}

const TAKEN = Array.from({ length: 108 }, (_, i) => 90 + 50 * Math.cos(i * 0.37 + 1));
const LOOKS = {
  empty: Array.from({ length: 108 }, (_, i) => 60 + 40 * Math.sin(i * 0.9)),
  taken: TAKEN,
  /** Somebody is there, and not as usual: they lean, lie or stand. */
  otherwise: TAKEN.map((v, i) => v + 40 * Math.sin(i * 1.7)),
};
export type Look = keyof typeof LOOKS;

export interface Shot {
  readonly persons?: readonly Person[];
  readonly looks?: Readonly<Record<string, Look>>;
  readonly picture?: Partial<PictureState>;
}

export function frame(s: number, { persons = [], looks = {}, picture = {} }: Shot): FrameObservation {
  return {
    kind: 'frame',
    cameraId: 'cam-a',
    at: at(s),
    frame: Math.round(s * 2),
    persons,
    picture: { ...CLEAR, ...picture },
    patches: Object.keys(ZONES).map((seatId) => ({ seatId, grid: LOOKS[looks[seatId] ?? 'taken'] })),
    modelSet: 'scripted',
    inferenceMs: 20,
  };
}

export interface Run {
  machine: RoomMachine;
  readonly drafts: DraftEvent[];
  view: RoomView;
  /** Second of the last input. */
  s: number;
}

export function begin(open: readonly DraftEvent[] = [], with_: RoomContext = context): Run {
  const machine = startRoom(with_, BEGIN, open);
  return { machine, drafts: [], view: { seats: [], tracks: [], faults: [], nudged: [] }, s: 0 };
}

export function feed(run: Run, input: Input, with_: RoomContext = context): void {
  const result = step(run.machine, input, with_);
  run.machine = result.machine;
  run.view = result.view;
  run.drafts.push(...result.drafts);
}

/** Frames at two per second and a tick a second until second `until`; `shot` may depend on the second. */
export function play(
  run: Run,
  until: number,
  shot: Shot | ((s: number) => Shot) | 'nothing',
  with_: RoomContext = context,
): void {
  for (; run.s < until; run.s += 0.5) {
    if (shot !== 'nothing') feed(run, frame(run.s, typeof shot === 'function' ? shot(run.s) : shot), with_);
    if (Number.isInteger(run.s)) feed(run, { kind: 'tick', at: at(run.s + 0.01) }, with_);
  }
}

export const ALL: readonly Person[] = ['1', '2', '3'].map((id) => sitting(id));
export const others = (seatId: string): readonly Person[] =>
  ['1', '2', '3'].filter((id) => id !== seatId).map((id) => sitting(id));

/** Episode drafts in short: `begin left_seat notice`. */
export function told(run: Run): string[] {
  return episodes(run).map((b) => `${b.phase} ${b.behaviour}${b.fault ? `:${b.fault}` : ''} ${b.level}`);
}
export function episodes(run: Run): EpisodeBody[] {
  return run.drafts.flatMap((d) => (d.body.kind === 'episode' ? [d.body] : []));
}
export const seat = (run: Run, seatId: string) => run.view.seats.find((s) => s.seatId === seatId)!;
