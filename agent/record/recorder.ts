/** From segments and accepted events to clips: keeps the ring, cuts what events ask for, and says where evidence is missing. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { SegmentFile } from '../../hardware/camera.ts';
import type { ClipCause, ClipManifest } from '../../protocol/clip.ts';
import { Corrupt, Full, isRetryable } from '../../protocol/errors.ts';
import type { DraftEvent, GapBody, Level } from '../../protocol/event.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import type { Clock, MonoMs, WallMs } from '../../protocol/time.ts';
import type { Outbox } from '../store/outbox.ts';
import { cutClip, described, type Missing, NOTHING_RECORDED, placeIn, timeline, usable } from './clip.ts';
import { createHoles } from './hole.ts';
import { createOverlayRing, type OverlayShot } from './overlay.ts';
import { type ClipRequest, NOTHING_PLANNED, type PlanState, plan } from './plan.ts';
import { createRing, type RingLimits, type RingSegment } from './ring.ts';

export interface RecorderParts {
  /** Holds `segments/` and `clips/`. */
  readonly folder: string;
  readonly store: Pick<Outbox, 'clips' | 'openEpisodes' | 'streams' | 'events'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly roomId: string;
  readonly layout: RoomLayout;
  readonly limits?: Partial<RingLimits>;
}

export interface RecorderHealth {
  readonly segments: number;
  readonly bytes: number;
  readonly freeBytes: number;
  /** Free disk is below what must be kept: the oldest segments are going. */
  readonly low: boolean;
  /** Clips asked for and not cut yet. */
  readonly planned: number;
  /** Segments that could not be taken over since the start. */
  readonly lostSegments: number;
}

export interface Recorder {
  /** Reads what is on disk, takes up clips and wishes of the time before a restart, and begins to cut. */
  start(signal: AbortSignal): Promise<void>;
  /** A finished file of the recorder; it belongs to the ring from now on. */
  segment(cameraId: string, file: SegmentFile): void;
  overlay(cameraId: string, wallMs: WallMs, shot: OverlayShot): void;
  word(wallMs: WallMs, text: string, hit: boolean): void;
  /** Another layout is drawn over clips, and chooses their cameras, from now on. */
  relay(layout: RoomLayout): void;
  /** An event that the outbox has accepted. */
  follow(event: DraftEvent): void;
  /** Clip and gap events to be accepted, until `close`. One reader. */
  drafts(): AsyncIterable<DraftEvent>;
  /** The segment of the camera that was finished last. */
  newest(cameraId: string): RingSegment | undefined;
  health(): RecorderHealth;
  close(): Promise<void>;
}

const LIMITS: RingLimits = { segmentMs: 7_200_000, segmentBytes: 20 * 1024 ** 3, keepFreeBytes: 512 * 1024 ** 2 };
/** How long past its end a clip waits for the segment that holds its last picture. */
const GRACE_MS = 6000;
const RETRY_MS = 5000;
const MAX_ATTEMPTS = 5;
/** A disk or a quota that is full may have room again: the segments stay pinned for five minutes. */
const MAX_FULL_ATTEMPTS = 60;
/** With less of the free disk that must be kept than this share, clips wait: events need the rest more. */
const CLIP_SHARE = 0.25;
/** Wishes that may wait, and pin their segments, at once; beyond it the oldest is given up, with its gap said. */
const MAX_PLANNED = 200;
const HOUSEKEEPING_MS = 30_000;
/** How far back the level of an episode is looked for before the last decision. */
const TAIL_EVENTS = 200;
/** Files waiting to be taken over; beyond it they are left where they are, and counted. */
const MAX_FILING = 500;

interface Planned {
  readonly request: ClipRequest;
  dueMonoMs: MonoMs;
  /** Not later than this, whatever has arrived. */
  lastMonoMs: MonoMs;
  attempts: number;
}

/** The recorder of one room. Nothing is read or written before `start`. */
export function createRecorder(parts: RecorderParts): Recorder {
  const { store, clock, log, roomId } = parts;
  let { layout } = parts;
  const limits = { ...LIMITS, ...parts.limits };
  const clipFolder = join(parts.folder, 'clips');
  const ring = createRing({ folder: join(parts.folder, 'segments'), limits, log });
  const overlays = createOverlayRing({ layout: () => layout, clock });
  const ending = new AbortController();
  const planned = new Map<string, Planned>();
  const drafts: DraftEvent[] = [];
  const reported = new Map<string, Missing>();
  const holeBefore = createHoles(clock);
  let state: PlanState = NOTHING_PLANNED;
  let filing: Promise<void> = Promise.resolve();
  let filingCount = 0;
  let lostSegments = 0;
  let failing: string | undefined;
  let working: Promise<void> | undefined;
  let wakeWorker = () => {};
  let wakeReader = () => {};
  ending.signal.addEventListener('abort', () => {
    wakeWorker();
    wakeReader();
  });

  const say = (draft: DraftEvent): void => {
    drafts.push(draft);
    wakeReader();
  };
  /** Once in the life of an agent: a draft that a full outbox refuses is held by its reader, and takeUp says it after a restart. */
  const announce = (manifest: ClipManifest): void => {
    say({ at: clock.now(), body: { kind: 'clip', episodeId: manifest.episodeId, clip: manifest } });
  };
  /** The same hole under several clips is one gap. */
  const reportGap = (cameraId: string, { fromWallMs, toWallMs, reason }: Missing): void => {
    const last = reported.get(cameraId);
    const says = last && (last.reason === reason || reason === NOTHING_RECORDED);
    if (says && fromWallMs >= last.fromWallMs && toWallMs <= last.toWallMs) return;
    reported.set(cameraId, { fromWallMs, toWallMs, reason });
    const body: GapBody = { kind: 'gap', sourceId: cameraId, role: 'record', fromWallMs, toWallMs, reason };
    say({ at: clock.now(), body });
  };
  const schedule = (request: ClipRequest): void => {
    ring.pin(request.clipId, request.cameraId, request.fromWallMs, request.toWallMs);
    // A due time of another boot says nothing here, except that it has passed.
    const dueMonoMs = request.bootId === clock.now().bootId ? request.dueMonoMs : clock.monoMs();
    planned.set(request.clipId, { request, dueMonoMs, lastMonoMs: dueMonoMs + GRACE_MS, attempts: 0 });
    const oldest = planned.size > MAX_PLANNED ? planned.values().next().value : undefined;
    if (oldest) giveUp(oldest, 'too many clips waited to be cut');
    wakeWorker();
  };
  const giveUp = ({ request }: Planned, reason: string): void => {
    const { clipId, cameraId, fromWallMs, toWallMs } = request;
    forget(clipId);
    try {
      store.clips.unplan(clipId);
    } catch (error) {
      if (!isRetryable(error)) throw error;
      // The row outlives a full disk; after a restart it is tried and given up once more.
      log.warn({ err: error, clipId }, 'the wish for a clip could not be dropped');
    }
    reportGap(cameraId, { fromWallMs, toWallMs, reason });
  };
  const forget = (clipId: string): void => {
    planned.delete(clipId);
    ring.unpin(clipId);
  };
  const wish = (event: DraftEvent): void => {
    const [next, requests] = plan(state, event, {
      layout,
      recorded: ring.cameras(),
      newId: () => `c-${randomUUID()}`,
    });
    state = next;
    for (const request of requests) {
      try {
        store.clips.plan(request);
      } catch (error) {
        if (!isRetryable(error)) throw error;
        // On a full disk the wish lives in memory alone: better a clip that a crash would lose than none.
        log.warn({ err: error, clipId: request.clipId }, 'the wish for a clip could not be saved');
      }
      schedule(request);
    }
  };

  const isReady = ({ request, dueMonoMs, lastMonoMs }: Planned): boolean => {
    const nowMonoMs = clock.monoMs();
    if (nowMonoMs < dueMonoMs) return false;
    return nowMonoMs >= lastMonoMs || (ring.newest(request.cameraId)?.endWallMs ?? 0) >= request.toWallMs;
  };

  const cut = async (item: Planned): Promise<void> => {
    const { request } = item;
    const { clipId, cameraId, fromWallMs, toWallMs } = request;
    item.attempts += 1;
    if (ring.health().freeBytes < limits.keepFreeBytes * CLIP_SHARE)
      throw new Full('disk_low', `Cutting clip ${clipId}: less than a quarter of the disk that must stay free is free`);
    const { segments, missing } = await usable(ring.span(cameraId, fromWallMs, toWallMs));
    const line = timeline(request, segments);
    const holes = [...missing, ...line.missing].filter(
      (hole, index) => index < missing.length || !missing.some((each) => within(hole, each)),
    );
    if (line.segments.length > 0) {
      const overlay = overlays.overlay({ clipId, cameraId, placeMs: (wallMs) => placeIn(line, wallMs) });
      const manifest = await cutClip({ request, roomId, line, overlay, folder: clipFolder });
      store.clips.add(manifest, join(clipFolder, clipId));
      announce(manifest);
    } else store.clips.unplan(clipId);
    forget(clipId);
    for (const hole of holes) reportGap(cameraId, hole);
  };

  const attempt = async (item: Planned): Promise<void> => {
    const { clipId, cameraId } = item.request;
    try {
      await cut(item);
    } catch (error) {
      const most = error instanceof Full ? MAX_FULL_ATTEMPTS : MAX_ATTEMPTS;
      if (isRetryable(error) && item.attempts < most) {
        item.dueMonoMs = item.lastMonoMs = clock.monoMs() + RETRY_MS;
        if (item.attempts === 1) log.warn({ err: error, clipId }, 'a clip could not be cut yet');
        // A folder that has no row: it will be cut again.
        await rm(join(clipFolder, clipId), { recursive: true, force: true });
        return;
      }
      log.error({ err: error, clipId, cameraId }, 'a clip could not be cut: the gap is reported');
      await rm(join(clipFolder, clipId), { recursive: true, force: true });
      giveUp(item, `the clip could not be cut (${(error as { code?: string }).code ?? 'failed'})`);
    }
  };

  const housekeep = async (): Promise<void> => {
    // Also where no segment comes: the disk fills without us.
    await ring.sweep().catch((error: unknown) => log.warn({ err: error }, 'the ring could not be swept'));
    const open = new Set(store.openEpisodes().map(({ body }) => (body.kind === 'episode' ? body.episodeId : '')));
    for (const { manifest } of store.clips.list('acked'))
      if (!open.has(manifest.episodeId)) store.clips.remove(manifest.clipId);
  };

  const work = async (): Promise<void> => {
    let kept = clock.monoMs();
    while (!ending.signal.aborted) {
      const ready = [...planned.values()].filter(isReady).sort((a, b) => a.dueMonoMs - b.dueMonoMs)[0];
      if (ready) await attempt(ready);
      else {
        const nowMonoMs = clock.monoMs();
        const waits = [...planned.values()].map(({ dueMonoMs, lastMonoMs }) =>
          nowMonoMs < dueMonoMs ? dueMonoMs - nowMonoMs : lastMonoMs - nowMonoMs,
        );
        const rested = new AbortController();
        const stop = () => rested.abort();
        wakeWorker = stop;
        await clock.sleep(Math.max(1, Math.min(HOUSEKEEPING_MS, ...waits)), rested.signal);
      }
      if (clock.monoMs() - kept >= HOUSEKEEPING_MS) {
        kept = clock.monoMs();
        // On a full disk nothing can be cleared away now: that must not end the agent, which would then not start again.
        await housekeep().catch((error: unknown) => {
          if (!isRetryable(error)) throw error;
          log.warn({ err: error }, 'clearing away what is sent failed; trying again later');
        });
      }
    }
  };

  /** Clips on disk against rows: half-made ones go, sent ones go, whole ones without a row are taken up again. */
  const takeUp = async (): Promise<void> => {
    await mkdir(clipFolder, { recursive: true });
    const rows = new Map<string, 'sent' | 'kept'>();
    for (const { manifest } of store.clips.list('acked')) rows.set(manifest.clipId, 'sent');
    for (const row of ['cut', 'announced', 'uploading'] as const)
      for (const { manifest } of store.clips.list(row)) rows.set(manifest.clipId, 'kept');
    for (const name of await readdir(clipFolder)) {
      const path = join(clipFolder, name);
      if (name.startsWith('.making-') || rows.get(name) === 'sent') await rm(path, { recursive: true, force: true });
      else if (!rows.has(name) && !name.includes('.damaged')) await adopt(path, name);
    }
    for (const { manifest } of store.clips.list('cut')) announce(manifest);
  };
  const adopt = async (path: string, clipId: string): Promise<void> => {
    try {
      const manifest = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')) as ClipManifest;
      for (const file of manifest.files)
        if ((await described(path, file.name)).sha256 !== file.sha256)
          throw new Corrupt('clip_damaged', `Taking clip ${clipId} up again: ${file.name} has another sha256`);
      store.clips.add(manifest, path);
      log.warn({ clipId }, 'a clip without a row was taken up again');
    } catch (error) {
      log.error({ err: error, clipId }, 'a folder among the clips is no whole clip: set aside');
      // One that is in the way already must not keep the room from being recorded.
      await rename(path, `${path}.damaged`).catch((cause: unknown) =>
        log.error({ err: cause, clipId }, 'a folder that is no whole clip could not be set aside'),
      );
    }
  };

  const has = (episodeId: string, cause?: ClipCause): boolean => {
    const fits = (one: Pick<ClipRequest, 'episodeId' | 'cause'>) =>
      one.episodeId === episodeId && (cause === undefined || one.cause === cause);
    return (
      [...planned.values()].some(({ request }) => fits(request)) ||
      store.clips.ofEpisode(episodeId).some(({ manifest }) => fits(manifest))
    );
  };

  /**
   * The events of alerts not acked yet, and from which of them on the last decision is. A process that ended between
   * the acceptance of that one and its wishes left it without clips; earlier ones have had theirs.
   */
  const lastAccepted = (): { readonly events: readonly DraftEvent[]; readonly from: number } => {
    const stream = store.streams().find(({ lane, lastSeq, through }) => lane === 'alert' && lastSeq > through);
    if (!stream) return { events: [], from: 0 };
    const events = store.events(stream.streamId, Math.max(stream.through, stream.lastSeq - TAIL_EVENTS), TAIL_EVENTS);
    const last = events.at(-1)?.at;
    return { events, from: events.findIndex(({ at }) => at.monoMs === last?.monoMs && at.bootId === last.bootId) };
  };
  const followLast = ({ events, from }: ReturnType<typeof lastAccepted>): void => {
    const levels = new Map<string, Level>();
    for (const [index, event] of events.entries()) {
      if (event.body.kind !== 'episode') continue;
      const { episodeId, phase, level } = event.body;
      const before = levels.get(episodeId);
      levels.set(episodeId, level);
      const risen = before === 'notice' && level === 'alarm';
      const cause = phase === 'update' ? (risen ? 'escalation' : undefined) : phase;
      if (index < from || cause === undefined || has(episodeId, cause)) continue;
      if (before !== undefined) state = { levels: new Map(state.levels).set(episodeId, before) };
      wish(event);
    }
  };

  return {
    async start(signal) {
      signal.addEventListener('abort', () => ending.abort(), { once: true });
      // Before anything else runs: what is sent meanwhile may be acked, and is then no longer here to be looked at.
      const last = lastAccepted();
      await ring.open();
      const wishes = store.clips.plans();
      await takeUp();
      const known = new Set(store.clips.plans().map(({ clipId }) => clipId));
      for (const request of wishes) if (known.has(request.clipId)) schedule(request);
      followLast(last);
      for (const draft of store.openEpisodes()) {
        if (draft.body.kind !== 'episode') continue;
        const { episodeId, level } = draft.body;
        if (has(episodeId)) state = { levels: new Map(state.levels).set(episodeId, level) };
        else wish(draft);
      }
      working ??= work().catch((error: unknown) => {
        log.fatal({ err: error }, 'recording ended by a fault of its own');
        throw error;
      });
    },
    segment(cameraId, file) {
      if (filingCount >= MAX_FILING) {
        lostSegments += 1;
        return;
      }
      filingCount += 1;
      filing = filing
        .then(async () => {
          const before = ring.newest(cameraId);
          await ring.add(cameraId, file);
          const hole = holeBefore(cameraId, before, file);
          if (hole) reportGap(cameraId, hole);
        })
        .then(
          () => {
            failing = undefined;
          },
          (error: NodeJS.ErrnoException) => {
            lostSegments += 1;
            // Once for each kind of trouble, not for each segment of a night.
            if (failing !== (error.code ?? error.message)) log.error({ err: error, cameraId }, 'a segment was lost');
            failing = error.code ?? error.message;
          },
        )
        .finally(() => {
          filingCount -= 1;
          wakeWorker();
        });
    },
    overlay: (cameraId, wallMs, shot) => overlays.frame(cameraId, wallMs, shot),
    word: (wallMs, text, hit) => overlays.word(wallMs, text, hit),
    relay(next) {
      layout = next;
    },
    follow: wish,
    async *drafts() {
      for (;;) {
        const draft = drafts.shift();
        if (draft) yield draft;
        else if (ending.signal.aborted) return;
        else
          await new Promise<void>((resolve) => {
            wakeReader = resolve;
          });
      }
    },
    newest: (cameraId) => ring.newest(cameraId),
    health: () => ({ ...ring.health(), planned: planned.size, lostSegments }),
    async close() {
      ending.abort();
      await working;
      await filing;
    },
  };
}

function within(inner: Missing, outer: Missing): boolean {
  return inner.fromWallMs >= outer.fromWallMs - 1 && inner.toWallMs <= outer.toWallMs + 1;
}
