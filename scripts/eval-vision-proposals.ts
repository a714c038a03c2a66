/** Seats as a new room finds them by itself, beside those of the truth, for `eval vision --proposed`. Pure. */
import { createSeatScout, type SeatProposal } from '../agent/calibrate.ts';
import type { FrameObservation } from '../protocol/observation.ts';
import type { RoomLayout } from '../protocol/room.ts';
import { bounds, contains, iou, type Point, type Polygon, type SeatView } from '../protocol/seat.ts';

/** What one camera proposed. */
export interface ProposalScore {
  readonly cameraId: string;
  /** Seats that the truth draws for this camera. */
  readonly seats: number;
  /** Of these, how many have a proposal of their own. */
  readonly found: number;
  /** Proposals that are no seat's: the installer has to refuse them. */
  readonly extra: number;
  /** Overlap of the boxes around proposal and drawn seat, of those found, from the first seat on. */
  readonly ious: readonly number[];
  /** Ids of the seats without one: the installer has to draw them. */
  readonly missed: readonly string[];
}

/** Zones of the seats that were found, by seat. */
export type ProposedZones = ReadonlyMap<string, Polygon>;

/** A proposal that overlaps less than this with a drawn seat is another place. */
const LEAST_OVERLAP = 0.25;

/** What the room editor would have offered for this camera after these observations; none before a minute was watched. */
export function proposed(observations: readonly FrameObservation[]): readonly SeatProposal[] {
  const scout = createSeatScout();
  for (const { persons, at } of observations) scout.see(persons, at.monoMs);
  return scout.found([], observations.at(-1)?.at.monoMs ?? 0)?.seats ?? [];
}

/** Each proposal belongs to at most one drawn seat, best overlaps first. */
export function scoreProposals(
  cameraId: string,
  drawn: ReadonlyMap<string, Polygon>,
  proposals: readonly SeatProposal[],
): { readonly score: ProposalScore; readonly zones: ProposedZones } {
  const pairs = [...drawn].flatMap(([seatId, polygon]) =>
    proposals
      .map(({ zone }) => ({ seatId, zone, overlap: iou(bounds(polygon), bounds(zone)) }))
      .filter(({ zone, overlap }) => overlap >= LEAST_OVERLAP && contains(polygon, middleOf(zone))),
  );
  const zones = new Map<string, Polygon>();
  const overlaps = new Map<string, number>();
  const used = new Set<Polygon>();
  for (const { seatId, zone, overlap } of pairs.sort((a, b) => b.overlap - a.overlap)) {
    if (zones.has(seatId) || used.has(zone)) continue;
    zones.set(seatId, zone);
    overlaps.set(seatId, Math.round(overlap * 1000) / 1000);
    used.add(zone);
  }
  const seatIds = [...drawn.keys()];
  return {
    score: {
      cameraId,
      seats: drawn.size,
      found: zones.size,
      extra: proposals.length - used.size,
      ious: seatIds.flatMap((seatId) => overlaps.get(seatId) ?? []),
      missed: seatIds.filter((seatId) => !zones.has(seatId)),
    },
    zones,
  };
}

/** Zones that the layout draws for a camera, by seat. */
export function drawnFor(layout: RoomLayout, cameraId: string): ReadonlyMap<string, Polygon> {
  return new Map(
    layout.seats.flatMap(({ seatId, views }) =>
      views.filter((view) => view.cameraId === cameraId).map(({ zone }) => [seatId, zone] as const),
    ),
  );
}

/**
 * The layout of an installer who took what was proposed and drew by hand only what was not: no desks, and no floor, which
 * nobody proposes.
 */
export function layoutAsProposed(layout: RoomLayout, zones: ReadonlyMap<string, ProposedZones>): RoomLayout {
  const view = (seatId: string, { cameraId, zone }: SeatView): SeatView => ({
    cameraId,
    zone: zones.get(cameraId)?.get(seatId) ?? zone,
  });
  return {
    ...layout,
    floor: [],
    seats: layout.seats.map(({ floor: _floor, ...seat }) => ({
      ...seat,
      views: seat.views.map((one) => view(seat.seatId, one)),
    })),
  };
}

/** All cameras of a run in one: `iouMedian` is null where nothing was found. */
export function poolProposals(scores: readonly ProposalScore[]) {
  const sum = (key: 'seats' | 'found' | 'extra') => scores.reduce((n, score) => n + score[key], 0);
  const ious = scores.flatMap((score) => score.ious).sort((a, b) => a - b);
  return {
    cameras: scores.length,
    seats: sum('seats'),
    found: sum('found'),
    extra: sum('extra'),
    iouMedian: ious.length > 0 ? ious[Math.floor(ious.length / 2)]! : null,
  };
}

function middleOf(zone: Polygon): Point {
  const [x0, y0, x1, y1] = bounds(zone);
  return [(x0 + x1) / 2, (y0 + y1) / 2];
}
