/** Beside the outbox in SQLite: the same promises in memory, for tests and simulations; what survives an opening is a value. */
import { randomUUID } from 'node:crypto';
import type { ClipManifest } from '../../protocol/clip.ts';
import { Bug, Full } from '../../protocol/errors.ts';
import type { DraftEvent, RoomEvent } from '../../protocol/event.ts';
import { draftJson } from '../../protocol/schema.ts';
import { LANES, type Lane, laneOf } from '../../protocol/stream.ts';
import type { Clock } from '../../protocol/time.ts';
import type { ClipRequest } from '../record/plan.ts';
import { judgeAck } from './judge-ack.ts';
import type { ClipRow, ClipRows, Outbox } from './outbox.ts';
import { withoutOldWords } from './words.ts';

interface Stream {
  readonly streamId: string;
  readonly lane: Lane;
  lastSeq: number;
  through: number;
  /** See AckedStream for these. */
  chain: number | null;
  offered: number;
  left: boolean;
  events: RoomEvent[];
}

/** What lies on the disk that a memory outbox does not have: give it to the next opening; `structuredClone` is an image. */
export interface MemoryDisk {
  readonly streams: Map<string, Stream>;
}

export interface MemoryOutboxOptions {
  readonly roomId: string;
  readonly clock: Clock;
  readonly quotaEvents: number;
  readonly quotaClipBytes?: number;
  /** Left by an earlier opening; clips and open episodes are not kept in it. */
  readonly disk?: MemoryDisk;
  /** `disk` is the copy of a machine that runs: it goes on in the same streams. */
  readonly running?: true;
  /** Makes ids of events and streams; a simulation gives its own, so that a seed repeats. */
  readonly newId?: () => string;
}

/** An outbox without a disk: see Outbox for the promises. */
export function memoryOutbox(options: MemoryOutboxOptions): Outbox {
  const { roomId, clock, quotaEvents, quotaClipBytes, newId = randomUUID } = options;
  const { streams } = options.disk ?? { streams: new Map<string, Stream>() };
  const current = new Map<Lane, Stream>();
  const episodes = new Map<string, DraftEvent>();
  const { rows: clips, announce, released } = memoryClips(quotaClipBytes ?? Number.POSITIVE_INFINITY);

  const open = (lane: Lane): Stream => {
    const stream: Stream = {
      streamId: `s-${newId()}`,
      lane,
      lastSeq: 0,
      through: 0,
      chain: 0,
      offered: 0,
      left: false,
      events: [],
    };
    streams.set(stream.streamId, stream);
    current.set(lane, stream);
    return stream;
  };
  const dropIfDrained = (stream: Stream): void => {
    if (stream.events.length === 0 && current.get(stream.lane) !== stream) streams.delete(stream.streamId);
  };
  const held = (): number => [...streams.values()].reduce((sum, stream) => sum + stream.events.length, 0);
  const append = (stream: Stream, event: Omit<RoomEvent, 'streamId' | 'seq'>): RoomEvent => {
    const placed = { ...event, streamId: stream.streamId, seq: stream.lastSeq + 1 };
    stream.lastSeq += 1;
    stream.events.push(placed);
    return placed;
  };

  const accept = (drafts: readonly DraftEvent[]): RoomEvent[] => {
    if (held() + drafts.length > quotaEvents)
      throw new Full('outbox_full', `Accepting ${drafts.length} event(s): the quota is ${quotaEvents}`);
    for (const draft of drafts) {
      const refused = draftJson(draft);
      if (!refused.ok) throw new Bug('draft_unfit', `Accepting a ${draft.body.kind} event: ${refused.reason}`);
    }
    return drafts.map((draft) => {
      const { body } = draft;
      const event = append(current.get(laneOf(body))!, { ...structuredClone(draft), eventId: newId(), roomId });
      if (body.kind === 'episode') {
        if (body.phase === 'end') episodes.delete(body.episodeId);
        else episodes.set(body.episodeId, draft);
      } else if (body.kind === 'clip') announce(body.clip.clipId, event.eventId);
      return event;
    });
  };

  for (const stream of options.running ? [] : [...streams.values()]) {
    if (stream.events.length === 0) streams.delete(stream.streamId);
    stream.offered = 0;
    stream.left = true;
  }
  for (const lane of LANES)
    if (options.running) current.set(lane, [...streams.values()].findLast((stream) => stream.lane === lane)!);
    else open(lane);
  return {
    roomId,
    opening: { kind: 'new' },
    accept,
    openEpisodes: () => [...episodes.values()],
    streams: () =>
      [...streams.values()]
        .filter((stream) => stream.events.length > 0 || current.get(stream.lane) === stream)
        .map(({ streamId, lane, lastSeq, through }) => ({
          streamId,
          lane,
          lastSeq,
          through,
          current: current.get(lane)?.streamId === streamId,
        }))
        .reverse(),
    events: (streamId, afterSeq, limit) =>
      (streams.get(streamId)?.events ?? []).filter((event) => event.seq > afterSeq).slice(0, limit),
    sent: (streamId, seq) => {
      const stream = streams.get(streamId);
      if (!stream) return;
      stream.offered = Math.max(stream.offered, Math.min(seq, stream.lastSeq));
    },
    ack: (told) => {
      const stream = streams.get(told.streamId);
      if (!stream) return 'unknown_stream';
      const judged = judgeAck(stream, told, (seq) =>
        stream.events.flatMap((event) => (event.seq <= seq ? [event.eventId] : [])),
      );
      if (typeof judged === 'string') return judged;
      const { through, chain } = judged;
      stream.chain = chain;
      for (const event of stream.events) if (event.seq <= through) released(event.eventId);
      stream.events = stream.events.filter((event) => event.seq > through);
      stream.through = through;
      dropIfDrained(stream);
      return 'progress';
    },
    quarantine: (streamId, reason) => {
      const stream = streams.get(streamId);
      if (!stream) return 0;
      const target = current.get(stream.lane) === stream ? open(stream.lane) : current.get(stream.lane)!;
      for (const { streamId: _, seq: __, ...event } of stream.events) append(target, event);
      const moved = stream.events.length;
      streams.delete(streamId);
      const at = clock.now();
      const span = { fromWallMs: at.wallMs, toWallMs: at.wallMs };
      accept([
        { at, body: { kind: 'gap', sourceId: 'outbox', role: 'record', ...span, reason: `quarantined: ${reason}` } },
      ]);
      return moved;
    },
    rollOver: (lane) => {
      const old = current.get(lane)!;
      if (old.lastSeq === 0) return;
      open(lane);
      dropIfDrained(old);
    },
    removeWords: (days) => {
      let removed = 0;
      for (const stream of streams.values())
        stream.events = stream.events.map((event) => {
          const left = withoutOldWords(event, days, clock.now());
          if (left) removed++;
          return left ?? event;
        });
      return removed;
    },
    stats: () => {
      const oldest = [...streams.values()].map((stream) => stream.events[0]?.at.monoMs ?? clock.monoMs());
      const events = held();
      return { events, oldestMs: Math.max(0, clock.monoMs() - Math.min(...oldest)), full: events >= quotaEvents };
    },
    clips,
    close: () => {},
  };
}

function memoryClips(quotaBytes: number) {
  const plans = new Map<string, ClipRequest>();
  const rows = new Map<string, ClipRow & { eventId?: string }>();
  const change = (clipId: string, over: Partial<ClipRow & { eventId: string }>) => {
    const row = rows.get(clipId);
    if (row) rows.set(clipId, { ...row, ...over });
  };
  const size = (manifest: ClipManifest) => manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const stats = () => {
    const kept = [...rows.values()].filter((row) => row.state !== 'acked');
    return { waiting: kept.length, bytes: kept.reduce((sum, row) => sum + size(row.manifest), 0) };
  };
  const clips: ClipRows = {
    plan: (request) => void plans.set(request.clipId, request),
    plans: () => [...plans.values()],
    unplan: (clipId) => void plans.delete(clipId),
    add: (manifest, folder) => {
      if (stats().bytes + size(manifest) > quotaBytes)
        throw new Full('clips_full', `Keeping clip ${manifest.clipId}: the quota of ${quotaBytes} bytes is used up`);
      rows.set(manifest.clipId, { manifest, state: 'cut', folder, attempts: 0, uploads: {} });
      plans.delete(manifest.clipId);
    },
    list: (state) => [...rows.values()].filter((row) => row.state === state).reverse(),
    ofEpisode: (episodeId) => [...rows.values()].filter((row) => row.manifest.episodeId === episodeId),
    attempted: (clipId) => change(clipId, { attempts: (rows.get(clipId)?.attempts ?? 0) + 1 }),
    upload: (clipId, name, at) => {
      const { [name]: _, ...others } = rows.get(clipId)?.uploads ?? {};
      change(clipId, { uploads: at === undefined ? others : { ...others, [name]: at } });
    },
    acked: (clipId) => {
      if (rows.get(clipId)?.state === 'uploading') change(clipId, { state: 'acked' });
    },
    remove: (clipId) => void rows.delete(clipId),
    stats,
  };
  return {
    rows: clips,
    announce: (clipId: string, eventId: string) => {
      if (rows.get(clipId)?.state === 'cut') change(clipId, { state: 'announced', eventId });
    },
    released: (eventId: string) => {
      for (const row of rows.values())
        if (row.eventId === eventId && row.state === 'announced') change(row.manifest.clipId, { state: 'uploading' });
    },
  };
}
