/** The fold of an alert: what events and people make of it, and that it can be redone from the rows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlertFold, foldAction, foldEvent } from '../../../cloud/alerts/fold.ts';
import { ACTION_KINDS } from '../../../cloud/http/api.ts';
import type { Level, Phase } from '../../../protocol/event.ts';
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

  it('goes on when an episode that had ended is joined, and says since when', () => {
    const at = (wallMs: number, monoMs: number, bootId = 'boot-1') => ({
      roomId: 'room-1',
      wallMs: WALL + wallMs,
      told: { bootId, monoMs },
      storedWallMs: WALL,
    });
    const part = (phase: Phase, level: Level, s: number) => ({
      ...episodeBody('e1', phase, level),
      durationMs: s * 1000,
      sentence: { zh: `${s}`, en: `${s}` },
    });
    const [begin, end] = [part('begin', 'notice', 10), part('end', 'notice', 35)];
    const [again, over] = [part('update', 'alarm', 335), part('end', 'alarm', 400)];
    for (const stepMs of [0, -3_600_000]) {
      // The wall clock of the room is set back between the two: what was decided later still counts.
      const ended = foldEvent(foldEvent(undefined, { ...at(0, 0), body: begin }), { ...at(25_000, 25_000), body: end });
      const joined = foldEvent(ended, { ...at(365_000 + stepMs, 365_000), body: again });
      expect(joined, `${stepMs}`).toMatchObject({
        phase: 'update',
        level: 'alarm',
        durationMs: 335_000,
        sentence: again.sentence,
        beganWallMs: WALL - 10_000,
        againWallMs: WALL + 65_000 + stepMs,
        lastWallMs: WALL + 365_000 + stepMs,
      });
      // From a left stream of the same boot: neither begin nor end takes anything back.
      for (const late of [begin, end]) {
        const after = foldEvent(joined, { ...at(25_000, late === begin ? 0 : 25_000), body: late });
        expect(after, late.phase).toMatchObject({ phase: 'update', durationMs: 335_000, sentence: again.sentence });
      }
      expect(foldEvent(joined, { ...at(430_000 + stepMs, 430_000), body: over })).toMatchObject({
        phase: 'end',
        durationMs: 400_000,
        againWallMs: WALL + 65_000 + stepMs,
      });
      // After a reboot with a clock that runs behind an end is an end.
      expect(foldEvent(joined, { ...at(-9_000_000, 5, 'boot-2'), body: over })).toMatchObject({ phase: 'end' });
    }
    // Rows of older versions know the wall clock only.
    const { told: _told, ...old } = foldEvent(undefined, { ...at(25_000, 25_000), body: end });
    expect(foldEvent(old, { ...at(365_000, 365_000), body: again })).toMatchObject({ phase: 'update' });
    expect(foldEvent(old, { ...at(0, 0), body: begin })).toMatchObject({ phase: 'end', durationMs: 35_000 });
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

  it('says that words are only suspected until something is confirmed, also after their end, and opens again then', () => {
    const words = (phase: Phase, from: string, to: string) => ({
      ...episodeBody('e1', phase, 'notice'),
      behaviour: 'speech_suggestive' as const,
      from,
      to,
    });
    const begun = fold(undefined, words('begin', 'SILENT', 'SUSPECTED'));
    expect(begun.suspected).toBe(true);
    const ended = foldAction(fold(begun, words('end', 'SUSPECTED', 'SILENT'), 5000), 'false');
    expect(ended).toMatchObject({ suspected: true, phase: 'end', state: 'closed', verdict: 'false' });
    const confirmed = fold(ended, words('update', 'SILENT', 'SPOKEN'), 9000);
    expect(confirmed).not.toHaveProperty('suspected');
    expect(confirmed).toMatchObject({ state: 'open', level: 'notice', phase: 'update' });
    expect(confirmed).not.toHaveProperty('verdict');
    expect(fold(confirmed, words('end', 'SPOKEN', 'SILENT'), 20_000)).not.toHaveProperty('suspected');
    // Drained late, a suspicion takes back nothing, also when it is of an earlier run of the agent.
    const other = { ...words('begin', 'SILENT', 'SUSPECTED') };
    expect(fold(confirmed, other, 9500)).not.toHaveProperty('suspected');
    expect(
      fold(foldAction(fold(confirmed, other, 9500), 'confirm'), words('end', 'SPOKEN', 'SILENT'), 20_000),
    ).toMatchObject({ state: 'closed', verdict: 'confirmed' });
    expect(fold(confirmed, words('begin', 'SILENT', 'SUSPECTED'), -1)).toMatchObject({ state: 'open' });
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
