/** The fold of an alert: what events and people make of it, and that it can be redone from the rows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlertFold, foldAction, foldEvent } from '../../../cloud/alerts/fold.ts';
import { ACTION_KINDS } from '../../../cloud/http/api.ts';
import { episodeBody, WALL } from '../../medium/cloud/events.ts';

const fold = (before: AlertFold | undefined, body = episodeBody('e1'), at = 0) =>
  foldEvent(before, { roomId: 'room-1', wallMs: WALL + at, storedWallMs: WALL + at + 1, body });

describe('alert fold', () => {
  it('begins open and follows its events', () => {
    const begun = fold(undefined);
    expect(begun).toMatchObject({
      state: 'open',
      escalated: false,
      level: 'notice',
      phase: 'begin',
      firstStoredWallMs: WALL + 1,
    });
    const body = { ...episodeBody('e1', 'end', 'notice'), durationMs: 99, seatIds: ['4'], beganWallMs: WALL - 99_999 };
    expect(fold(begun, body, 50)).toMatchObject({
      phase: 'end',
      durationMs: 99,
      seatIds: ['3', '4'],
      beganWallMs: WALL - 99_999,
      firstStoredWallMs: WALL + 1,
      lastStoredWallMs: WALL + 51,
    });
  });

  it('stays ended when events from before the end come after it, from a stream that was drained later', () => {
    const end = { ...episodeBody('e1', 'end', 'notice'), durationMs: 60_000 };
    const ended = fold(undefined, end, 60_000);
    const begin = { ...episodeBody('e1', 'begin', 'notice'), durationMs: 10_000, seatIds: ['4'] };
    const alarm = { ...episodeBody('e1', 'update', 'alarm'), durationMs: 30_000 };
    expect(fold(fold(ended, begin, 10_000), alarm, 30_000)).toMatchObject({
      phase: 'end',
      durationMs: 60_000,
      lastWallMs: WALL + 60_000,
      sentence: end.sentence,
      level: 'alarm',
      seatIds: ['3', '4'],
    });
  });

  it('opens again when what was judged as a notice becomes an alarm, and forgets that verdict', () => {
    for (const kind of ['acknowledge', 'false', 'close'] as const) {
      const judged = foldAction(fold(undefined), kind);
      const risen = fold(judged, episodeBody('e1', 'update', 'alarm'));
      expect(risen).toMatchObject({ state: 'open', level: 'alarm' });
      expect(risen.verdict).toBeUndefined();
      expect(fold(judged, episodeBody('e1', 'update'))).toMatchObject({ state: judged.state });
    }
  });

  it.each([
    ['acknowledge', { state: 'acknowledged' }],
    ['confirm', { state: 'closed', verdict: 'confirmed' }],
    ['false', { state: 'closed', verdict: 'false' }],
    ['unclear', { state: 'closed', verdict: 'unclear' }],
    ['escalate', { state: 'open', escalated: true }],
    ['close', { state: 'closed' }],
    ['note', { state: 'open' }],
  ] as const)('%s', (kind, expected) => {
    expect(foldAction(fold(undefined), kind)).toMatchObject(expected);
  });

  it('never falls in level, keeps its first times, and is the same when done again', () => {
    const step = fc.oneof(
      fc.constantFrom(...ACTION_KINDS),
      fc.record({
        level: fc.constantFrom('notice' as const, 'alarm' as const),
        phase: fc.constantFrom('update' as const, 'end' as const),
      }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const run = () => {
          let alert = fold(undefined);
          for (const [i, one] of steps.entries()) {
            const next =
              typeof one === 'string'
                ? foldAction(alert, one)
                : fold(alert, episodeBody('e1', one.phase, one.level), i);
            if (alert.level === 'alarm') expect(next.level).toBe('alarm');
            expect(next.firstStoredWallMs).toBe(alert.firstStoredWallMs);
            alert = next;
          }
          return alert;
        };
        expect(run()).toEqual(run());
      }),
      { seed: 1 },
    );
  });
});
