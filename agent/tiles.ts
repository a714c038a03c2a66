/** Inside perceive.ts: rooms whose people are small in the picture are looked at in parts as well, every time. Pure. */
import { TWO_TILES } from '../models/pose/boxes.ts';
import { type Box, bounds, type Polygon } from '../protocol/seat.ts';

/**
 * Width of a seat's zone as a share of the picture. Who sits in one is about two thirds as wide; in a detector's picture of 416
 * pixels that is less than 28, of which it misses many.
 */
const SMALL_ZONE = 0.1;

/** Regions to detect in besides the whole picture: none where most seats are large enough to be seen in it. */
export function tilesFor(zones: readonly Polygon[]): readonly Box[] {
  const widths = zones.map((zone) => bounds(zone)).map(([x0, , x1]) => x1 - x0);
  const small = widths.filter((width) => width < SMALL_ZONE).length;
  return small > 0 && 2 * small >= widths.length ? TWO_TILES : [];
}
