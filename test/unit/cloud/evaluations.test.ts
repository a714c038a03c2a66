/** Alerts of an evaluation: asked for by pages, in its own room, by anybody with a session; which evaluation an alert belongs to. */
import { describe, expect, it } from 'vitest';
import { foldEvent } from '../../../cloud/alerts/fold.ts';
import type { EvaluationView } from '../../../cloud/http/sessions-api.ts';
import { createEvaluations } from '../../../cloud/review/evaluations.ts';
import type { SessionAlertsQuery } from '../../../cloud/store/store.ts';
import { episodeBody } from '../../medium/cloud/events.ts';
import { stillClock } from './still-clock.ts';

const who = { user: { userId: 'u', name: 'v', role: 'viewer' }, sessionId: 'x' } as const;

function desk() {
  const asked: SessionAlertsQuery[] = [];
  const evaluation = { sessionId: 's-1', roomId: 'room-1' } as EvaluationView;
  const store = {
    evaluations: { find: async (id: string) => (id === 's-1' ? evaluation : undefined) },
    devices: async () => [],
    async sessionAlerts(query: SessionAlertsQuery) {
      asked.push(query);
      return { alerts: [], total: 0 };
    },
  };
  const evaluations = createEvaluations({
    store: store as never,
    rooms: { layout: () => undefined },
    orders: { ordered: () => undefined },
    clock: stillClock().clock,
  });
  return { asked, evaluations };
}

describe('alerts of an evaluation', () => {
  it('are one page of its own room', async () => {
    const { asked, evaluations } = desk();
    const before = { lastStoredWallMs: 7, episodeId: 'e-7' };
    expect(await evaluations.alerts(who, 's-1', { limit: 50, before })).toEqual({ alerts: [], total: 0 });
    expect(asked).toEqual([{ sessionId: 's-1', roomId: 'room-1', limit: 50, before }]);
  });

  it('of an evaluation that does not exist are refused, and without a session', async () => {
    const { evaluations } = desk();
    await expect(evaluations.alerts(who, 's-9', { limit: 1 })).rejects.toMatchObject({ code: 'not_found' });
    await expect(evaluations.alerts(undefined, 's-1', { limit: 1 })).rejects.toMatchObject({ code: 'no_session' });
  });

  it('belong to the first evaluation in which something of them was decided', () => {
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
    expect(fold(fold(undefined), 's-2').sessionId).toBe('s-2');
    expect('sessionId' in fold(undefined)).toBe(false);
  });
});
