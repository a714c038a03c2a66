/** What the agent knows of a camera: frames, samples and segments as async iterators, and its health. No vendor words. */
import type { Instant } from '../protocol/time.ts';

/** One analysed picture. The buffer is the receiver's until it asks for the next frame: then it is filled anew. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** RGB24, row-major, width × height × 3 bytes. */
  readonly rgb: Uint8Array;
  /** When the last byte left ffmpeg's pipe. */
  readonly at: Instant;
  /** What is known of the way before that: the camera gave the picture out so long before `at`. */
  readonly lagMs?: number;
  /** Counts frames of this capture run, from 0, dropped ones included. */
  readonly frame: number;
}

/** A block of sound: 16 kHz, mono, signed 16 bit. `at` is when its last sample left ffmpeg's pipe. */
export interface PcmBlock {
  readonly samples: Int16Array;
  readonly at: Instant;
}

/** A finished segment file; its span is in wall time of this machine. */
export interface SegmentFile {
  readonly path: string;
  readonly beginWallMs: number;
  readonly endWallMs: number;
  readonly bytes: number;
  /** Recording began anew with this one: why it had ended, in plain words. */
  readonly anew?: string;
}

export type Role = 'decode' | 'record' | 'audio';

export interface RoleHealth {
  readonly state: 'starting' | 'running' | 'down';
  /** Monotonic ms of the last frame, block or segment; 0 before the first. */
  readonly lastMonoMs: number;
  /** Frames, blocks or segments delivered, and those dropped because the reader was slow. */
  readonly delivered: number;
  readonly dropped: number;
  readonly restarts: number;
  /** Plain words of the last failure, without credentials. */
  readonly reason?: string;
  /** True where that is only that another program has the device. */
  readonly inUse?: true;
}

/**
 * A camera that is being watched over: each role restarts on its own with back-off until `close()`.
 * The iterators never end before that and never throw for a fault of the stream; faults stand in `health()`.
 * Policy when the reader is slow: frames keep the newest one, samples keep 10 s (oldest dropped), segments are never dropped.
 */
export interface Camera {
  readonly cameraId: string;
  start(signal: AbortSignal): Promise<void>;
  frames(): AsyncIterable<Frame>;
  samples(): AsyncIterable<PcmBlock>;
  segments(): AsyncIterable<SegmentFile>;
  health(): Readonly<Record<Role, RoleHealth>>;
  /** The streams stand elsewhere now: each role's next session goes there. Absent where there is nothing to redirect. */
  redirect?(streams: { readonly main: string; readonly sub?: string }): void;
  /** Ends every child process; resolves when none is left. */
  close(): Promise<void>;
}
