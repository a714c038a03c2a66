/** Between a detector's raw boxes and persons: several boxes of one person become one. */
import { type Box, iou } from '../../protocol/seat.ts';
import type { Detection } from './detector.ts';

/** Of boxes that belong to one thing (see `same`) the best one stays. Best first. */
export function suppress(detections: readonly Detection[]): Detection[] {
  const kept: Detection[] = [];
  for (const candidate of detections.toSorted((a, b) => b.score - a.score))
    if (kept.every((other) => !same(other, candidate))) kept.push(candidate);
  return kept;
}

/**
 * Joins what was found in the whole picture with what was found in regions of it. A box that touches an inner border
 * of its region is a person cut in two and is dropped; of the rest the larger ones go first, since a part must not
 * survive beside its whole.
 */
export function joinRegions(
  whole: readonly Detection[],
  regions: readonly { readonly region: Box; readonly found: readonly Detection[] }[],
): Detection[] {
  const kept = [...whole];
  const candidates = regions.flatMap(({ region, found }) => found.filter(({ box }) => !touchesInside(box, region)));
  for (const candidate of candidates.toSorted((a, b) => size(b.box) - size(a.box)))
    if (kept.every((other) => !same(other, candidate) && !mostlyInside(other, candidate))) kept.push(candidate);
  return kept.sort((a, b) => b.score - a.score);
}

/** Two boxes of one person overlap by half or share the head: who stands over a seated one shares much, but not that. */
function same(a: Detection, b: Detection): boolean {
  if (a.label !== b.label) return false;
  return iou(a.box, b.box) > 0.5 || (a.label === 'person' && shareHead(a.box, b.box));
}

function shareHead(a: Box, b: Box): boolean {
  const [small, large] = size(a) < size(b) ? [a, b] : [b, a];
  const width = small[2] - small[0];
  const height = small[3] - small[1];
  const aside = Math.abs(small[0] + small[2] - large[0] - large[2]) / 2;
  return Math.abs(small[1] - large[1]) < 0.2 * height && aside < 0.35 * width && overlap(a, b) > 0.7 * size(small);
}

function mostlyInside(a: Detection, b: Detection): boolean {
  return a.label === b.label && overlap(a.box, b.box) > 0.75 * Math.min(size(a.box), size(b.box));
}

/** Drops small boxes that lie almost wholly inside one about as good: slices of a person, which weaker detectors report. */
export function dropSlices(detections: readonly Detection[]): Detection[] {
  return detections.filter(
    (slice) =>
      !detections.some(
        (other) =>
          other.label === slice.label &&
          other.score > 0.75 * slice.score &&
          size(slice.box) < 0.5 * size(other.box) &&
          overlap(slice.box, other.box) > 0.8 * size(slice.box),
      ),
  );
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

/** Two halves of a picture that overlap by a fifth: finds smaller people at twice the extra cost. */
export const TWO_TILES: readonly Box[] = [
  [0, 0, 0.6, 1],
  [0.4, 0, 1, 1],
];
