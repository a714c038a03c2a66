/** The contract of the wire: streams, batches and acks between one agent's outbox and the ingest. */
import type { EventBody, Level, Occupancy, RoomEvent } from './event.ts';
import type { OrdersReport } from './orders.ts';
import type { RoomLayout } from './room.ts';
import type { Polygon } from './seat.ts';
import type { Instant } from './time.ts';
import type { Why } from './why.ts';

export const PROTOCOL_VERSION = 1;

/** A lane is a stream of its own: an alert never waits behind routine records. */
export const LANES = ['alert', 'routine'] as const;
export type Lane = (typeof LANES)[number];

/** Bounds that both sides check. */
export const LIMITS = {
  /** Events in one batch. */
  batchEvents: 50,
  /** Published and not yet acked events of one stream. */
  windowEvents: 200,
  /** Bytes of one event as JSON. */
  eventBytes: 64 * 1024,
  /** Bytes of one batch payload. */
  batchBytes: 1024 * 1024,
  /** Highest seq: beyond it JSON numbers are not exact. */
  maxSeq: Number.MAX_SAFE_INTEGER,
  /** Bytes of a snapshot JPEG. */
  snapshotBytes: 256 * 1024,
  /** Bytes of a room state payload. */
  stateBytes: 128 * 1024,
} as const;

export interface Batch {
  readonly v: typeof PROTOCOL_VERSION;
  readonly streamId: string;
  readonly lane: Lane;
  /** 1..50 events of this stream in rising seq, no holes inside the batch. */
  readonly events: readonly RoomEvent[];
}

/** Everything of `streamId` up to and including `through` is stored for good (0: nothing yet). */
export interface Ack {
  readonly v: typeof PROTOCOL_VERSION;
  readonly streamId: string;
  readonly through: number;
  /**
   * The event that the cloud has at `through`, and the CRC-32 of the eventIds of seq 1 to `through`, one after the other; where it
   * knows them. An agent that has others there deletes nothing, since somebody else writes its stream.
   */
  readonly eventId?: string;
  readonly chain?: number;
  /** Set when the stream may not go on: the agent must begin a new stream and report. */
  readonly quarantined?: string;
}

/** Volatile picture of a room, newest wins, never stored as a fact: topic `…/state`, QoS 0, about once a second. */
export interface RoomState {
  readonly v: typeof PROTOCOL_VERSION;
  readonly roomId: string;
  readonly at: Instant;
  readonly layout: RoomLayout;
  readonly seats: readonly {
    readonly seatId: string;
    readonly occupancy: Occupancy;
    /** Wall time since when the occupancy holds. */
    readonly sinceWallMs: number;
    /** Machine state of the left-seat rule: UNKNOWN, SEATED, LEAVING, AWAY, RETURNED. */
    readonly state: string;
    readonly level?: Level;
  }[];
  readonly rulePack: { readonly name: string; readonly version: string };
  /** Which orders of the cloud run; absent where the box was never given any. */
  readonly orders?: OrdersReport;
  /** Places where people sat and no seat is drawn, found by watching; for whoever sets the room up. */
  readonly proposals?: readonly {
    readonly cameraId: string;
    readonly watchedMs: number;
    readonly seats: readonly { readonly zone: Polygon /** Share 0..1 of the time. */; readonly share: number }[];
  }[];
  readonly health: RoomHealth;
}

export interface RoomHealth {
  readonly cameras: readonly {
    readonly cameraId: string;
    readonly decode: 'starting' | 'running' | 'down';
    readonly record: 'starting' | 'running' | 'down';
    readonly audio: 'starting' | 'running' | 'down' | 'none';
    readonly analysedFps: number;
    readonly drops: number;
    readonly inferenceMs: number;
    /** What the eyes did for this camera per second, and whether they cannot keep up with its frames. */
    readonly rates?: {
      readonly detections: number;
      readonly regions: number;
      readonly poses: number;
      readonly strained: boolean;
    };
    /**
     * What each stage takes, in ms, mean of the last ten seconds: `detector` and `pose` of a frame that the eyes looked at
     * (together `inferenceMs`), `decide` of one that was decided on. Absent from an agent older than this.
     */
    readonly stages?: {
      /** Frames per second out of the decoder; `analysedFps` of them went on, `drops` counts those that were not looked at. */
      readonly decodedFps: number;
      /** How old a picture was when it came out of the decoder, where that is known. */
      readonly lagMs?: number;
      readonly detectorMs: number;
      readonly poseMs: number;
      readonly decideMs: number;
      /** Frames since the start that gave nothing because the models were down or failed. */
      readonly blind: number;
    };
    /** Present while the camera is nudged: what is drawn is moved along by so much of the picture, to the right and down. */
    readonly nudged?: { readonly dx: number; readonly dy: number };
    /** Where floor points are measured on its picture: `doubtful` while the camera is not where they were measured from. */
    readonly floor?: 'sure' | 'doubtful';
    readonly fault?: string;
    /** Where `fault` is no code but a reason in words: the same by codes. */
    readonly why?: readonly Why[];
  }[];
  readonly ears: readonly {
    readonly microphoneId: string;
    readonly language: string;
    readonly state: 'hearing' | 'deaf';
    readonly reason?: string;
    /** The same by codes, for the reader's language; an older agent gives none. */
    readonly why?: readonly Why[];
    /** Deaf because this machine is too slow for the engine. */
    readonly slow?: true;
    /** Hears, but the engine that has to confirm it does not. */
    readonly unconfirmed?: true;
    /** What is wrong with the sound of its microphone: muted, clipping, speechless. */
    readonly fault?: string;
    readonly rmsDb: number;
    /** Seconds of computing per second of sound over the last minute: from 1 on the engine cannot keep up. */
    readonly rtf?: number;
    /** Blocks of sound that the engine was too slow for, and how often it was started anew, both since the start. */
    readonly dropped?: number;
    readonly restarts?: number;
  }[];
  readonly outbox: { readonly events: number; readonly oldestMs: number; readonly full: boolean };
  readonly clipsWaiting: number;
  readonly disk: { readonly freeBytes: number; readonly low: boolean };
  readonly modelSet: string;
  readonly rssBytes: number;
}

/** Topics. The room is taken from the topic, which the broker's ACL binds to the device; never from the payload. */
export const topics = {
  events: (roomId: string, lane: Lane) => `evalroom/v1/rooms/${roomId}/events/${lane}`,
  ack: (roomId: string) => `evalroom/v1/rooms/${roomId}/ack`,
  state: (roomId: string) => `evalroom/v1/rooms/${roomId}/state`,
  /** Payload: one JPEG, QoS 0. */
  snapshot: (roomId: string, cameraId: string) => `evalroom/v1/rooms/${roomId}/snapshot/${cameraId}`,
  ingestFilter: '$share/ingest/evalroom/v1/rooms/+/events/+',
  /** The same for a broker without shared subscriptions: every worker hears everything. */
  eventsFilter: 'evalroom/v1/rooms/+/events/+',
  stateFilter: 'evalroom/v1/rooms/+/state',
  snapshotFilter: 'evalroom/v1/rooms/+/snapshot/+',
} as const;

const TOPIC = /^evalroom\/v1\/rooms\/([A-Za-z0-9_-]{1,64})\/(events|ack|state|snapshot)(?:\/([A-Za-z0-9_-]{1,64}))?$/;

/** Splits a topic into room, kind and last part; undefined for any other topic. */
export function parseTopic(topic: string): { roomId: string; kind: string; rest?: string } | undefined {
  const match = TOPIC.exec(topic);
  if (!match) return undefined;
  const [, roomId, kind, rest] = match;
  return rest === undefined ? { roomId: roomId!, kind: kind! } : { roomId: roomId!, kind: kind!, rest };
}

/** True for a CONNACK that refuses MQTT 5 (0x84, or 1 from a broker that knows 3.1.1 only): 3.1.1 serves as well. */
export function refusesMqtt5(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return code === 0x84 || code === 1;
}

/** Which lane a body travels in: what a person must look at, and the evidence for it, goes ahead of records. */
export function laneOf(body: EventBody): Lane {
  return body.kind === 'episode' || body.kind === 'clip' ? 'alert' : 'routine';
}
