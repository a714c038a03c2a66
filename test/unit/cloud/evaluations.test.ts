/** Alerts of an evaluation: found among all of the room however many came since, ties at the edges of pages included. */
import { describe, expect, it } from 'vitest';
import { foldEvent } from '../../../cloud/alerts/fold.ts';
import type { AlertView } from '../../../cloud/http/api.ts';
import type { EvaluationView } from '../../../cloud/http/sessions-api.ts';
import { createEvaluations } from '../../../cloud/review/evaluations.ts';
import { episodeBody } from '../../medium/cloud/events.ts';
import { stillClock } from './still-clock.ts';

const who = { user: { userId: 'u', name: 'v', role: 'viewer' }, sessionId: 'x' } as const;

function desk(alerts: readonly AlertView[], begunWallMs: number) {
  const asked = { pages: 0 };
  const evaluation = { sessionId: 's-1', roomId: 'room-1', begunWallMs } as EvaluationView;
  const evaluations = { find: async (id: string) => (id === 's-1' ? evaluation : undefined) };
  const store = {
    evaluations,
    devices: async () => [],
    async alerts({ beforeWallMs, limit }: { beforeWallMs?: number; limit: number }) {
      asked.pages += 1;
      return alerts.filter((one) => one.lastStoredWallMs < (beforeWallMs ?? Infinity)).slice(0, limit);
    },
  };
  return {
    asked,
    desk: createEvaluations({
      store: store as never,
      rooms: { layout: () => undefined },
      orders: { poke: () => undefined },
      clock: stillClock().clock,
    }),
  };
}
const alert = (n: number, lastStoredWallMs: number, sessionId?: string) =>
  ({ episodeId: `e-${n}`, lastStoredWallMs, ...(sessionId ? { sessionId } : {}) }) as AlertView;

describe('alerts of an evaluation', () => {
  it('are found behind many newer ones, and the search ends where the evaluation began', async () => {
    // Four of each millisecond, newest first; every third is of the evaluation.
    const all = Array.from({ length: 4000 }, (_, n) =>
      alert(n, 10_000 - Math.floor(n / 4), n >= 1000 && n < 2000 && n % 3 === 0 ? 's-1' : 's-0'),
    );
    const { desk: evaluations, asked } = desk(all, 9400);
    const found = await evaluations.alerts(who, 's-1');
    const wanted = all.filter(({ sessionId }) => sessionId === 's-1').map(({ episodeId }) => episodeId);
    expect(found.alerts.map(({ episodeId }) => episodeId)).toEqual(wanted);
    expect(asked.pages).toBeLessThan(8);
  });

  it('are none where there are none, and of an evaluation that does not exist there is a refusal', async () => {
    const { desk: evaluations } = desk([], 0);
    expect(await evaluations.alerts(who, 's-1')).toEqual({ alerts: [] });
    await expect(evaluations.alerts(who, 's-9')).rejects.toMatchObject({ code: 'not_found' });
    await expect(evaluations.alerts(undefined, 's-1')).rejects.toMatchObject({ code: 'no_session' });
  });

  it('belong to the evaluation that was on when they began', () => {
    const fold = (before: ReturnType<typeof foldEvent> | undefined, sessionId?: string) =>
      foldEvent(before, {
        roomId: 'room-1',
        wallMs: 1,
        storedWallMs: 1,
        body: { ...episodeBody('e1'), ...(sessionId ? { sessionId } : {}) },
      });
    const first = fold(undefined, 's-1');
    expect(first.sessionId).toBe('s-1');
    expect(fold(first, 's-2').sessionId).toBe('s-1');
    expect('sessionId' in fold(undefined)).toBe(false);
  });
});
