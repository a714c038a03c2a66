/** Several views of one seat become one occupancy: own eyes before evidence of leaving before presumption; a blind camera has no vote. */
import type { Occupancy } from '../../protocol/event.ts';
import type { SeatSight } from './presence.ts';
import type { SeatScene } from './scene.ts';

export interface SeatVote {
  readonly seat: SeatSight;
  readonly blind: boolean;
  readonly fresh: boolean;
  /** Share of the seat's zone in this view that is no other seat's as well; default: all. */
  readonly alone?: number;
}

/** Seen this recently counts as seen now: the detector skips frames. */
const SEEN_MS = 1500;

/** A seat that was left and has looked empty for this long is seen to be empty. */
const EMPTY_MS = 1500;
/** Added to every view's worth, so that the kind of evidence decides between views that are nearly as good. */
const LEAST_WORTH = 0.1;

export interface FusedBefore {
  readonly occupancy: Occupancy;
  readonly sinceWallMs: number;
}

/** `now` and `wallMs` are of this step; `before` is the seat's last fused state. */
export function fuseSeat(
  seatId: string,
  votes: readonly SeatVote[],
  before: FusedBefore,
  now: number,
  wallMs: number,
): SeatScene {
  let [best, weight] = [undefined as SeatVote | undefined, 0];
  for (const vote of votes) {
    const w = strength(vote, now);
    if (w > weight) [best, weight] = [vote, w];
  }
  const occupancy: Occupancy = best ? best.seat.occupancy : 'unknown';
  // Whom a view sees there that is overruled may be the neighbour.
  const seen = votes.some((v) => v.fresh && !v.blind && v.seat.here && (v === best || occupancy !== 'no'));
  const looked = votes.some((v) => v.fresh && !v.blind);
  const sample = seen ? 'here' : looked && occupancy === 'no' ? 'gone' : 'none';
  return {
    seatId,
    occupancy,
    sinceWallMs: occupancy === before.occupancy ? before.sinceWallMs : wallMs,
    sample,
    ...(occupancy === 'no' && best?.seat.leftMs !== undefined ? { leftMonoMs: best.seat.leftMs } : {}),
  };
}

function strength({ seat, blind, alone = 1 }: SeatVote, now: number): number {
  if (blind || seat.occupancy === 'unknown') return 0;
  // A camera that sees this seat badly may take a neighbour for its owner: the better view's word weighs more.
  // So does that of a view in which this seat is not seen through the next one.
  const worth = LEAST_WORTH + (seat.worth ?? 0.5) * alone;
  const empty = seat.emptyRunMs !== undefined && now - seat.emptyRunMs >= EMPTY_MS;
  if (seat.occupancy === 'no') return (empty ? 3 : 2) * worth;
  return (seat.hereMs !== undefined && now - seat.hereMs <= SEEN_MS ? 3 : 1) * worth;
}
