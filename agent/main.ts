/** The list of an agent's parts, and how observations, events and clips pass from one to the next. Wiring only. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { detectBox } from '../hardware/box/detect.ts';
import type { Camera } from '../hardware/camera.ts';
import { createEyes, type Eyes } from '../models/pose/eyes.ts';
import type { RoomEvent } from '../protocol/event.ts';
import type { RoomLayout } from '../protocol/room.ts';
import type { Clock } from '../protocol/time.ts';
import { recordBoot } from './boot.ts';
import { createCapture } from './capture.ts';
import type { RoomConfig } from './config.ts';
import type { RoomView } from './decide/room.ts';
import { createForward } from './forward.ts';
import { captionOf, createHearing } from './hearing.ts';
import { openIdentity } from './identity.ts';
import { createLayoutHolder, seatsWarning } from './layout.ts';
import { createLooking } from './looking.ts';
import { createLoops, each, every, type Loops } from './loops.ts';
import { openOrders } from './orders.ts';
import { createPictures } from './picture.ts';
import type { OverlayShot } from './record/overlay.ts';
import { createRecorder } from './record/recorder.ts';
import { createRulesHolder } from './rules.ts';
import { readScript } from './script.ts';
import { createStillNews } from './snapshot.ts';
import { cameraPlans, microphonesOf } from './sources.ts';
import { createStateReport } from './state.ts';
import { openOutbox } from './store/sqlite.ts';
import { createUploader } from './upload.ts';
import { createWatch } from './watch.ts';

export interface AgentMachine {
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The first frame has been looked at. */
  readonly onFirstFrame?: () => void;
  /** An event has been accepted: it is on disk. */
  readonly onEvent?: (event: RoomEvent) => void;
}

export interface Agent {
  readonly modelSet: string;
  /** What the eyes have cost so far, and what they dropped: for measurements. */
  cost(): AgentCost;
  /** Ends every part even when one of them fails, and leaves no process. */
  close(): Promise<void>;
}

export interface AgentCost {
  readonly detector: { readonly cpuMs: number; readonly runs: number };
  readonly pose: { readonly cpuMs: number; readonly runs: number };
  /** Frames looked at per second over the last ten seconds, all cameras together. */
  readonly analysedFps: number;
  readonly drops: number;
  /** How long ago the camera that waits longest was looked at. */
  readonly stateMs: number;
}

const TICK_MS = 250;
const SNAPSHOT_MS = 5000;
const WORDS_MS = 60_000;

/** Resolves when every part has been started; cameras may still be searched for. Throws EvalroomError with nothing left running. */
export async function startAgent(config: RoomConfig, machine: AgentMachine): Promise<Agent> {
  const { clock, log } = machine;
  const { dataFolder } = config;
  const { roomId } = config.layout;
  const stop = new AbortController();
  machine.signal.addEventListener('abort', () => stop.abort(), { once: true });
  const ending: (() => Promise<void> | void)[] = [];
  // A loop ends with an error only by a bug or a corrupt store: going on would be guessing.
  const loops = createLoops((error) => {
    log.fatal({ err: error }, 'the agent stops');
    process.exitCode = 1;
    // Asked twice, a process ends at once and leaves its parts as they are.
    if (!stop.signal.aborted) process.kill(process.pid, 'SIGTERM');
  });
  const rules = createRulesHolder({ rulePack: config.rulePack, keyFile: config.cloud.rulesKey });
  const script = readScript(config);
  const ca = config.cloud.ca === undefined ? undefined : readFileSync(config.cloud.ca, 'utf8');
  const secret = 'secret' in config.identity ? config.identity.secret : undefined;
  const identity = 'folder' in config.identity ? openIdentity({ ...boxOf(config, ca), clock, log }) : undefined;
  const tls = () => identity?.current().credentials ?? (ca === undefined ? {} : { ca });

  const outbox = openOutbox({
    path: join(dataFolder, 'outbox.db'),
    roomId,
    clock,
    log: log.child({ part: 'outbox' }),
    quotaEvents: config.storage.events,
    quotaClipBytes: config.storage.clipBytes,
  });
  ending.push(() => outbox.close());
  try {
    const orders = openOrders({
      folder: dataFolder,
      roomId,
      connection: {
        url: config.cloud.upload,
        deviceId: config.identity.deviceId,
        ...(secret === undefined ? {} : { secret }),
        tls,
      },
      clock,
      log: log.child({ part: 'orders' }),
    });
    const { session } = orders.current();
    const laid = createLayoutHolder({ own: config.layout, cameraIds: config.cameras.map(({ cameraId }) => cameraId) });
    try {
      laid.take(orders.current().layout);
    } catch (error) {
      orders.refuse('layout', error);
    }
    try {
      rules.take(orders.current().rulePack);
    } catch (error) {
      orders.refuse('rulePack', error);
    }
    const pack = rules.current();
    const layout = laid.current();
    warnOfSeats(layout, log);
    const context = { layout, pack, runId: randomUUID(), ...(session ? { session } : {}) };
    const watch = createWatch({ context, outbox, clock, log: log.child({ part: 'watch' }) });
    const forward = createForward({
      outbox,
      connection: {
        url: config.cloud.mqtt,
        clientId: config.identity.deviceId,
        username: config.identity.deviceId,
        ...(secret === undefined ? {} : { password: secret }),
        tls,
      },
      roomId,
      clock,
      log: log.child({ part: 'forward' }),
    });
    const recorder = createRecorder({
      folder: dataFolder,
      store: outbox,
      roomId,
      layout,
      limits: config.storage,
      clock,
      log: log.child({ part: 'record' }),
    });
    const upload = createUploader({
      store: outbox,
      connection: {
        url: config.cloud.upload,
        deviceId: config.identity.deviceId,
        ...(secret === undefined ? {} : { secret }),
        tls,
        ...(config.cloud.uploadKbps === undefined ? {} : { kbps: config.cloud.uploadKbps }),
      },
      roomId,
      clock,
      log: log.child({ part: 'upload' }),
      report: (draft) => watch.record([draft]),
    });
    const box = await detectBox();
    const eyes = createEyes({
      modelsFolder: config.modelsFolder,
      dataFolder,
      providers: box.runtimes,
      ...(script?.eyes ? { set: 'scripted' as const, script: script.eyes } : {}),
      clock,
      log: log.child({ part: 'eyes' }),
    });
    const microphones = microphonesOf(config, { clock, log: log.child({ part: 'capture' }) });
    const capture = createCapture({
      cameras: cameraPlans(config, box.hwaccel, { clock, log: log.child({ part: 'capture' }) }),
      microphones,
      clock,
      log: log.child({ part: 'capture' }),
    });
    const looking = createLooking({ config, laid, eyes, clock, log: log.child({ part: 'perceive' }) });
    const hearing = createHearing({
      config,
      pack,
      bidders: session?.bidders ?? config.bidders,
      script: script?.ears,
      clock,
      log: log.child({ part: 'ears' }),
    });
    const pictures = createPictures({
      cameraIds: config.cameras.map(({ cameraId }) => cameraId),
      newest: recorder.newest,
      ...(config.blurHeads
        ? { headsAt: (cameraId, monoMs) => looking.perceives.get(cameraId)?.headsNear(monoMs) }
        : {}),
      answer: forward.publishPicture,
      clock,
      log: log.child({ part: 'picture' }),
    });
    forward.onPictureAsk(pictures.ask);
    const isNewStill = createStillNews();
    const report = createStateReport({ config, watch, outbox, eyes, clock });

    orders.on('session', (next) => {
      watch.observe({ kind: 'session', at: clock.now(), session: next });
      const bidders = next?.bidders ?? config.bidders;
      if (hearing.rename(bidders)) log.info({ bidders: bidders.length }, 'other names of bidders are listened for');
    });
    orders.on('layout', (next) => laid.take(next));
    laid.onChange((next) => {
      looking.relay();
      recorder.relay(next);
      watch.relay(next);
      log.info(
        { seats: next.seats.length, from: next === config.layout ? 'room.yaml' : 'the desk' },
        'another layout is in force',
      );
      warnOfSeats(next, log);
    });
    orders.on('rulePack', (next) => rules.take(next));
    rules.onChange((next) => {
      watch.repack(next);
      hearing.repack(next);
      log.info({ rulePack: next.name, version: next.version }, 'another rule pack is in force');
    });
    watch.onEvent((event) => {
      forward.poke();
      recorder.follow(event);
      upload.poke();
      machine.onEvent?.(event);
    });
    const listen = (microphoneId: string, samples: Parameters<typeof hearing.open>[1]) => {
      const listener = hearing.open(microphoneId, samples);
      ending.push(() => listener.close());
      listener.start(stop.signal);
      loops.add(
        each(listener.observations(), (heard) => {
          watch.observe(heard);
          const caption = captionOf(heard);
          if (caption !== undefined) recorder.word(heard.at.wallMs, caption, true);
        }),
      );
    };
    let firstFrame = true;
    const look = (camera: Camera) => {
      const perceive = looking.open(camera);
      ending.push(() => perceive.close());
      loops.add(
        each(perceive.observations(), (observation) => {
          watch.observe(observation);
          looking.scouts.see(camera.cameraId, observation.persons, observation.at.monoMs);
          // Drawn at the time of the picture, which left the camera a little before it was here.
          const shownWallMs = observation.at.wallMs - (observation.lagMs ?? 0);
          recorder.overlay(camera.cameraId, shownWallMs, shotOf(watch.view(), camera.cameraId));
          if (firstFrame) machine.onFirstFrame?.();
          firstFrame = false;
        }),
        each(camera.segments(), (file) => recorder.segment(camera.cameraId, file)),
      );
      const audio = config.cameras.find(({ cameraId }) => cameraId === camera.cameraId)?.audio === true;
      if (audio) listen(camera.cameraId, camera.samples());
    };

    recordBoot(watch, { config, pack, eyes, clock });
    capture.onCamera(look);
    loops.add(each(recorder.drafts(), (draft) => watch.record([draft])));
    identity?.onChange(() => forward.reconnect());
    ending.push(() => orders.close());
    // Before they start: when one of them cannot, the others have, and must have ended before the outbox is closed.
    ending.push(
      () => identity?.close(),
      () => forward.close(),
      () => pictures.close(),
      () => upload.close(),
      () => recorder.close(),
      () => eyes.close(),
    );
    await Promise.all([
      identity?.start(stop.signal),
      forward.start(stop.signal),
      recorder.start(stop.signal),
      upload.start(stop.signal),
      orders.start(stop.signal),
    ]);
    await startEyes(eyes, stop.signal, log);
    ending.push(() => capture.close());
    await capture.start(stop.signal);
    for (const microphone of microphones) listen(microphone.microphoneId, microphone.samples());

    const { wordDays } = config.storage;
    if (wordDays)
      loops.add(
        every(WORDS_MS, clock, stop.signal, () => {
          const events = outbox.removeWords(wordDays);
          if (events > 0) log.info({ events }, 'words whose time is over were taken out of events that wait');
        }),
      );
    loops.add(
      every(TICK_MS, clock, stop.signal, () => {
        for (const observation of capture.news()) watch.observe(observation);
        watch.observe({ kind: 'tick', at: clock.now() });
        forward.publishState(() =>
          report({
            capture,
            perceives: looking.perceives,
            listens: hearing.listens(),
            recorder,
            orders,
            scouts: looking.scouts,
            layout: laid.current(),
            pack: rules.current(),
          }),
        );
      }),
      every(SNAPSHOT_MS, clock, stop.signal, () => {
        for (const [cameraId, perceive] of looking.perceives) {
          const still = perceive.snapshot();
          if (still && isNewStill(cameraId, still.atMonoMs)) forward.publishSnapshot(cameraId, still.jpeg);
        }
        looking.keepReferences();
      }),
    );
    log.info({ roomId, modelSet: eyes.modelSet, rulePack: pack.name }, 'the room is watched');
    const cost = () => ({
      detector: eyes.health().detector,
      pose: eyes.health().pose,
      analysedFps: looking.sum('analysedFps'),
      drops: looking.sum('drops'),
      stateMs: Math.max(0, ...[...looking.perceives.values()].map((one) => clock.monoMs() - one.health().lastMonoMs)),
    });
    return { modelSet: eyes.modelSet, cost, close: () => endAll(ending, stop, loops, log) };
  } catch (error) {
    await endAll(ending, stop, loops, log);
    throw error;
  }
}

/** Here and not where room.yaml is read: what the desk has drawn is known by now, or comes later. */
function warnOfSeats(layout: RoomLayout, log: Logger): void {
  const warning = seatsWarning(layout);
  if (warning !== undefined) log.warn(warning);
}

/** Where the box keeps its certificate, and whom it asks for a new one. */
function boxOf({ cloud, identity }: RoomConfig, ca: string | undefined) {
  return {
    folder: 'folder' in identity ? identity.folder : '',
    cloud: cloud.upload,
    ...(ca === undefined ? {} : { ca }),
  };
}

/** A room without eyes still hears, records and says that it is blind; it does not end. */
async function startEyes(eyes: Eyes, signal: AbortSignal, log: Logger): Promise<void> {
  try {
    await eyes.start(signal);
  } catch (error) {
    log.error({ err: error }, 'the room is blind: the models of the eyes can not be used');
  }
}

/** What is drawn over a clip: the tracks of one camera and the state of every seat. */
function shotOf(view: RoomView, cameraId: string): OverlayShot {
  return {
    persons: view.tracks.filter((track) => track.cameraId === cameraId),
    seats: Object.fromEntries(view.seats.map(({ seatId, occupancy }) => [seatId, occupancy])),
  };
}

async function endAll(
  ending: readonly (() => Promise<void> | void)[],
  stop: AbortController,
  loops: Loops,
  log: Logger,
): Promise<void> {
  stop.abort();
  for (const end of [...ending].reverse()) {
    try {
      await end();
    } catch (error) {
      log.error({ err: error }, 'a part did not end well');
    }
  }
  await loops.ended();
}
