/** From the rooms' own states to figures: of each room, camera, stage and ear, and of all rooms together. */
import type { RoomHealth, RoomState } from '../../protocol/stream.ts';
import type { RoomCard } from '../http/api.ts';
import type { Exposition, Labels } from './exposition.ts';

/** A room that was not heard for so long is silent: what it said last is no longer shown as if it were so. */
const SILENT_MS = 10_000;
/** After so many rooms others get a turn: 2,000 rooms are a hundred thousand lines. */
const AT_ONCE = 50;

type CameraHealth = RoomHealth['cameras'][number];
type EarHealth = RoomHealth['ears'][number];

const flag = (is: boolean): number => (is ? 1 : 0);

/**
 * Series of one room: 10, with 16 more for each camera (14 without sound and a known lag) and 6 for each language of each
 * microphone. Labels are ids and languages that the room gives; no text of people is one.
 */
export async function writeRooms(
  out: Exposition,
  cards: readonly RoomCard[],
  options: { readonly nowWallMs: number; readonly perRoom: boolean },
): Promise<void> {
  const all = roomsTogether(out);
  const one = options.perRoom ? eachRoom(out) : undefined;
  let done = 0;
  for (const card of cards) {
    const { roomId, state, heardWallMs } = card;
    // Either way: a clock that steps back must not make every room silent.
    const heard = heardWallMs !== undefined && Math.abs(options.nowWallMs - heardWallMs) <= SILENT_MS;
    if (heardWallMs !== undefined) {
      all.room(heard ? state : undefined);
      one?.(roomId, heardWallMs, heard ? state : undefined);
    }
    if (++done % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  all.write();
}

/** Sums, which say whether all is well whatever the number of rooms is. */
function roomsTogether(out: Exposition) {
  const rooms = out.metric(
    'evalroom_rooms',
    'gauge',
    'Rooms that this process has heard of, by whether it hears them now.',
  );
  const cameras = out.metric('evalroom_cameras', 'gauge', 'Cameras of all rooms that are heard now.');
  const ears = out.metric('evalroom_ears', 'gauge', 'Languages of microphones of all rooms that are heard now.');
  const events = out.metric('evalroom_outbox_events', 'gauge', 'Events that wait in all boxes, as they told last.');
  const oldest = out.metric(
    'evalroom_outbox_oldest_seconds',
    'gauge',
    'Age of the oldest event that waits in any box.',
  );
  const clips = out.metric('evalroom_clips_waiting', 'gauge', 'Clips that all boxes have yet to cut or upload.');
  const at = out.metric(
    'evalroom_boxes_at_fault',
    'gauge',
    'Boxes that are full, short of disk, or unsure of the time.',
  );
  const sum = { heard: 0, silent: 0, seeing: 0, blind: 0, hearing: 0, deaf: 0, unconfirmed: 0, events: 0, oldestMs: 0 };
  const box = { clips: 0, full: 0, disk: 0, clock: 0 };
  return {
    room(state: RoomState | undefined) {
      sum[state ? 'heard' : 'silent']++;
      if (!state) return;
      for (const camera of state.health.cameras) sum[isBlind(camera) ? 'blind' : 'seeing']++;
      for (const ear of state.health.ears) sum[ear.unconfirmed ? 'unconfirmed' : ear.state]++;
      const { outbox, disk, clipsWaiting } = state.health;
      sum.events += outbox.events;
      sum.oldestMs = Math.max(sum.oldestMs, outbox.oldestMs);
      box.clips += clipsWaiting;
      box.full += flag(outbox.full);
      box.disk += flag(disk.low);
      box.clock += flag(state.at.clock === 'doubtful');
    },
    write() {
      for (const state of ['heard', 'silent'] as const) rooms(sum[state], { state });
      for (const state of ['seeing', 'blind'] as const) cameras(sum[state], { state });
      for (const state of ['hearing', 'unconfirmed', 'deaf'] as const) ears(sum[state], { state });
      events(sum.events);
      oldest(sum.oldestMs / 1000);
      clips(box.clips);
      at(box.full, { fault: 'outbox_full' });
      at(box.disk, { fault: 'disk_low' });
      at(box.clock, { fault: 'clock_doubtful' });
    },
  };
}

const isBlind = ({ decode, fault }: CameraHealth): boolean =>
  decode !== 'running' || (fault !== undefined && fault !== 'record_down');

/** One figure of a thing: undefined where it is not known, or a value for each value of one more label. */
interface Figure<T> {
  readonly name: string;
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  readonly of: (one: T) => number | undefined | By;
}

interface By {
  readonly label: string;
  readonly values: Readonly<Record<string, number | undefined>>;
}

const gauge = <T>(name: string, help: string, of: Figure<T>['of']): Figure<T> => ({ name, kind: 'gauge', help, of });
const counter = <T>(name: string, help: string, of: Figure<T>['of']): Figure<T> => ({
  name,
  kind: 'counter',
  help,
  of,
});

/** Writes all figures of a thing under its labels. */
function writerOf<T>(out: Exposition, figures: readonly Figure<T>[]): (labels: Labels, one: T) => void {
  const samples = figures.map(({ name, kind, help, of }) => ({ sample: out.metric(name, kind, help), of }));
  return (labels, one) => {
    for (const { sample, of } of samples) {
      const found = of(one);
      if (typeof found !== 'object') {
        if (found !== undefined) sample(found, labels);
        continue;
      }
      for (const [value, figure] of Object.entries(found.values))
        if (figure !== undefined) sample(figure, { ...labels, [found.label]: value });
    }
  };
}

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);

function eachRoom(out: Exposition) {
  const up = out.metric(
    'evalroom_room_up',
    'gauge',
    'Whether the room is heard now; the rest is left out of a room that is not.',
  );
  const heardAt = out.metric('evalroom_room_heard_timestamp_seconds', 'gauge', 'When the room was heard last.');
  const [box, camera, ear] = [writerOf(out, BOX), writerOf(out, CAMERA), writerOf(out, EAR)];
  return (room: string, heardWallMs: number, state: RoomState | undefined) => {
    up(flag(state !== undefined), { room });
    heardAt(heardWallMs / 1000, { room });
    if (!state) return;
    box({ room }, state);
    for (const one of state.health.cameras) camera({ room, camera: one.cameraId }, one);
    for (const one of state.health.ears) ear({ room, microphone: one.microphoneId, language: one.language }, one);
  };
}

const BOX: readonly Figure<RoomState>[] = [
  gauge('evalroom_room_outbox_events', 'Events that wait in the box.', ({ health }) => health.outbox.events),
  gauge('evalroom_room_outbox_oldest_seconds', 'Age of the oldest event that waits in the box.', ({ health }) =>
    seconds(health.outbox.oldestMs),
  ),
  gauge('evalroom_room_outbox_full', 'Whether the box can take no more events.', ({ health }) =>
    flag(health.outbox.full),
  ),
  gauge(
    'evalroom_room_clips_waiting',
    'Clips that the box has yet to cut or upload.',
    ({ health }) => health.clipsWaiting,
  ),
  gauge(
    'evalroom_room_disk_free_bytes',
    'Free disk where the box keeps evidence.',
    ({ health }) => health.disk.freeBytes,
  ),
  gauge('evalroom_room_disk_low', 'Whether that is too little.', ({ health }) => flag(health.disk.low)),
  gauge('evalroom_room_memory_bytes', 'Memory of the agent.', ({ health }) => health.rssBytes),
  gauge('evalroom_room_clock_doubtful', 'Whether the box is unsure of the time.', ({ at }) =>
    flag(at.clock === 'doubtful'),
  ),
];

const CAMERA: readonly Figure<CameraHealth>[] = [
  gauge('evalroom_camera_stream_up', 'Whether that stream of the camera comes.', (health) => {
    const runs = (state: CameraHealth['audio']) => (state === 'none' ? undefined : flag(state === 'running'));
    const { decode, record, audio } = health;
    return { label: 'stream', values: { decode: runs(decode), record: runs(record), audio: runs(audio) } };
  }),
  gauge('evalroom_camera_fault', 'Whether the camera has a fault; the page says which.', ({ fault }) =>
    flag(fault !== undefined),
  ),
  gauge(
    'evalroom_camera_stage_per_second',
    'How often a stage ran in a second, of the last ten: frames decoded and analysed, runs of the detector on the picture and on regions, poses.',
    ({ analysedFps, rates, stages }) => ({
      label: 'stage',
      values: {
        decode: stages?.decodedFps,
        analyse: analysedFps,
        detector: rates?.detections,
        region: rates?.regions,
        pose: rates?.poses,
      },
    }),
  ),
  gauge(
    'evalroom_camera_stage_seconds',
    'Mean time of a stage per frame, of the last ten seconds; of decode the age of the picture when it came.',
    ({ stages }) => ({
      label: 'stage',
      values: {
        decode: seconds(stages?.lagMs),
        detector: seconds(stages?.detectorMs),
        pose: seconds(stages?.poseMs),
        decide: seconds(stages?.decideMs),
      },
    }),
  ),
  counter(
    'evalroom_camera_frames_dropped_total',
    'Frames that were never looked at because newer ones came, since the agent started.',
    ({ drops }) => drops,
  ),
  counter(
    'evalroom_camera_frames_blind_total',
    'Frames that gave nothing since the models were down or failed, since the agent started.',
    ({ stages }) => stages?.blind,
  ),
  gauge('evalroom_camera_strained', 'Whether frames are dropped again and again.', ({ rates }) =>
    rates ? flag(rates.strained) : undefined,
  ),
];

const EAR: readonly Figure<EarHealth>[] = [
  gauge('evalroom_ear_hearing', 'Whether that language is heard.', ({ state }) => flag(state === 'hearing')),
  gauge('evalroom_ear_too_slow', 'Whether it is deaf since the box is too slow for it.', ({ slow }) =>
    flag(slow === true),
  ),
  gauge('evalroom_ear_unconfirmed', 'Whether the engine that confirms is deaf.', ({ unconfirmed }) =>
    flag(unconfirmed === true),
  ),
  gauge('evalroom_ear_realtime_factor', 'Computing time per second of sound: from 1 on too slow.', ({ rtf }) => rtf),
  counter(
    'evalroom_ear_blocks_dropped_total',
    'Blocks of sound that the box was too slow for.',
    ({ dropped }) => dropped,
  ),
  counter('evalroom_ear_restarts_total', 'How often an engine had to be started anew.', ({ restarts }) => restarts),
];
