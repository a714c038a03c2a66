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

function eachRoom(out: Exposition) {
  const gauge = (name: string, help: string) => out.metric(name, 'gauge', help);
  const up = gauge('evalroom_room_up', 'Whether the room is heard now; the rest is left out of a room that is not.');
  const heardAt = gauge('evalroom_room_heard_timestamp_seconds', 'When the room was heard last.');
  const events = gauge('evalroom_room_outbox_events', 'Events that wait in the box.');
  const oldest = gauge('evalroom_room_outbox_oldest_seconds', 'Age of the oldest event that waits in the box.');
  const full = gauge('evalroom_room_outbox_full', 'Whether the box can take no more events.');
  const clips = gauge('evalroom_room_clips_waiting', 'Clips that the box has yet to cut or upload.');
  const free = gauge('evalroom_room_disk_free_bytes', 'Free disk where the box keeps evidence.');
  const low = gauge('evalroom_room_disk_low', 'Whether that is too little.');
  const memory = gauge('evalroom_room_memory_bytes', 'Memory of the agent.');
  const doubtful = gauge('evalroom_room_clock_doubtful', 'Whether the box is unsure of the time.');
  const camera = eachCamera(out);
  const ear = eachEar(out);
  return (room: string, heardWallMs: number, state: RoomState | undefined) => {
    const labels = { room };
    up(flag(state !== undefined), labels);
    heardAt(heardWallMs / 1000, labels);
    if (!state) return;
    const { outbox, clipsWaiting, disk, rssBytes } = state.health;
    events(outbox.events, labels);
    oldest(outbox.oldestMs / 1000, labels);
    full(flag(outbox.full), labels);
    clips(clipsWaiting, labels);
    free(disk.freeBytes, labels);
    low(flag(disk.low), labels);
    memory(rssBytes, labels);
    doubtful(flag(state.at.clock === 'doubtful'), labels);
    for (const one of state.health.cameras) camera({ room, camera: one.cameraId }, one);
    for (const one of state.health.ears) ear({ room, microphone: one.microphoneId, language: one.language }, one);
  };
}

function eachCamera(out: Exposition) {
  const running = out.metric('evalroom_camera_stream_up', 'gauge', 'Whether that stream of the camera comes.');
  const fault = out.metric('evalroom_camera_fault', 'gauge', 'Whether the camera has a fault; the page says which.');
  const rate = out.metric(
    'evalroom_camera_stage_per_second',
    'gauge',
    'How often a stage ran in a second, of the last ten: frames decoded and analysed, runs of the detector on the picture and on regions, poses.',
  );
  const spent = out.metric(
    'evalroom_camera_stage_seconds',
    'gauge',
    'Mean time of a stage per frame, of the last ten seconds; of decode the age of the picture when it came.',
  );
  const drops = out.metric(
    'evalroom_camera_frames_dropped_total',
    'counter',
    'Frames that were never looked at because newer ones came, since the agent started.',
  );
  const blind = out.metric(
    'evalroom_camera_frames_blind_total',
    'counter',
    'Frames that gave nothing since the models were down or failed, since the agent started.',
  );
  const strained = out.metric('evalroom_camera_strained', 'gauge', 'Whether frames are dropped again and again.');
  return (labels: Labels, health: CameraHealth) => {
    for (const stream of ['decode', 'record', 'audio'] as const)
      if (health[stream] !== 'none') running(flag(health[stream] === 'running'), { ...labels, stream });
    fault(flag(health.fault !== undefined), labels);
    const { rates, stages } = health;
    const perSecond = {
      decode: stages?.decodedFps,
      analyse: health.analysedFps,
      detector: rates?.detections,
      region: rates?.regions,
      pose: rates?.poses,
    };
    const ms = { decode: stages?.lagMs, detector: stages?.detectorMs, pose: stages?.poseMs, decide: stages?.decideMs };
    for (const [stage, value] of Object.entries(perSecond)) if (value !== undefined) rate(value, { ...labels, stage });
    for (const [stage, value] of Object.entries(ms)) if (value !== undefined) spent(value / 1000, { ...labels, stage });
    drops(health.drops, labels);
    if (stages) blind(stages.blind, labels);
    if (rates) strained(flag(rates.strained), labels);
  };
}

function eachEar(out: Exposition) {
  const hears = out.metric('evalroom_ear_hearing', 'gauge', 'Whether that language is heard.');
  const slow = out.metric('evalroom_ear_too_slow', 'gauge', 'Whether it is deaf since the box is too slow for it.');
  const alone = out.metric('evalroom_ear_unconfirmed', 'gauge', 'Whether the engine that confirms is deaf.');
  const rtf = out.metric(
    'evalroom_ear_realtime_factor',
    'gauge',
    'Computing time per second of sound: from 1 on too slow.',
  );
  const dropped = out.metric(
    'evalroom_ear_blocks_dropped_total',
    'counter',
    'Blocks of sound that the box was too slow for.',
  );
  const restarts = out.metric('evalroom_ear_restarts_total', 'counter', 'How often an engine had to be started anew.');
  return (labels: Labels, ear: EarHealth) => {
    hears(flag(ear.state === 'hearing'), labels);
    slow(flag(ear.slow === true), labels);
    alone(flag(ear.unconfirmed === true), labels);
    if (ear.rtf !== undefined) rtf(ear.rtf, labels);
    if (ear.dropped !== undefined) dropped(ear.dropped, labels);
    if (ear.restarts !== undefined) restarts(ear.restarts, labels);
  };
}
