/** What rooms look like at this moment, in memory only: the newest state and picture of each, bounded, newest wins. */
import type { PictureAnswer } from '../../protocol/picture.ts';
import type { RoomState } from '../../protocol/stream.ts';
import type { RoomCard } from '../http/api.ts';

const ROOMS_MAX = 2000;
const CAMERAS_MAX = 16;
/** A room is told of at most five times a second, whatever it sends: one box must not keep every browser busy. */
const TELL_MS = 200;

export interface Snapshot {
  readonly wallMs: number;
  readonly jpeg: Uint8Array;
}

interface Entry {
  state?: RoomState;
  heardWallMs?: number;
  readonly snapshots: Map<string, Snapshot>;
  /** Wall time of the last change told, by what changed. */
  readonly told: Map<string, number>;
}

export type RoomChange =
  | { readonly kind: 'state'; readonly roomId: string; readonly heardWallMs: number; readonly state: RoomState }
  | { readonly kind: 'snapshot'; readonly roomId: string; readonly cameraId: string; readonly wallMs: number };

/** What a box gave when it was asked for a larger picture; never kept here. */
export interface HeardPicture {
  readonly roomId: string;
  readonly cameraId: string;
  readonly answer: PictureAnswer;
  /** Cloud's wall time at which it arrived. */
  readonly wallMs: number;
}

export interface Rooms {
  heardState(roomId: string, state: RoomState, wallMs: number): void;
  heardSnapshot(roomId: string, cameraId: string, jpeg: Uint8Array, wallMs: number): void;
  heardPicture(roomId: string, cameraId: string, answer: PictureAnswer, wallMs: number): void;
  /** Rooms heard of, and those of `known` that were not. */
  cards(known: readonly string[]): RoomCard[];
  snapshot(roomId: string, cameraId: string): Snapshot | undefined;
  /** The newest one heard. */
  state(roomId: string): RoomState | undefined;
  layout(roomId: string): RoomState['layout'] | undefined;
  /** Told of each change; returns how to stop it. */
  onChange(listener: (change: RoomChange) => void): () => void;
  /** Told of each larger picture; returns how to stop it. */
  onPicture(listener: (picture: HeardPicture) => void): () => void;
}

/** Beyond 2,000 rooms the one that was silent longest is forgotten; it comes back with its next state. */
export function createRooms(): Rooms {
  // In order of the last sign of life: the first one is the longest silent.
  const entries = new Map<string, Entry>();
  const listeners = new Set<(change: RoomChange) => void>();
  const onlookers = new Set<(picture: HeardPicture) => void>();
  const touch = (roomId: string): Entry => {
    const entry = entries.get(roomId) ?? { snapshots: new Map(), told: new Map() };
    entries.delete(roomId);
    entries.set(roomId, entry);
    if (entries.size > ROOMS_MAX) entries.delete(entries.keys().next().value!);
    return entry;
  };
  const tell = (change: RoomChange, { told }: Entry, what: string, wallMs: number) => {
    // Either way: a clock that steps back must not silence a room.
    if (Math.abs(wallMs - (told.get(what) ?? Number.NEGATIVE_INFINITY)) < TELL_MS) return;
    told.set(what, wallMs);
    for (const listener of listeners) listener(change);
  };
  return {
    heardState(roomId, state, wallMs) {
      const entry = touch(roomId);
      entry.state = state;
      entry.heardWallMs = wallMs;
      tell({ kind: 'state', roomId, heardWallMs: wallMs, state }, entry, 'state', wallMs);
    },
    heardSnapshot(roomId, cameraId, jpeg, wallMs) {
      const entry = touch(roomId);
      const { snapshots } = entry;
      if (!snapshots.has(cameraId) && snapshots.size >= CAMERAS_MAX) return;
      snapshots.set(cameraId, { wallMs, jpeg });
      tell({ kind: 'snapshot', roomId, cameraId, wallMs }, entry, `snapshot ${cameraId}`, wallMs);
    },
    heardPicture(roomId, cameraId, answer, wallMs) {
      for (const onlooker of [...onlookers]) onlooker({ roomId, cameraId, answer, wallMs });
    },
    cards(known) {
      return [...new Set([...known, ...entries.keys()])].sort().map((roomId) => {
        const { state, heardWallMs, snapshots } = entries.get(roomId) ?? { snapshots: new Map<string, Snapshot>() };
        return {
          roomId,
          name: state?.layout.name ?? roomId,
          centre: state?.layout.centre ?? '',
          ...(state ? { state } : {}),
          ...(heardWallMs === undefined ? {} : { heardWallMs }),
          snapshots: [...snapshots].map(([cameraId, { wallMs }]) => ({ cameraId, wallMs })),
        };
      });
    },
    snapshot: (roomId, cameraId) => entries.get(roomId)?.snapshots.get(cameraId),
    state: (roomId) => entries.get(roomId)?.state,
    layout: (roomId) => entries.get(roomId)?.state?.layout,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onPicture(listener) {
      onlookers.add(listener);
      return () => onlookers.delete(listener);
    },
  };
}
