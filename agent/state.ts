/** The volatile picture of the room that the cloud shows between events: seats, streams, ears, outbox, once a second. */
import type { Eyes, EyesHealth } from '../models/pose/eyes.ts';
import type { RoomLayout } from '../protocol/room.ts';
import type { RulePack } from '../protocol/rules.ts';
import { PROTOCOL_VERSION, type RoomHealth, type RoomState } from '../protocol/stream.ts';
import type { Clock } from '../protocol/time.ts';
import { because, shortWhys, type Why } from '../protocol/why.ts';
import type { Scouts } from './calibrate.ts';
import type { Capture } from './capture.ts';
import type { RoomConfig } from './config.ts';
import type { RoomView } from './decide/room.ts';
import { CAMERA_FAULTS } from './decide/sight.ts';
import { roomHealth } from './health.ts';
import type { Listen } from './listen.ts';
import type { Orders } from './orders.ts';
import type { Perceive, PerceiveHealth } from './perceive.ts';
import type { Recorder } from './record/recorder.ts';
import type { Outbox } from './store/outbox.ts';
import type { Watch } from './watch.ts';

export interface StateParts {
  readonly config: RoomConfig;
  readonly watch: Watch;
  readonly outbox: Outbox;
  readonly eyes: Eyes;
  readonly clock: Clock;
}

/** Parts that come and go while the agent runs. */
export interface LiveParts {
  readonly capture: Capture;
  readonly perceives: ReadonlyMap<string, Perceive>;
  readonly listens: readonly Listen[];
  readonly recorder: Recorder;
  readonly orders: Orders;
  readonly scouts: Scouts;
  /** The layout in force. */
  readonly layout: RoomLayout;
  /** The rule pack in force. */
  readonly pack: RulePack;
}

type CameraHealth = RoomHealth['cameras'][number];

const SIGHT_FAULTS: ReadonlySet<string> = new Set(CAMERA_FAULTS);
const SOUND_FAULTS: ReadonlySet<string> = new Set(['muted', 'clipping', 'speechless']);

/** Makes the function that reads every part and gives the state of this moment; to be asked for what is sent only, since it counts everything. */
export function createStateReport({ config, watch, outbox, eyes, clock }: StateParts) {
  return ({ capture, perceives, listens, recorder, orders, scouts, layout, pack }: LiveParts): RoomState => {
    const at = clock.now();
    const view = watch.view();
    const streams = capture.observations();
    const { roster } = orders.current().session ?? {};
    const { revision } = orders.report();
    const proposals = scouts.proposals(layout, at.monoMs);
    return {
      v: PROTOCOL_VERSION,
      roomId: layout.roomId,
      at,
      layout: roster ? { ...layout, roster } : layout,
      seats: view.seats,
      rulePack: { name: pack.name, version: pack.version },
      ...(revision > 0 ? { orders: orders.report() } : {}),
      ...(proposals.length > 0 ? { proposals } : {}),
      health: roomHealth({
        cameras: () => config.cameras.map(({ cameraId, audio }) => cameraHealth(cameraId, audio)),
        ears: () =>
          listens.flatMap((listen) => {
            const { microphoneId, rmsDb, ears } = listen.health();
            // Deaf and unconfirmed are said of each language; these are the sound's own.
            const fault = view.faults.find(
              ({ sourceId, fault }) => sourceId === microphoneId && SOUND_FAULTS.has(fault),
            );
            return ears.map(({ engine: _engine, ...ear }) => ({
              microphoneId,
              rmsDb,
              ...ear,
              ...(fault ? { fault: fault.fault } : {}),
            }));
          }),
        outbox: () => {
          const stats = outbox.stats();
          return watch.health().full ? { ...stats, full: true } : stats;
        },
        clipsWaiting: () => recorder.health().planned + outbox.clips.stats().waiting,
        disk: () => recorder.health(),
        modelSet: () => eyes.modelSet,
      }),
    };

    function cameraHealth(cameraId: string, audio: boolean): CameraHealth {
      const roles = streams.filter((one) => one.sourceId === cameraId);
      const stateOf = (role: string) => roles.find((one) => one.role === role)?.state ?? 'starting';
      const perceive = perceives.get(cameraId)?.health();
      // The microphone in a camera has faults under the same id, and they do not make it blind.
      const fault = view.faults.find((one) => one.sourceId === cameraId && SIGHT_FAULTS.has(one.fault))?.fault;
      // No observation comes from frames that nothing could look at, either: that is not for want of a signal.
      const unseen = fault === 'down' && stateOf('decode') === 'running' ? perceive?.reason : undefined;
      const seeing = eyes.health();
      const stream = roles.find((one) => one.state === 'down')?.reason;
      const reason = unseen ?? fault ?? stream ?? perceive?.reason ?? seeing.reason;
      const why =
        reason === undefined || reason === fault
          ? []
          : reason === stream
            ? [because('stream_down', { error: stream })]
            : whyBlind(seeing, reason);
      return {
        cameraId,
        decode: stateOf('decode'),
        record: stateOf('record'),
        audio: audio ? stateOf('audio') : 'none',
        analysedFps: perceive?.analysedFps ?? 0,
        drops: perceive?.drops ?? 0,
        inferenceMs: perceive?.inferenceMs ?? 0,
        ...(perceive ? { rates: ratesOf(perceive), stages: stagesOf(perceive, watch.decideMs(cameraId)) } : {}),
        ...standingOf(view, layout, cameraId),
        ...(reason === undefined ? {} : { fault: reason }),
        ...(why.length > 0 ? { why: shortWhys(why) } : {}),
      };
    }
  };
}

/** Which of the models of the eyes is at fault, where one of them is; else what it told. */
function whyBlind({ detector, pose }: EyesHealth, reason: string): Why[] {
  const down = [
    ...(detector.reason === undefined ? [] : [because('detector_down', { error: detector.reason })]),
    ...(pose.reason === undefined ? [] : [because('pose_down', { error: pose.reason })]),
  ];
  return down.length > 0 ? down : [because('eyes_failed', { error: reason })];
}

/** Whether a camera looks from where it looked when its picture was drawn on, and when points of the floor were measured. */
export function standingOf(
  { nudged, faults }: Pick<RoomView, 'nudged' | 'faults'>,
  layout: Pick<RoomLayout, 'floor'>,
  cameraId: string,
): Pick<CameraHealth, 'nudged' | 'floor'> {
  const by = nudged.find((one) => one.cameraId === cameraId);
  const moved = faults.some((one) => one.sourceId === cameraId && one.fault === 'moved');
  return {
    ...(by ? { nudged: { dx: by.dx, dy: by.dy } } : {}),
    ...(layout.floor.some((one) => one.cameraId === cameraId) ? { floor: by || moved ? 'doubtful' : 'sure' } : {}),
  };
}

function ratesOf(health: PerceiveHealth): NonNullable<CameraHealth['rates']> {
  const { detectionsPerSecond, regionsPerSecond, posesPerSecond, strained } = health;
  return { detections: detectionsPerSecond, regions: regionsPerSecond, poses: posesPerSecond, strained };
}

function stagesOf(health: PerceiveHealth, decideMs: number): NonNullable<CameraHealth['stages']> {
  const { decodedFps, lagMs, detectorMs, poseMs, blind } = health;
  return { decodedFps, ...(lagMs === undefined ? {} : { lagMs }), detectorMs, poseMs, decideMs, blind };
}
