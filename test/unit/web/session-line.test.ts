/** The timeline of an evaluation: phases and permits as the steps tell them, and what a drawn permit asks for. */
import { describe, expect, it } from 'vitest';
import type { PermitView, StepView } from '../../../cloud/http/sessions-api.ts';
import {
  carryOut,
  draftOf,
  MINUTES_MAX,
  minutesUntil,
  permitSpans,
  phaseSpans,
  requestsOf,
  standingFor,
} from '../../../cloud/web/state/session-line.ts';

const MINUTE = 60_000;
const step = (wallMs: number, rest: Partial<StepView>): StepView => ({
  n: wallMs,
  wallMs,
  actor: '王',
  what: 'phase',
  ...rest,
});
const permit = (permitId: string, rest: Partial<PermitView> = {}): PermitView => ({
  permitId,
  kind: 'absence',
  seatId: '3',
  fromWallMs: 0,
  untilWallMs: 10 * MINUTE,
  givenBy: '王',
  givenWallMs: 0,
  ...rest,
});

describe('phases', () => {
  it('follow each other, and the last one lasts until now or until the end', () => {
    const steps = [
      step(1, { what: 'begin', phase: 'evaluating' }),
      step(5, { phase: 'evaluating' }),
      step(6, { what: 'permit' }),
      step(10, { phase: 'break' }),
    ];
    const spans = [
      { phase: 'evaluating', fromWallMs: 1, toWallMs: 10 },
      { phase: 'break', fromWallMs: 10, toWallMs: 20 },
    ];
    expect(phaseSpans(steps, 20)).toEqual(spans);
    expect(phaseSpans([...steps, step(15, { what: 'end', phase: 'idle' })], 20)).toEqual([
      spans[0],
      { ...spans[1], toWallMs: 15 },
    ]);
  });
});

describe('permits', () => {
  it('reach as far as they were given, or until they were taken back, whichever is known first', () => {
    const { givenBy: _by, givenWallMs: _at, ...one } = permit('one');
    const steps = [step(0, { what: 'permit', permit: one }), step(4 * MINUTE, { what: 'revoke', permit: one })];
    expect(permitSpans(steps, { permits: [] })).toMatchObject([{ permitId: 'one', untilWallMs: 4 * MINUTE }]);
    const permits = [permit('one', { revokedWallMs: 4 * MINUTE }), permit('two', { fromWallMs: 5 * MINUTE })];
    expect(permitSpans(steps.slice(0, 1), { permits }).map(({ untilWallMs }) => untilWallMs)).toEqual([
      4 * MINUTE,
      10 * MINUTE,
    ]);
  });
});

describe('a permit that is drawn', () => {
  const whom = { kind: 'absence', seatId: '3' } as const;

  it('is given in whole minutes from now, within what the route takes', () => {
    expect(minutesUntil(10.4 * MINUTE, 0)).toBe(10);
    expect(minutesUntil(0, MINUTE)).toBe(0);
    expect(draftOf(whom, 99_999, [], 0)).toEqual({ ...whom, minutes: MINUTES_MAX });
    expect(draftOf(whom, 0, [], 0)).toBeUndefined();
    expect(requestsOf({ ...whom, minutes: 10 })).toEqual({ give: { ...whom, minutes: 10 } });
  });

  it('takes the place of the one that stands for the same, and of no other', () => {
    const others = [permit('call', { kind: 'call' }), permit('four', { seatId: '4' })];
    const over = [permit('over', { untilWallMs: MINUTE }), permit('back', { revokedWallMs: 1 })];
    const stands = permit('stands', { untilWallMs: 8 * MINUTE });
    expect(standingFor(whom, [...others, ...over], 2 * MINUTE)).toBeUndefined();
    const draft = draftOf(whom, 12, [...others, ...over, stands], 2 * MINUTE)!;
    expect(requestsOf(draft)).toEqual({ give: { ...whom, minutes: 12 }, revoke: 'stands' });
    expect(requestsOf(draftOf(whom, 0, [stands], 0)!)).toEqual({ revoke: 'stands' });
  });

  it('is for as many people as were let in before, and for one where nobody was', () => {
    const { seatId: _none, ...staff } = permit('staff', { kind: 'staff', people: 3 });
    const room = { kind: 'staff' } as const;
    expect(requestsOf(draftOf(room, 5, [], 0)!).give).toEqual({ kind: 'staff', minutes: 5, people: 1 });
    expect(requestsOf(draftOf(room, 5, [staff], 0)!)).toEqual({
      give: { kind: 'staff', minutes: 5, people: 3 },
      revoke: 'staff',
    });
  });
});

describe('a drawn permit that is carried out', () => {
  const desk = (answers: Partial<Record<'give' | 'revoke', boolean>> = {}) => {
    const [asked, lefts]: [string[], unknown[]] = [[], []];
    return {
      asked,
      lefts,
      give: async ({ minutes }: { minutes: number }) => {
        asked.push(`give ${minutes}`);
        return answers.give ?? true;
      },
      revoke: async (permitId: string) => {
        asked.push(`revoke ${permitId}`);
        return answers.revoke ?? true;
      },
      left: (draft: unknown) => void lefts.push(draft),
    };
  };
  const old = permit('p1');
  const draft = draftOf({ kind: 'absence', seatId: '3' }, 20, [old], 0)!;

  it('is given first and then stands in for the old one', async () => {
    const on = desk();
    await carryOut(draft, { permits: [old], nowMs: 1 }, on);
    expect(on.asked).toEqual(['give 20', 'revoke p1']);
    expect(on.lefts.at(-1)).toBeUndefined();
  });

  it('is not given twice when the old one could not be taken back at once', async () => {
    const failing = desk({ revoke: false });
    await carryOut(draft, { permits: [old], nowMs: 1 }, failing);
    const still = failing.lefts.at(-1) as typeof draft;
    expect(still).toMatchObject({ minutes: 0, instead: { permitId: 'p1' } });
    const again = desk();
    await carryOut(still, { permits: [old, permit('p2')], nowMs: 2 }, again);
    expect(again.asked).toEqual(['revoke p1']);
    expect(again.lefts.at(-1)).toBeUndefined();
  });

  it('stays as it is drawn when it was not given', async () => {
    const on = desk({ give: false });
    await carryOut(draft, { permits: [old], nowMs: 1 }, on);
    expect([on.asked, on.lefts]).toEqual([['give 20'], []]);
  });

  it.each([
    ['has run out', [old], 11 * MINUTE],
    ['was taken back elsewhere', [permit('p1', { revokedWallMs: 5 })], 6],
  ])('leaves the old one alone that %s since it was drawn', async (_what, permits, nowMs) => {
    const on = desk();
    await carryOut(draft, { permits, nowMs }, on);
    expect([on.asked, on.lefts]).toEqual([['give 20'], [undefined]]);
  });
});
