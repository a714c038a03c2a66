/** Middle of the path: what the outbox promises. An event is accepted when `accept` returns, and leaves only by the cloud's ack. */
import type { ClipFile, ClipManifest } from '../../protocol/clip.ts';
import type { DraftEvent, RoomEvent } from '../../protocol/event.ts';
import type { Ack, Lane } from '../../protocol/stream.ts';
import type { WordDays } from '../../protocol/words.ts';
import type { ClipRequest } from '../record/plan.ts';

/**
 * How the store was found when it was opened. `replaced`: it was damaged and a new one began. `shortened`: its log was
 * damaged, the newest events are lost. In both cases the bytes lie at `keptAs` and a gap event says so.
 */
export type Opening =
  | { readonly kind: 'new' }
  | { readonly kind: 'existing' }
  | { readonly kind: 'replaced' | 'shortened'; readonly keptAs: string; readonly reason: string };

export interface OutboxStream {
  readonly streamId: string;
  readonly lane: Lane;
  /** Highest seq accepted, and highest seq that the cloud has for good. */
  readonly lastSeq: number;
  readonly through: number;
  /** True for the stream of its lane that new events go to. */
  readonly current: boolean;
}

/**
 * `beyond_sent`: the ack names events that were never sent, so it is forged or foreign. `other_event`: the cloud has another
 * event there than this outbox, or one beyond its end: a copy of this machine writes the stream too. Nothing was deleted.
 */
export type AckResult = 'progress' | 'no_progress' | 'unknown_stream' | 'beyond_sent' | 'other_event';

export interface OutboxStats {
  /** Accepted and not yet acked. */
  readonly events: number;
  /** Age of the oldest of them in ms, 0 when empty. */
  readonly oldestMs: number;
  /** True while nothing is accepted, because of the quota or of the disk. */
  readonly full: boolean;
}

export interface Outbox {
  readonly roomId: string;
  readonly opening: Opening;
  /**
   * One transaction: all drafts get eventId, streamId and seq and are on disk when it returns, or none is.
   * Throws Full at the quota or on a full disk, Bug for a draft that no ingest would take.
   */
  accept(drafts: readonly DraftEvent[]): RoomEvent[];
  /** The newest accepted event of every episode that has not ended, oldest episode first. */
  openEpisodes(): DraftEvent[];
  /** Streams with unacked events, and the current one of each lane; newest first. */
  streams(): readonly OutboxStream[];
  /** Unacked events of a stream with seq above `afterSeq`, rising, without holes. */
  events(streamId: string, afterSeq: number, limit: number): RoomEvent[];
  /** The forwarder has published up to `seq`: only then may an ack name it. */
  sent(streamId: string, seq: number): void;
  /** Deletes what is acked and saves `through`, in one transaction. Works on a full disk. */
  ack(ack: Pick<Ack, 'streamId' | 'through' | 'eventId' | 'chain'>): AckResult;
  /**
   * Ends a stream that can not go on. Its unacked events go on in the lane's current stream with new seqs and
   * the same eventIds; a gap event reports it. Returns how many moved.
   */
  quarantine(streamId: string, reason: string): number;
  /** New events of the lane go to a new stream, so that they need not wait behind the backlog of the old one. */
  rollOver(lane: Lane): void;
  /**
   * Takes the words out of events that have waited longer than the days of their class; to be called every minute, since each
   * call looks at some of them only. Events keep name and place. Returns how many lost their words.
   */
  removeWords(days: WordDays): number;
  stats(): OutboxStats;
  readonly clips: ClipRows;
  close(): void;
}

/** `cut`: on disk; `announced`: its event is accepted; `uploading`: its event is acked; `acked`: the cloud has the bytes. */
export type ClipState = 'cut' | 'announced' | 'uploading' | 'acked';

export interface ClipRow {
  readonly manifest: ClipManifest;
  readonly state: ClipState;
  /** Folder that holds the files of the manifest. */
  readonly folder: string;
  readonly attempts: number;
  /** By file name: where its upload goes on, and `true` once the cloud has answered with its hash. */
  readonly uploads: Readonly<Partial<Record<ClipFile['name'], string | true>>>;
}

/** Clips of this box: wishes, what was cut, and how far each has got on its way to the cloud. */
export interface ClipRows {
  /** Keeps a wish across restarts until `add` or `unplan`. */
  plan(request: ClipRequest): void;
  plans(): ClipRequest[];
  unplan(clipId: string): void;
  /** The clip's files are on disk, synced. Throws Full beyond the clip quota. */
  add(manifest: ClipManifest, folder: string): void;
  /** Rows in a state, newest cut first. */
  list(state: ClipState): ClipRow[];
  ofEpisode(episodeId: string): ClipRow[];
  attempted(clipId: string): void;
  upload(clipId: string, name: ClipFile['name'], at: string | true | undefined): void;
  /** Every file is in the cloud, by its hash: now, and not before, the files may go. The row stays until `remove`. */
  acked(clipId: string): void;
  remove(clipId: string): void;
  /** Clips that are not in the cloud yet, and their bytes; the quota counts these. */
  stats(): { readonly waiting: number; readonly bytes: number };
}
