/** Scripted rooms and events for the page's own tests: what an agent and an ingest would have made, without either. */
import { randomUUID } from 'node:crypto';
import type { ActionKind, ActionView, AlertView, RoomCard, StoredEvent } from '../../cloud/http/api.ts';
import type { ClipCause, ClipManifest } from '../../protocol/clip.ts';
import {
  type Behaviour,
  type EpisodeBody,
  type EventBody,
  isSuspected,
  type Level,
  type Phase,
  type Sentence,
} from '../../protocol/event.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import type { RoomState } from '../../protocol/stream.ts';
import type { Instant } from '../../protocol/time.ts';

export const FLOOR = [
  [-2.5, 4.0],
  [-1.3, 5.2],
  [0, 5.6],
  [1.3, 5.2],
  [2.5, 4.0],
] as const;

const NAMES = [
  '评标一室',
  '评标二室',
  '评标三室',
  '评标四室',
  '评标五室',
  '评标六室',
  '评标七室',
  '评标八室',
  '评标九室',
];

export type ZoneOf = (seat: number) => readonly (readonly [number, number])[];

/** A row of five zones across the picture, where no footage says better. */
export const plainZone: ZoneOf = (seat) => {
  const x = 0.06 + (seat - 1) * 0.18;
  return [
    [x, 0.35],
    [x + 0.16, 0.35],
    [x + 0.16, 0.75],
    [x, 0.75],
  ];
};

export function layoutOf(room: number, zoneOf: ZoneOf): RoomLayout {
  return {
    roomId: `room-10${room}`,
    name: NAMES[room - 1] ?? `评标${room}室`,
    centre: '示范公共资源交易中心',
    timeZone: 'Asia/Shanghai',
    seats: FLOOR.map((floor, i) => ({
      seatId: String(i + 1),
      name: `${i + 1}号席`,
      floor: [floor[0], floor[1]],
      views: [{ cameraId: 'cam-a', zone: zoneOf(i + 1) }],
    })),
    zones: [],
    doorLines: [],
    floor: [],
    roster: FLOOR.slice(0, room === 4 ? 3 : 5).map((_, i) => ({ seatId: String(i + 1), expertId: `E-${20931 + i}` })),
  };
}

export type Row =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'action'; readonly action: ActionView }
  | { readonly kind: 'clip'; readonly clipId: string; readonly episodeId: string };

export interface Happening {
  readonly roomId: string;
  readonly behaviour: Behaviour;
  readonly level: Level;
  readonly seatIds: readonly string[];
  readonly sentence: Sentence;
  readonly agoMs: number;
  readonly body?: Partial<EpisodeBody>;
}

/** Rows in the order of their storing, and the alerts folded over them: the cloud's side of the feed, in memory. */
export class World {
  readonly rows: Row[] = [];
  readonly rooms = new Map<string, RoomCard>();
  readonly clips = new Map<string, { clip: ClipManifest; ready: boolean; storedWallMs?: number; file: string }>();
  readonly views: { userName: string; wallMs: number; clipId: string }[] = [];
  readonly log: { seq: number; wallMs: number; actor: string; action: string; object: string; hash: string }[] = [];
  private readonly listeners = new Set<(row: Row, cursor: number) => void>();
  private seq = 0;

  onRow(listener: (row: Row, cursor: number) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private push(row: Row): void {
    this.rows.push(row);
    for (const listener of this.listeners) listener(row, this.rows.length);
  }

  note(actor: string, action: string, object: string): void {
    const seq = this.log.length + 1;
    this.log.push({ seq, wallMs: Date.now(), actor, action, object, hash: randomUUID().replaceAll('-', '').repeat(2) });
  }

  store(roomId: string, body: EventBody, agoMs = 0): StoredEvent {
    const wallMs = Date.now() - agoMs;
    const event: StoredEvent = {
      eventId: randomUUID(),
      streamId: `stream-${roomId}`,
      seq: ++this.seq,
      roomId,
      at: { ...instant(), wallMs },
      body,
      storedWallMs: wallMs + 40,
    };
    this.push({ kind: 'event', event });
    return event;
  }

  begin(what: Happening): string {
    const episodeId = randomUUID();
    this.store(what.roomId, this.episode(what, episodeId, 'begin', what.body?.durationMs ?? 10_000), what.agoMs);
    return episodeId;
  }

  /** The next event of an episode, changed where told. */
  go(episodeId: string, phase: Phase, change: Partial<EpisodeBody>, agoMs = 0): void {
    const last = this.bodies(episodeId).at(-1);
    const roomId = this.events(episodeId)[0]?.roomId;
    if (!last || !roomId) throw new RangeError(`no episode ${episodeId}`);
    this.store(roomId, { ...last, phase, ...change }, agoMs);
  }

  announce(
    episodeId: string,
    cause: ClipCause,
    file: string,
    manifest: Pick<ClipManifest, 'beginWallMs' | 'durationMs' | 'files'>,
  ): string {
    const first = this.events(episodeId)[0];
    if (!first) throw new RangeError(`no episode ${episodeId}`);
    const clip: ClipManifest = {
      clipId: randomUUID(),
      episodeId,
      roomId: first.roomId,
      cameraId: 'cam-a',
      cause,
      ...manifest,
      endWallMs: manifest.beginWallMs + manifest.durationMs,
    };
    this.clips.set(clip.clipId, { clip, ready: false, file });
    this.store(first.roomId, { kind: 'clip', episodeId, clip });
    return clip.clipId;
  }

  arrive(clipId: string): void {
    const held = this.clips.get(clipId);
    if (!held) throw new RangeError(`no clip ${clipId}`);
    this.clips.set(clipId, { ...held, ready: true, storedWallMs: Date.now() });
    this.push({ kind: 'clip', clipId, episodeId: held.clip.episodeId });
  }

  act(episodeId: string, kind: ActionKind, userName: string, note: string | undefined): ActionView {
    const action: ActionView = {
      actionId: randomUUID(),
      episodeId,
      kind,
      userName,
      wallMs: Date.now(),
      ...(note ? { note } : {}),
    };
    this.push({ kind: 'action', action });
    this.note(userName, kind, episodeId);
    return action;
  }

  events(episodeId: string): StoredEvent[] {
    return this.rows.flatMap((row) =>
      row.kind === 'event' && 'episodeId' in row.event.body && row.event.body.episodeId === episodeId
        ? [row.event]
        : [],
    );
  }

  actions(episodeId: string): ActionView[] {
    return this.rows.flatMap((row) =>
      row.kind === 'action' && row.action.episodeId === episodeId ? [row.action] : [],
    );
  }

  private bodies(episodeId: string): EpisodeBody[] {
    return this.events(episodeId).flatMap((event) => (event.body.kind === 'episode' ? [event.body] : []));
  }

  alert(episodeId: string): AlertView | undefined {
    const events = this.events(episodeId).filter((event) => event.body.kind === 'episode');
    const [first, last] = [events[0], events.at(-1)];
    const body = this.bodies(episodeId).at(-1);
    if (!first || !last || !body) return undefined;
    const actions = this.actions(episodeId);
    const verdicts = { confirm: 'confirmed', false: 'false', unclear: 'unclear' } as const;
    const verdict = actions
      .flatMap(({ kind }) => (kind in verdicts ? [verdicts[kind as keyof typeof verdicts]] : []))
      .at(-1);
    const acknowledged = actions.some(({ kind }) => kind === 'acknowledge');
    return {
      episodeId,
      roomId: first.roomId,
      behaviour: body.behaviour,
      level: body.level,
      seatIds: body.seatIds,
      ...(body.sourceId ? { sourceId: body.sourceId } : {}),
      beganWallMs: body.beganWallMs,
      lastWallMs: last.at.wallMs,
      firstStoredWallMs: first.storedWallMs,
      lastStoredWallMs: last.storedWallMs,
      durationMs: body.durationMs,
      phase: body.phase,
      state:
        verdict || actions.some(({ kind }) => kind === 'close') ? 'closed' : acknowledged ? 'acknowledged' : 'open',
      ...(verdict ? { verdict } : {}),
      escalated: actions.some(({ kind }) => kind === 'escalate'),
      ...(isSuspected(body) ? { suspected: true } : {}),
      sentence: body.sentence,
      ...(body.fault ? { fault: body.fault } : {}),
      clips: [...this.clips.values()]
        .filter(({ clip }) => clip.episodeId === episodeId)
        .map(({ clip, ready }) => ({ clipId: clip.clipId, ready })),
    };
  }

  alerts(): AlertView[] {
    const ids = new Set(
      this.rows.flatMap((row) =>
        row.kind === 'event' && row.event.body.kind === 'episode' ? [row.event.body.episodeId] : [],
      ),
    );
    return [...ids].flatMap((id) => this.alert(id) ?? []);
  }

  private episode(what: Happening, episodeId: string, phase: Phase, durationMs: number): EpisodeBody {
    return {
      kind: 'episode',
      episodeId,
      phase,
      behaviour: what.behaviour,
      level: what.level,
      seatIds: what.seatIds,
      sourceId: 'cam-a',
      beganWallMs: Date.now() - what.agoMs - durationMs,
      from: 'LEAVING',
      to: 'AWAY',
      durationMs,
      rule: {
        pack: 'demo',
        packVersion: '1',
        ruleId: what.behaviour,
        citation: '评标专家应当在指定席位独立评标，未经监督人员同意不得离席，离席须有人陪同。',
      },
      figures: [
        { name: 'away', value: durationMs / 1000, threshold: 10, unit: 's' },
        { name: 'somebodyShare', value: 0.06, threshold: 0.2, unit: '' },
      ],
      sentence: what.sentence,
      ...what.body,
    };
  }
}

export function instant(): Instant {
  return { wallMs: Date.now(), monoMs: Math.round(performance.now()), bootId: 'boot-1', clock: 'sure', offsetMs: 3 };
}

/** A healthy state of a room; seats named in `away` and `unknown` are so since `sinceMs` ago. */
export function stateOf(
  layout: RoomLayout,
  seats: { away?: readonly string[]; unknown?: readonly string[]; sinceMs?: number } = {},
  health: Partial<RoomState['health']> = {},
): RoomState {
  const since = Date.now() - (seats.sinceMs ?? 66_000);
  return {
    v: 1,
    roomId: layout.roomId,
    at: instant(),
    layout,
    seats: layout.seats.map(({ seatId }) => {
      const away = seats.away?.includes(seatId);
      const unknown = seats.unknown?.includes(seatId);
      return {
        seatId,
        occupancy: away ? 'no' : unknown ? 'unknown' : 'yes',
        sinceWallMs: away || unknown ? since : Date.now() - 3_000_000,
        state: away ? 'AWAY' : unknown ? 'UNKNOWN' : 'SEATED',
      };
    }),
    rulePack: { name: 'demo', version: '1' },
    health: {
      cameras: [
        {
          cameraId: 'cam-a',
          decode: 'running',
          record: 'running',
          audio: 'running',
          analysedFps: 2 + Math.random() * 0.1,
          drops: 3,
          inferenceMs: 62 + Math.random() * 12,
        },
      ],
      ears: [
        { microphoneId: 'cam-a', language: 'en', state: 'hearing', rmsDb: -42 },
        { microphoneId: 'cam-a', language: 'zh-CN', state: 'hearing', rmsDb: -42 },
      ],
      outbox: { events: 0, oldestMs: 0, full: false },
      clipsWaiting: 0,
      disk: { freeBytes: 212_000_000_000, low: false },
      modelSet: 'centernet+pose-lite',
      rssBytes: 512_000_000,
      ...health,
    },
  };
}
