/** Beside the path, when a room is set up: where people sit, found by watching them. Pure. */
import type { Person } from '../protocol/observation.ts';
import type { RoomLayout } from '../protocol/room.ts';
import { type Box, bounds, contains, iou, type Point, type Polygon } from '../protocol/seat.ts';
import type { RoomState } from '../protocol/stream.ts';
import type { MonoMs } from '../protocol/time.ts';

export interface SeatProposal {
  /** Around chair and sitting upper body, as an installer would draw it; fractions of the picture. */
  readonly zone: Polygon;
  /** Share 0..1 of the watched frames in which somebody was seen there. */
  readonly share: number;
}

export interface SeatFinder {
  /** One analysed frame. */
  see(persons: readonly Person[]): void;
  /** From left to right; places where somebody sat still in at least `share` of the frames. */
  proposals(share?: number): SeatProposal[];
  frames(): number;
}

interface Cluster {
  /** The last boxes of whoever is there, at most KEPT of them. */
  readonly boxes: Box[];
  /** Box that the next one is compared with: the smoothed one. */
  middle: Box;
  seen: number;
  /** Of these, how often by a sure detection. */
  sure: number;
}

/** Weaker detections may be chairs: they begin no place, but somebody who is half hidden goes on being seen by them. */
const SURE_SCORE = 0.3;
const WEAK_SCORE = 0.15;
/** A place that was seldom surely seen is a chair. */
const SURE_SHARE = 0.1;
/** Share of a weak box that lies in a place to belong to it: it is often only a part of somebody. */
const WITHIN = 0.7;
/** A box that overlaps with a place by this share belongs to it. */
const SAME_PLACE = 0.35;
const KEPT = 600;
/** Somebody passes through more places than there are seats; the least seen is forgotten beyond this. */
const MOST_CLUSTERS = 64;
/** A place whose boxes wander by more than this share of their width is where people walk, not where one sits. */
const STEADY = 0.5;
/** Room above and below the boxes, as a share of their size: people lean. */
const MARGIN = 0.06;
/** Room on either side, at most up to the neighbour: a chair and its arms are wider than who sits there with the hands before them. */
const SIDE_MARGIN = 0.15;

/** Watches one camera. */
export function createSeatFinder(): SeatFinder {
  let clusters: Cluster[] = [];
  let frames = 0;

  function add(box: Box, taken: Set<Cluster>): void {
    let best: Cluster | undefined;
    let most = SAME_PLACE;
    for (const cluster of clusters) {
      const overlap = iou(cluster.middle, box);
      if (!taken.has(cluster) && overlap > most) [best, most] = [cluster, overlap];
    }
    if (!best) {
      best = { boxes: [], middle: box, seen: 0, sure: 0 };
      clusters.push(best);
    }
    taken.add(best);
    best.seen += 1;
    best.sure += 1;
    best.boxes.push(box);
    if (best.boxes.length > KEPT) best.boxes.shift();
    const { middle } = best;
    best.middle = [0, 1, 2, 3].map((i) => 0.95 * middle[i]! + 0.05 * box[i]!) as unknown as Box;
  }

  function goOn(box: Box, taken: Set<Cluster>): void {
    const there = clusters.find((cluster) => !taken.has(cluster) && shareWithin(box, cluster.middle) >= WITHIN);
    if (!there) return;
    taken.add(there);
    there.seen += 1;
  }

  return {
    see(persons) {
      frames += 1;
      const taken = new Set<Cluster>();
      for (const { box, score } of persons.toSorted((a, b) => b.score - a.score)) {
        if (score >= SURE_SCORE) add(box, taken);
        else if (score >= WEAK_SCORE) goOn(box, taken);
      }
      if (clusters.length > MOST_CLUSTERS)
        clusters = clusters.toSorted((a, b) => b.seen - a.seen).slice(0, MOST_CLUSTERS);
    },
    proposals(share = 0.3) {
      const chosen: { box: Box; seen: number }[] = [];
      const sitting = clusters.filter(
        ({ boxes, seen, sure }) =>
          seen >= Math.max(1, share * frames) && sure >= Math.max(1, SURE_SHARE * frames) && isSteady(boxes),
      );
      for (const { boxes, seen } of sitting.toSorted((a, b) => b.seen - a.seen)) {
        const box = around(boxes);
        // Two places that overlap by half are one person who sits in two ways.
        if (!chosen.some((other) => iou(other.box, box) > 0.5)) chosen.push({ box, seen });
      }
      const boxes = chosen.map(({ box }) => box);
      return chosen
        .toSorted((a, b) => a.box[0] - b.box[0])
        .map(({ box, seen }) => ({ zone: cornersOf(widened(box, boxes)), share: seen / Math.max(1, frames) }));
    },
    frames: () => frames,
  };
}

export interface SeatScout {
  /** One analysed frame; more than one a second say nothing more. */
  see(persons: readonly Person[], monoMs: MonoMs): void;
  /**
   * Where people sat during the last ten to twenty minutes, besides the places of `drawn`; computed at most once in ten
   * seconds. `watchedMs` says how long was looked at; undefined before the first minute.
   */
  found(
    drawn: readonly Polygon[],
    monoMs: MonoMs,
  ): { readonly watchedMs: number; readonly seats: readonly SeatProposal[] } | undefined;
}

const SCOUT_EVERY_MS = 1000;
const SPELL_MS = 600_000;
const FIRST_MS = 60_000;
const RECOUNT_MS = 10_000;
/** A place that overlaps with a drawn one by this share is that one. */
const SAME_AS_DRAWN = 0.25;

/**
 * Watches one camera for ever, ten minutes after ten minutes, so that what is proposed is what is there now: at most
 * two spells of frames are remembered, one a second.
 */
export function createSeatScout(): SeatScout {
  let before: SeatFinder | undefined;
  let now = createSeatFinder();
  let began: MonoMs | undefined;
  let last = Number.NEGATIVE_INFINITY;
  let known:
    | { readonly atMs: MonoMs; readonly drawn: readonly Polygon[]; readonly seats: readonly SeatProposal[] }
    | undefined;
  return {
    see(persons, monoMs) {
      if (monoMs - last < SCOUT_EVERY_MS) return;
      last = monoMs;
      began ??= monoMs;
      if (monoMs - began >= SPELL_MS) [before, now, began] = [now, createSeatFinder(), monoMs];
      now.see(persons);
    },
    found(drawn, monoMs) {
      if (began === undefined) return undefined;
      const watchedMs = (before ? SPELL_MS : 0) + last - began;
      if (watchedMs < FIRST_MS) return undefined;
      if (!known || monoMs - known.atMs >= RECOUNT_MS || known.drawn !== drawn) {
        const all = (before && last - began < FIRST_MS ? before : now).proposals();
        const isDrawn = ({ zone }: SeatProposal) =>
          drawn.some((other) => iou(bounds(other), bounds(zone)) > SAME_AS_DRAWN || contains(other, middleOf(zone)));
        known = { atMs: monoMs, drawn, seats: all.filter((one) => !isDrawn(one)) };
      }
      return { watchedMs, seats: known.seats };
    },
  };
}

export interface Scouts {
  see(cameraId: string, persons: readonly Person[], monoMs: MonoMs): void;
  /** The camera looks elsewhere now: what was watched there counts no more. */
  forget(cameraId: string): void;
  /** For the room's state: cameras with places that `layout` has no seat for. */
  proposals(layout: RoomLayout, monoMs: MonoMs): NonNullable<RoomState['proposals']>;
}

/** One scout a camera. */
export function createScouts(): Scouts {
  const scouts = new Map<string, SeatScout>();
  let drawn: { readonly layout: RoomLayout; readonly zones: ReadonlyMap<string, readonly Polygon[]> } | undefined;
  return {
    see(cameraId, persons, monoMs) {
      const scout = scouts.get(cameraId) ?? createSeatScout();
      scouts.set(cameraId, scout);
      scout.see(persons, monoMs);
    },
    forget: (cameraId) => void scouts.delete(cameraId),
    proposals(layout, monoMs) {
      if (drawn?.layout !== layout) {
        const views = layout.seats.flatMap((seat) => seat.views);
        const zonesOf = (cameraId: string) =>
          views.filter((view) => view.cameraId === cameraId).map(({ zone }) => zone);
        drawn = { layout, zones: new Map(views.map(({ cameraId }) => [cameraId, zonesOf(cameraId)])) };
      }
      return [...scouts].flatMap(([cameraId, scout]) => {
        const found = scout.found(drawn?.zones.get(cameraId) ?? NONE, monoMs);
        return found && found.seats.length > 0 ? [{ cameraId, ...found }] : [];
      });
    },
  };
}

const NONE: readonly Polygon[] = [];

function middleOf(zone: Polygon): Point {
  const [x0, y0, x1, y1] = bounds(zone);
  return [(x0 + x1) / 2, (y0 + y1) / 2];
}

/** Share of the first box that lies in the second. */
function shareWithin([x0, y0, x1, y1]: Box, [ox0, oy0, ox1, oy1]: Box): number {
  const [w, h] = [Math.min(x1, ox1) - Math.max(x0, ox0), Math.min(y1, oy1) - Math.max(y0, oy0)];
  return w <= 0 || h <= 0 ? 0 : (w * h) / ((x1 - x0) * (y1 - y0));
}

const quantile = (values: readonly number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]!;

function isSteady(boxes: readonly Box[]): boolean {
  const middles = boxes.map(([x0, , x1]) => (x0 + x1) / 2);
  const width = quantile(
    boxes.map(([x0, , x1]) => x1 - x0),
    0.5,
  );
  return quantile(middles, 0.9) - quantile(middles, 0.1) < STEADY * width;
}

/** What holds the boxes but for the widest gestures, inside the picture. */
function around(boxes: readonly Box[]): Box {
  const side = (i: 0 | 1 | 2 | 3, q: number) =>
    quantile(
      boxes.map((box) => box[i]),
      q,
    );
  const [x0, y0, x1, y1] = [side(0, 0.25), side(1, 0.25), side(2, 0.75), side(3, 0.75)];
  const h = (y1 - y0) * MARGIN;
  return [x0, Math.max(0, y0 - h), x1, Math.min(1, y1 + h)];
}

/** With room for the chair on either side, but not where a neighbour's would be: both stop halfway between them. */
function widened([x0, y0, x1, y1]: Box, all: readonly Box[]): Box {
  const w = (x1 - x0) * SIDE_MARGIN;
  const beside = all.filter(([, top, , bottom]) => top < y1 && bottom > y0);
  const left = beside.flatMap(([, , right]) => (right <= x0 ? [(right + x0) / 2] : []));
  const right = beside.flatMap(([start]) => (start >= x1 ? [(start + x1) / 2] : []));
  return [Math.max(0, x0 - w, ...left), y0, Math.min(1, x1 + w, ...right), y1];
}

function cornersOf([x0, y0, x1, y1]: Box): Polygon {
  const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
  const [left, top, right, bottom] = [x0, y0, x1, y1].map(rounded) as [number, number, number, number];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}
