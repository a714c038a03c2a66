/** Supervises the hardware of one room: finds each camera, starts it, reports the state of every stream, never lets one fault stop another. */
import type { Logger } from 'pino';
import type { Camera, Role, RoleHealth } from '../hardware/camera.ts';
import type { Microphone } from '../hardware/microphone.ts';
import type { StreamObservation } from '../protocol/observation.ts';
import type { Clock } from '../protocol/time.ts';

/** A camera that must first be found: `open` is tried again with back-off until it succeeds. */
export interface CameraPlan {
  readonly cameraId: string;
  readonly audio: boolean;
  /** Looks the camera up (ONVIF or fixed addresses) and makes it; throws EvalroomError when it can not. */
  open(signal: AbortSignal): Promise<Camera>;
  /** Where its streams are by now, for a camera that can be asked; throws EvalroomError when it can not be reached. */
  streams?(): Promise<{ readonly main: string; readonly sub?: string }>;
}

export interface CaptureParts {
  readonly cameras: readonly CameraPlan[];
  readonly microphones: readonly Microphone[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Waits between attempts to find a camera, the last one repeats. */
  readonly retryMs?: readonly number[];
}

export interface Capture {
  start(signal: AbortSignal): Promise<void>;
  /** Called once for each camera when it has been found and started. */
  onCamera(listener: (camera: Camera) => void): void;
  /** State of every role of every source at this moment. */
  observations(): StreamObservation[];
  /** Of these the ones that have changed since the last call, and each one once a second. */
  news(): StreamObservation[];
  camera(cameraId: string): Camera | undefined;
  close(): Promise<void>;
}

/** A state that lasts is reported again after this long. */
const REPORT_EVERY_MS = 1000;

/** A camera of which nothing has come for so long is asked again where its streams are, and again after as long. */
const LOST_MS = 30_000;

const ROLES: readonly Role[] = ['decode', 'record', 'audio'];

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Makes the supervisor; nothing runs before `start`. */
export function createCapture({
  cameras,
  microphones,
  clock,
  log,
  retryMs = [500, 1000, 2000, 5000],
}: CaptureParts): Capture {
  const found = new Map<string, Camera>();
  const reasons = new Map<string, string>();
  const listeners: ((camera: Camera) => void)[] = [];
  const stop = new AbortController();
  let startedMonoMs = 0;
  let searches: Promise<void>[] = [];

  async function search(plan: CameraPlan): Promise<void> {
    for (let attempt = 0; !stop.signal.aborted; attempt += 1) {
      let camera: Camera | undefined;
      try {
        camera = await plan.open(stop.signal);
        await camera.start(stop.signal);
        found.set(plan.cameraId, camera);
        reasons.delete(plan.cameraId);
        for (const listener of listeners) listener(camera);
        if (plan.streams) await lookAgain(plan, camera, plan.streams);
        return;
      } catch (error) {
        // Else its processes would go on beside those of the next attempt.
        found.delete(plan.cameraId);
        await camera?.close().catch((cause: unknown) => log.error({ err: cause }, 'a source did not close'));
        if (stop.signal.aborted) return;
        const reason = reasonOf(error);
        // The same refusal every five seconds for a night is one line, not six thousand.
        if (reasons.get(plan.cameraId) !== reason)
          log.error({ cameraId: plan.cameraId, err: error }, 'camera not reachable, trying again');
        reasons.set(plan.cameraId, reason);
        await clock.sleep(retryMs[Math.min(attempt, retryMs.length - 1)]!, stop.signal);
      }
    }
  }

  /** Firmware and settings move streams: a camera that answers 404 for ever may only have been renamed. */
  async function lookAgain({ cameraId }: CameraPlan, camera: Camera, streams: NonNullable<CameraPlan['streams']>) {
    const began = clock.monoMs();
    let lookedMs = began;
    let lastMs = 0;
    /** What was said last of this silence: asked every half minute for a night, the same answer is one line. */
    let said: string | undefined;
    // A camera that takes its time must not hold up the end of the agent.
    const ended = new Promise<undefined>((resolve) => {
      stop.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    while (!stop.signal.aborted) {
      await clock.sleep(LOST_MS / 6, stop.signal);
      const { decode, record } = camera.health();
      const cameMs = Math.max(decode.lastMonoMs, record.lastMonoMs);
      if (cameMs > lastMs) said = undefined;
      lastMs = cameMs;
      if (stop.signal.aborted || clock.monoMs() - Math.max(cameMs, began, lookedMs) < LOST_MS) continue;
      lookedMs = clock.monoMs();
      try {
        const found = await Promise.race([streams(), ended]);
        if (!found) return;
        camera.redirect?.(found);
        const answer = JSON.stringify(found);
        if (answer !== said) log.warn({ cameraId }, 'nothing comes from this camera: its streams were looked up anew');
        said = answer;
      } catch (error) {
        // It is off, or refuses; the roles go on saying why nothing comes.
        const reason = reasonOf(error);
        if (reason !== said)
          log.warn(
            { cameraId, err: error },
            'nothing comes from this camera, and it does not say where its streams are',
          );
        said = reason;
      }
    }
  }

  function observe(sourceId: string, role: Role, health: RoleHealth): StreamObservation {
    const at = clock.now();
    const observation = {
      kind: 'stream' as const,
      sourceId,
      role,
      at,
      state: health.state,
      silentMs: at.monoMs - (health.lastMonoMs || startedMonoMs),
    };
    return health.reason === undefined ? observation : { ...observation, reason: health.reason };
  }

  const told = new Map<
    string,
    { readonly state: string; readonly reason?: string | undefined; readonly monoMs: number }
  >();

  function isNews({ sourceId, role, state, reason, at }: StreamObservation): boolean {
    const key = `${role} ${sourceId}`;
    const last = told.get(key);
    // The calls come a little early or late of a whole second.
    const due = !last || at.monoMs - last.monoMs >= REPORT_EVERY_MS - 20;
    if (!due && last.state === state && last.reason === reason) return false;
    told.set(key, { state, reason, monoMs: at.monoMs });
    return true;
  }

  function observations(): StreamObservation[] {
    const all: StreamObservation[] = [];
    for (const plan of cameras) {
      const camera = found.get(plan.cameraId);
      const reason = reasons.get(plan.cameraId);
      const missing: RoleHealth = {
        state: reason === undefined ? 'starting' : 'down',
        lastMonoMs: 0,
        delivered: 0,
        dropped: 0,
        restarts: 0,
        ...(reason === undefined ? {} : { reason }),
      };
      for (const role of ROLES) {
        if (role === 'audio' && !plan.audio) continue;
        all.push(observe(plan.cameraId, role, camera?.health()[role] ?? missing));
      }
    }
    for (const microphone of microphones) all.push(observe(microphone.microphoneId, 'audio', microphone.health()));
    return all;
  }

  return {
    async start(signal) {
      startedMonoMs = clock.monoMs();
      signal.addEventListener('abort', () => stop.abort(), { once: true });
      searches = cameras.map(search);
      await Promise.all(microphones.map((microphone) => microphone.start(stop.signal)));
    },
    onCamera: (listener) => void listeners.push(listener),
    observations,
    news: () => observations().filter(isNews),
    camera: (cameraId) => found.get(cameraId),
    async close() {
      stop.abort();
      await Promise.allSettled(searches);
      const ends = await Promise.allSettled([...found.values(), ...microphones].map((source) => source.close()));
      for (const end of ends) if (end.status === 'rejected') log.error({ err: end.reason }, 'a source did not close');
    },
  };
}
