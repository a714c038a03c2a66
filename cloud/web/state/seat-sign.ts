/** What a seat shows on plans, pictures and lists: its occupancy, since when, and the gravest alert that is going on there. Pure. */
import type { Level } from '../../../protocol/event.ts';
import type { AlertView, RoomCard } from '../../http/api.ts';
import { isOurFault } from './order.ts';

type SeatState = 'present' | 'away' | 'unknown' | 'absent';

interface SeatSign {
  readonly state: SeatState;
  readonly level?: Level;
  /** Everything of that level has been acknowledged: same shape, quiet. */
  readonly quiet: boolean;
  readonly sinceWallMs: number;
}

/** What a seat shows: its occupancy, and the gravest alert that is going on there. A silent room's seats are unknown. */
export function seatSign(room: RoomCard, seatId: string, alerts: readonly AlertView[], silent: boolean): SeatSign {
  const state = room.state;
  const seat = state?.seats.find((one) => one.seatId === seatId);
  const roster = state?.layout.roster ?? [];
  const absent = roster.length > 0 && !roster.some((entry) => entry.seatId === seatId);
  const here = alerts.filter(
    (alert) =>
      alert.phase !== 'end' &&
      alert.state !== 'closed' &&
      alert.seatIds.includes(seatId) &&
      !isOurFault(alert.behaviour),
  );
  // A seat may look unsettled now and then while its person is away: how long they have been is the alert's to say; of one
  // that was joined again, since its newest part, for they sat in between.
  const left = here.filter(({ behaviour }) => behaviour === 'left_seat' || behaviour === 'left_room');
  const since = Math.min(
    seat?.sinceWallMs ?? 0,
    ...left.map(({ againWallMs, beganWallMs }) => againWallMs ?? beganWallMs),
  );
  const gravest = here.find((alert) => alert.level === 'alarm') ?? here[0];
  const level = gravest?.level ?? seat?.level;
  const sign: SeatState = absent
    ? 'absent'
    : silent || !seat || seat.occupancy === 'unknown'
      ? 'unknown'
      : seat.occupancy === 'yes'
        ? 'present'
        : 'away';
  return {
    state: sign,
    quiet: here.length > 0 && here.every((alert) => alert.state === 'acknowledged'),
    sinceWallMs: silent ? (room.heardWallMs ?? 0) : sign === 'away' ? since : (seat?.sinceWallMs ?? 0),
    ...(level && !silent ? { level } : {}),
  };
}
