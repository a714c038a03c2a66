/** Who is who from frame to frame of one camera: detections in, tracks with steady ids out. Two passes by score, no appearance. */
import type { Keypoint, Person } from '../../protocol/observation.ts';
import { type Box, iou } from '../../protocol/seat.ts';

export interface Track {
  readonly trackId: number;
  readonly box: Box;
  readonly pose?: readonly Keypoint[];
  /** When the pose was made; older than `seenMonoMs` where it was only moved along with the box. */
  readonly posedMonoMs?: number;
  /** Score of the last detection. */
  readonly score: number;
  /** Best score so far. */
  readonly peak: number;
  readonly hits: number;
  readonly bornMonoMs: number;
  /** Middle of the first box. */
  readonly bornAt: readonly [number, number];
  readonly seenMonoMs: number;
  /** Speed of the centre in picture fractions per ms, smoothed. */
  readonly velocity: readonly [number, number];
  /** Bounds of all places of the centre where it was surely seen: a poster's stays a point. Weak boxes jump from thing to thing. */
  readonly reach: Box;
  /** Seen often enough to be a person and not a flicker. */
  readonly confirmed: boolean;
}

/** Detections at or above this score may begin a track; those below only continue one. */
export const HIGH_SCORE = 0.3;
const LOW_SCORE = 0.1;
/** Where a person is expected (at a seat), a weaker one may begin a track too. */
const HINT_SCORE = 0.15;
/** An unseen track is kept this long for its person to be found again. */
const KEEP_MS = 3000;
const KEEP_TENTATIVE_MS = 1000;

const width = (b: Box) => b[2] - b[0];
const height = (b: Box) => b[3] - b[1];
/** Middle of the box. */
export const centre = (b: Box): readonly [number, number] => [(b[0] + b[2]) / 2, (b[1] + b[3]) / 2];

/** What is known of the room beyond the boxes. */
export interface Surroundings {
  /** Whether a person is likely at this place: then a weaker detection may begin a track. */
  readonly expected?: (person: Person) => boolean;
  /** False where this track cannot be this person, however near. */
  readonly mayBe?: (track: Track, person: Person) => boolean;
}

/** One frame further. Pure: gives new tracks (seen ones and those still kept) and the next free id. */
export function advanceTracks(
  tracks: readonly Track[],
  persons: readonly Person[],
  monoMs: number,
  nextId: number,
  known: Surroundings = {},
): { readonly tracks: readonly Track[]; readonly nextId: number } {
  const found = distinct(persons);
  const strong = found.filter((p) => p.score >= HIGH_SCORE);
  const weak = found.filter((p) => p.score < HIGH_SCORE);
  const matched = new Map<Track, Person>();
  const mayBe = known.mayBe ?? (() => true);
  pair({ tracks, persons: strong, monoMs, matched, minIou: 0, mayBe });
  pair({ tracks: tracks.filter((t) => !matched.has(t)), persons: weak, monoMs, matched, minIou: 0.2, mayBe });
  const next: Track[] = [];
  for (const t of tracks) {
    const person = matched.get(t);
    if (person) next.push(moved(t, person, monoMs));
    else if (monoMs - t.seenMonoMs <= (t.confirmed ? KEEP_MS : KEEP_TENTATIVE_MS)) next.push(t);
  }
  const taken = new Set(matched.values());
  for (const person of found)
    if (!taken.has(person) && (person.score >= HIGH_SCORE || (person.score >= HINT_SCORE && known.expected?.(person))))
      next.push(born(person, monoMs, nextId++));
  return { tracks: next, nextId };
}

/** Drops second boxes of one person: nearly the same box, or a part of a body inside the whole. */
export function distinct(persons: readonly Person[]): readonly Person[] {
  const kept: Person[] = [];
  for (const p of [...persons].sort((a, b) => b.score - a.score)) {
    if (p.score < LOW_SCORE || width(p.box) <= 0 || height(p.box) <= 0) continue;
    if (!kept.some((k) => isSecond(p, k) || isSecond(k, p))) kept.push(p);
  }
  return kept;
}

function isSecond(part: Person, whole: Person): boolean {
  if (iou(part.box, whole.box) > 0.65) return true;
  const [a, b] = [part.box, whole.box];
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return false;
  const inside = (w * h) / (width(a) * height(a));
  // A weak box that lies mostly on a sure one is an echo of it, and would keep a ghost alive beside the person.
  if (part.score < HIGH_SCORE && whole.score >= HIGH_SCORE && inside > 0.5) return true;
  // A head-and-shoulders box or a pair of legs; somebody who sits before a standing person has a head of their own.
  return inside > 0.85 && (Math.abs(a[1] - b[1]) < 0.2 * height(b) || part.score < 0.5 * whole.score);
}

interface Pairing {
  readonly tracks: readonly Track[];
  readonly persons: readonly Person[];
  readonly monoMs: number;
  readonly matched: Map<Track, Person>;
  /** Least overlap of a pair; 0: distance counts too. */
  readonly minIou: number;
  readonly mayBe: (track: Track, person: Person) => boolean;
}

/** Best pairs first; with few people in a room this equals the optimal assignment but for ties. */
function pair({ tracks, persons, monoMs, matched, minIou, mayBe }: Pairing): void {
  const pairs: { t: Track; p: Person; value: number }[] = [];
  for (const t of tracks)
    for (const p of persons) {
      const value = likeness(t, p.box, monoMs, minIou);
      if (value > 0 && mayBe(t, p)) pairs.push({ t, p, value });
    }
  pairs.sort((a, b) => b.value - a.value || a.t.trackId - b.t.trackId);
  const used = new Set<Person>(matched.values());
  for (const { t, p, value } of pairs) {
    if (matched.has(t) || used.has(p) || value <= 0) continue;
    matched.set(t, p);
    used.add(p);
  }
}

function likeness(t: Track, box: Box, monoMs: number, minIou: number): number {
  const dtMs = Math.min(monoMs - t.seenMonoMs, KEEP_MS);
  const drift = Math.min(dtMs, 1000);
  const [vx, vy] = t.velocity;
  const at: Box = [t.box[0] + vx * drift, t.box[1] + vy * drift, t.box[2] + vx * drift, t.box[3] + vy * drift];
  const over = Math.max(iou(at, box), iou(t.box, box));
  const w = (width(at) + width(box)) / 2;
  const h = Math.min(height(at), height(box));
  // Heads and middles are steadier than lower edges, which desks cut.
  const apart = Math.hypot((centre(at)[0] - centre(box)[0]) / w, (at[1] - box[1]) / (h * 1.5));
  const size = Math.min(width(at), width(box)) / Math.max(width(at), width(box));
  if (minIou > 0) return over >= minIou ? over : 0;
  // A person walks at most some three box widths a second; a fresh or still track gets less room than a walking one.
  const gate = Math.min(0.6 + (2 * dtMs) / 1000, 2.5);
  const near = Math.max(0, 1 - apart / gate);
  if (over < 0.1 && (near <= 0 || size < 0.4)) return 0;
  return over + 0.5 * near * size + (t.confirmed ? 0.1 : 0);
}

function moved(t: Track, person: Person, monoMs: number): Track {
  const dt = Math.max(1, monoMs - t.seenMonoMs);
  const [x, y] = centre(person.box);
  const [ox, oy] = centre(t.box);
  // Few frames a second: who begins to walk is fast a frame later, and must not be taken for somebody they pass.
  const keep = dt > 1500 ? 0 : 0.25;
  const hits = t.hits + 1;
  return {
    trackId: t.trackId,
    box: person.box,
    ...(person.pose ? { pose: person.pose, posedMonoMs: monoMs - (person.poseAgeMs ?? 0) } : {}),
    score: person.score,
    peak: Math.max(t.peak, person.score),
    hits,
    bornMonoMs: t.bornMonoMs,
    bornAt: t.bornAt,
    seenMonoMs: monoMs,
    velocity: [
      keep * t.velocity[0] + ((1 - keep) * (x - ox)) / dt,
      keep * t.velocity[1] + ((1 - keep) * (y - oy)) / dt,
    ],
    reach: reachOf(t, person, [x, y]),
    confirmed: t.confirmed || isSure(hits, Math.max(t.peak, person.score), monoMs - t.bornMonoMs),
  };
}

function reachOf({ reach, peak }: Track, { score }: Person, [x, y]: readonly [number, number]): Box {
  if (score < HIGH_SCORE) return reach;
  if (peak < HIGH_SCORE) return [x, y, x, y];
  return [Math.min(reach[0], x), Math.min(reach[1], y), Math.max(reach[2], x), Math.max(reach[3], y)];
}

function born(person: Person, monoMs: number, trackId: number): Track {
  const [x, y] = centre(person.box);
  return {
    trackId,
    box: person.box,
    ...(person.pose ? { pose: person.pose, posedMonoMs: monoMs - (person.poseAgeMs ?? 0) } : {}),
    score: person.score,
    peak: person.score,
    hits: 1,
    bornMonoMs: monoMs,
    bornAt: [x, y],
    seenMonoMs: monoMs,
    velocity: [0, 0],
    reach: [x, y, x, y],
    confirmed: false,
  };
}

/** Weak detections alone need more of them. */
function isSure(hits: number, peak: number, ageMs: number): boolean {
  if (peak < HIGH_SCORE) return hits >= 5 && ageMs >= 1500;
  return hits >= 3 || (hits >= 2 && ageMs >= 900);
}

/** A poster, a coat stand or a reflection that the detector takes for a person trembles in its place; who came in has walked. */
export function hasWalked({ reach: [x0, y0, x1, y1], box }: Track): boolean {
  return x1 - x0 > 0.8 * (box[2] - box[0]) || y1 - y0 > 0.5 * (box[3] - box[1]);
}
