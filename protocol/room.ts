/** Layout of one evaluation room: what the room.yaml of an agent describes and what the cloud draws. */
import type { FloorPoint, Point, Polygon, Seat } from './seat.ts';

export interface Zone {
  readonly zoneId: string;
  readonly kind: 'door' | 'window' | 'other';
  readonly cameraId: string;
  readonly polygon: Polygon;
}

/** Crossing from the room's side to the other counts as leaving; `inside` is a point on the room's side. */
export interface DoorLine {
  readonly cameraId: string;
  readonly line: readonly [Point, Point];
  readonly inside: Point;
}

/** Four or more picture points with their place on the floor in metres: gives a homography. */
export interface FloorCalibration {
  readonly cameraId: string;
  readonly points: readonly { readonly image: Point; readonly floor: FloorPoint }[];
}

/** Who sits where in this session. `expertId` is an opaque id of the trading system, never a name in logs. */
export interface RosterEntry {
  readonly seatId: string;
  readonly expertId: string;
  readonly name?: string;
}

/** All that the cloud needs to draw the room; published by the agent in its state (see stream.ts). */
export interface RoomLayout {
  readonly roomId: string;
  readonly name: string;
  readonly centre: string;
  /** IANA name, for example Asia/Shanghai: every time of this room is shown in it. */
  readonly timeZone: string;
  readonly seats: readonly Seat[];
  readonly zones: readonly Zone[];
  readonly doorLines: readonly DoorLine[];
  readonly floor: readonly FloorCalibration[];
  readonly roster: readonly RosterEntry[];
}
