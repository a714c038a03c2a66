/** Between a detector's raw boxes and persons: overlapping boxes of one person become one. */
import { type Box, iou } from '../../protocol/seat.ts';
import type { Detection } from './detector.ts';

/** Greedy suppression within each label: of boxes overlapping more than `limit` (IoU) the best stays. Best first. */
export function suppress(detections: readonly Detection[], limit = 0.5): Detection[] {
  const kept: Detection[] = [];
  for (const candidate of detections.toSorted((a, b) => b.score - a.score))
    if (kept.every((other) => other.label !== candidate.label || iou(other.box, candidate.box) < limit))
      kept.push(candidate);
  return kept;
}

/**
 * Joins what was found in the whole picture with what was found in regions of it. A box that touches an inner border
 * of its region is a person cut in two and is dropped, as is a box that lies mostly inside one that was kept:
 * of the whole picture first, then the larger ones, since a part must not survive beside its whole.
 */
export function joinRegions(
  whole: readonly Detection[],
  regions: readonly { readonly region: Box; readonly found: readonly Detection[] }[],
): Detection[] {
  const kept = [...whole];
  const candidates = regions.flatMap(({ region, found }) => found.filter(({ box }) => !touchesInside(box, region)));
  for (const candidate of candidates.toSorted((a, b) => size(b.box) - size(a.box)))
    if (kept.every((other) => other.label !== candidate.label || !samePerson(other.box, candidate.box)))
      kept.push(candidate);
  return kept.sort((a, b) => b.score - a.score);
}

function samePerson(a: Box, b: Box): boolean {
  return iou(a, b) > 0.45 || overlap(a, b) / Math.min(size(a), size(b)) > 0.75;
}

function touchesInside(box: Box, region: Box): boolean {
  const margin = 0.01;
  return (
    (region[0] > 0 && box[0] < region[0] + margin) ||
    (region[1] > 0 && box[1] < region[1] + margin) ||
    (region[2] < 1 && box[2] > region[2] - margin) ||
    (region[3] < 1 && box[3] > region[3] - margin)
  );
}

function size(box: Box): number {
  return (box[2] - box[0]) * (box[3] - box[1]);
}

function overlap(a: Box, b: Box): number {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return w > 0 && h > 0 ? w * h : 0;
}

/** Two halves of a picture that overlap by a fifth: finds smaller people at twice the cost. */
export const TWO_TILES: readonly Box[] = [
  [0, 0, 0.6, 1],
  [0.4, 0, 1, 1],
];
