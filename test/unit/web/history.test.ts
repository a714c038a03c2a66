/** Ten minutes of a room as its strip is drawn from them. */
import { describe, expect, it } from 'vitest';
import { addState, type RoomHistory, STRIP_MS } from '../../../cloud/web/state/history.ts';
import type { Occupancy } from '../../../protocol/event.ts';
import type { RoomState } from '../../../protocol/stream.ts';
import { layoutOf, plainZone, stateOf } from '../../e2e/web-world.ts';

const T0 = 1_700_000_000_000;
const base = stateOf(layoutOf(1, plainZone));

function at(wallMs: number, occupancy: Occupancy, sinceWallMs: number): RoomState {
  const seats = [{ seatId: '3', occupancy, sinceWallMs, state: '' }];
  return { ...base, at: { ...base.at, wallMs }, seats };
}

function fold(...states: readonly RoomState[]): RoomHistory {
  return states.reduce<RoomHistory | undefined>((history, state) => addState(history, state), undefined)!;
}

const spans = (history: RoomHistory) =>
  (history.seats.get('3') ?? []).map((s) => [s.occupancy, s.fromWallMs - T0, s.toWallMs - T0]);

describe('the strip of a room', () => {
  it('begins where the room says since when, at most ten minutes back', () => {
    expect(spans(fold(at(T0, 'yes', T0 - 5_000)))).toEqual([['yes', -5_000, 0]]);
    expect(spans(fold(at(T0, 'yes', T0 - 2 * STRIP_MS)))).toEqual([['yes', -STRIP_MS, 0]]);
  });

  it('grows while nothing changes and dates a change back to when it happened', () => {
    const history = fold(at(T0, 'yes', T0 - 9_000), at(T0 + 1_000, 'yes', T0 - 9_000), at(T0 + 2_000, 'no', T0 + 500));
    expect(spans(history)).toEqual([
      ['yes', -9_000, 500],
      ['no', 500, 2_000],
    ]);
  });

  it('draws nothing over a time in which the room was not heard', () => {
    const history = fold(at(T0, 'yes', T0 - 1_000), at(T0 + 60_000, 'yes', T0 + 55_000));
    expect(spans(history)).toEqual([
      ['yes', -1_000, 0],
      ['yes', 55_000, 60_000],
    ]);
  });

  it('is not moved by a late state, and begins anew after a clock that was set back', () => {
    const history = fold(at(T0, 'yes', T0 - 1_000));
    expect(addState(history, at(T0 - 3_000, 'no', T0 - 4_000))).toBe(history);
    expect(spans(addState(history, at(T0 - 3_600_000, 'no', T0 - 3_601_000)))).toEqual([
      ['no', -3_601_000, -3_600_000],
    ]);
  });

  it('drops what is older than the strip', () => {
    const history = fold(
      at(T0, 'no', T0 - 1_000),
      at(T0 + 1_000, 'yes', T0),
      at(T0 + 1_000 + STRIP_MS, 'yes', T0 + 900 + STRIP_MS),
    );
    expect(spans(history).every(([, , to]) => Number(to) > 1_000)).toBe(true);
  });
});
