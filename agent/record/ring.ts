/** Evidence on disk before anyone asks for it: the newest segments of each camera, bounded by time, bytes and free disk. */
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Logger } from 'pino';
import type { SegmentFile } from '../../hardware/camera.ts';
import type { Segment } from '../../protocol/clip.ts';
import type { WallMs } from '../../protocol/time.ts';

export interface RingLimits {
  /** Recorded time that is kept for each camera. */
  readonly segmentMs: number;
  /** Bytes of all segments together. */
  readonly segmentBytes: number;
  /** Below this much free disk, segments go although time and bytes would allow them. */
  readonly keepFreeBytes: number;
}

/** A segment of the ring. `order` rises with arrival: unlike wall time it never steps. */
export interface RingSegment extends Segment {
  readonly order: number;
  readonly crc: number;
}

export interface Ring {
  /** Reads the folder. Files that are no segments are orphans; they go only while they are few. */
  open(): Promise<void>;
  /** Takes the file over: it is renamed into the ring. */
  add(cameraId: string, file: SegmentFile): Promise<void>;
  /** Segments that overlap the span, in order of arrival. */
  span(cameraId: string, fromWallMs: WallMs, toWallMs: WallMs): RingSegment[];
  newest(cameraId: string): RingSegment | undefined;
  /** Cameras that have segments. */
  cameras(): string[];
  /** What overlaps the span now or later is not deleted until `unpin(key)`. */
  pin(key: string, cameraId: string, fromWallMs: WallMs, toWallMs: WallMs): void;
  unpin(key: string): void;
  /** Measures the free disk and lets go what is beyond the limits; `add` does it too. */
  sweep(): Promise<void>;
  health(): { readonly segments: number; readonly bytes: number; readonly freeBytes: number; readonly low: boolean };
}

/** order_begin_end_crc.ext: the name is the index, so there is none to lose. */
export const SEGMENT_NAME = /^(\d{12})_(\d{1,16})_(\d{1,16})_([0-9a-f]{8})\.(\w{2,4})$/;
/** More orphans than this share of the folder means that the reader is wrong, not the files: nothing is deleted. */
const ORPHAN_SHARE = 0.2;
/** Single files may always go: a box that was switched off in mid-write leaves one. */
const ORPHANS_ALWAYS = 3;

/** A ring below `folder`, one folder for each camera. Nothing is read before `open`. */
export function createRing({
  folder,
  limits,
  log,
}: {
  readonly folder: string;
  readonly limits: RingLimits;
  readonly log: Logger;
}): Ring {
  const cameras = new Map<string, RingSegment[]>();
  const pins = new Map<string, { cameraId: string; fromWallMs: WallMs; toWallMs: WallMs }>();
  let order = 0;
  let bytes = 0;
  let freeBytes = Number.POSITIVE_INFINITY;
  let sweeping: Promise<void> = Promise.resolve();

  const overlaps = (segment: Segment, fromWallMs: WallMs, toWallMs: WallMs) =>
    segment.beginWallMs < toWallMs && segment.endWallMs > fromWallMs;
  const pinned = (segment: Segment) =>
    [...pins.values()].some(
      (pin) => pin.cameraId === segment.cameraId && overlaps(segment, pin.fromWallMs, pin.toWallMs),
    );
  const lengthMs = (segment: Segment) => Math.max(0, segment.endWallMs - segment.beginWallMs);

  const drop = async (segment: RingSegment): Promise<void> => {
    const list = cameras.get(segment.cameraId)!;
    list.splice(list.indexOf(segment), 1);
    bytes -= segment.bytes;
    await rm(segment.path, { force: true });
  };

  /** By recorded time, not by age: a clock that leaps ahead must not make every segment old at once. */
  const sweep = async (): Promise<void> => {
    for (const list of cameras.values()) {
      let keptMs = 0;
      for (const segment of [...list].reverse()) {
        keptMs += lengthMs(segment);
        if (keptMs > limits.segmentMs && !pinned(segment)) await drop(segment);
      }
    }
    const oldestFirst = () => [...cameras.values()].flat().sort((a, b) => a.order - b.order);
    for (const segment of bytes > limits.segmentBytes ? oldestFirst() : []) {
      if (bytes <= limits.segmentBytes) break;
      if (!pinned(segment)) await drop(segment);
    }
    freeBytes = await measureFree();
    for (const segment of freeBytes < limits.keepFreeBytes ? oldestFirst() : []) {
      if (freeBytes >= limits.keepFreeBytes) break;
      if (pinned(segment)) continue;
      await drop(segment);
      freeBytes = await measureFree();
    }
  };
  const sweepInTurn = (): Promise<void> => {
    const mine = sweeping.then(sweep);
    // One that fails must not keep the next from trying.
    sweeping = mine.catch(() => {});
    return mine;
  };
  const measureFree = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  };

  return {
    async open() {
      await mkdir(folder, { recursive: true });
      let files = 0;
      const orphans: string[] = [];
      // A file that somebody left beside the cameras' folders is not ours, and no reason not to record.
      const folders = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
      for (const { name: cameraId } of folders) {
        const list: RingSegment[] = [];
        for (const name of await readdir(join(folder, cameraId))) {
          files += 1;
          const path = join(folder, cameraId, name);
          const match = SEGMENT_NAME.exec(name);
          if (!match) {
            orphans.push(path);
            continue;
          }
          const { size } = await stat(path);
          list.push({
            cameraId,
            path,
            order: Number(match[1]),
            beginWallMs: Number(match[2]),
            endWallMs: Number(match[3]),
            crc: Number.parseInt(match[4]!, 16),
            bytes: size,
          });
          bytes += size;
        }
        list.sort((a, b) => a.order - b.order);
        order = Math.max(order, list.at(-1)?.order ?? 0);
        cameras.set(cameraId, list);
      }
      if (orphans.length > Math.max(ORPHANS_ALWAYS, files * ORPHAN_SHARE))
        log.error(
          { folder, orphans: orphans.length, files },
          'too many unknown files among the segments to delete them: look at the folder',
        );
      else for (const path of orphans) await rm(path, { force: true, recursive: true });
      freeBytes = await measureFree();
    },

    async add(cameraId, { path, beginWallMs, endWallMs }) {
      const content = await readFile(path);
      const crc = crc32(content);
      order += 1;
      const [begin, end] = [Math.round(beginWallMs), Math.round(endWallMs)];
      const extension = /\.(\w{2,4})$/.exec(path)?.[1] ?? 'mp4';
      const name = `${String(order).padStart(12, '0')}_${begin}_${end}_${crc.toString(16).padStart(8, '0')}.${extension}`;
      const place = join(folder, cameraId);
      await mkdir(place, { recursive: true });
      const target = join(place, name);
      await rename(path, target).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EXDEV') throw error;
        await copyFile(path, target);
        await rm(path, { force: true });
      });
      const list = cameras.get(cameraId) ?? [];
      cameras.set(cameraId, list);
      list.push({ cameraId, path: target, order, crc, beginWallMs: begin, endWallMs: end, bytes: content.length });
      bytes += content.length;
      await sweepInTurn();
    },

    span: (cameraId, fromWallMs, toWallMs) =>
      (cameras.get(cameraId) ?? []).filter((segment) => overlaps(segment, fromWallMs, toWallMs)),
    newest: (cameraId) => cameras.get(cameraId)?.at(-1),
    cameras: () => [...cameras.keys()].filter((cameraId) => cameras.get(cameraId)!.length > 0),
    pin: (key, cameraId, fromWallMs, toWallMs) => void pins.set(key, { cameraId, fromWallMs, toWallMs }),
    unpin: (key) => void pins.delete(key),
    sweep: sweepInTurn,
    health: () => ({
      segments: [...cameras.values()].reduce((sum, list) => sum + list.length, 0),
      bytes,
      freeBytes,
      low: freeBytes < limits.keepFreeBytes,
    }),
  };
}
