/** Evaluations on the page: what the line brings, what is newer, what stands, and their words in both languages. */
import { describe, expect, it } from 'vitest';
import type { AlertView } from '../../../cloud/http/api.ts';
import type { EvaluationView, PermitView, StepView } from '../../../cloud/http/sessions-api.ts';
import { formatAddress, invitationToken, parseAddress } from '../../../cloud/web/address.ts';
import { liveEvaluation, phaseAt } from '../../../cloud/web/state/belonging.ts';
import { applyLine, fromOverview, KnownIds, withSession, withSessions } from '../../../cloud/web/state/feed.ts';
import { queueOf } from '../../../cloud/web/state/order.ts';
import {
  kindWords,
  phaseWords,
  quietPermitWords,
  quietPhaseWords,
  stepWords,
} from '../../../cloud/web/words/session.ts';
import { todayAt } from '../../../cloud/web/words/time.ts';
import { SESSION_PHASES, type SessionPhase } from '../../../protocol/session.ts';

const evaluation = (over: Partial<EvaluationView> = {}): EvaluationView => ({
  sessionId: 's-1',
  roomId: 'room-1',
  title: '采购',
  project: '',
  roster: [],
  bidders: [],
  startWallMs: 0,
  begunWallMs: 0,
  begunBy: '王监督',
  phase: 'evaluating',
  phaseSinceWallMs: 0,
  permits: [],
  revision: 5,
  ...over,
});
const feed = (sessions: readonly EvaluationView[] = []) =>
  fromOverview({ serverWallMs: 0, rooms: [], alerts: [], sessions, cursor: 'c' });

describe('evaluations in the feed', () => {
  it('come with the first screen, change with the line, and go when they end', () => {
    const first = feed([evaluation()]);
    expect(first.sessions.get('room-1')?.phase).toBe('evaluating');
    const known = new KnownIds(10);
    const next = evaluation({ phase: 'break', revision: 6 });
    const later = applyLine(
      first,
      { kind: 'session', body: { roomId: 'room-1', revision: 6, evaluation: next } },
      known,
    );
    expect(later.sessions.get('room-1')?.phase).toBe('break');
    // An answer that was slower than the line does not bring the old phase back.
    expect(withSession(later, 'room-1', evaluation()).sessions.get('room-1')?.phase).toBe('break');
    // That none is on was looked up before this one began.
    const early = applyLine(later, { kind: 'session', body: { roomId: 'room-1', revision: 5 } }, known);
    expect(early.sessions.size).toBe(1);
    const over = applyLine(later, { kind: 'session', body: { roomId: 'room-1', revision: 7 } }, known);
    expect(over.sessions.size).toBe(0);
    expect(withSession(later, 'room-1', evaluation({ endedWallMs: 9, revision: 7 })).sessions.size).toBe(0);
  });

  it('are replaced as a whole after the line was down, but not by older ones', () => {
    const before = feed([evaluation({ revision: 9 }), evaluation({ roomId: 'room-2', sessionId: 's-2' })]);
    const after = withSessions(before, [evaluation({ revision: 8, phase: 'break' })], before.sessions);
    expect([...after.sessions.keys()]).toEqual(['room-1']);
    expect(after.sessions.get('room-1')?.phase).toBe('evaluating');
  });

  it('that a line has told of while the answer was on its way stay', () => {
    const asked = feed([evaluation({ roomId: 'room-2', sessionId: 's-2' })]);
    const told = withSession(asked, 'room-1', evaluation());
    expect([...withSessions(told, [], asked.sessions).sessions.keys()]).toEqual(['room-1']);
    const over = withSession(asked, 'room-2', undefined, 6);
    const late = [evaluation({ roomId: 'room-2', sessionId: 's-2' })];
    expect(withSessions(over, [], asked.sessions).sessions.size).toBe(0);
    expect(withSessions(over, late, asked.sessions).sessions.size).toBe(0);
  });

  it('narrow the queue to their own alerts', () => {
    const alert = (episodeId: string, sessionId?: string) =>
      ({ episodeId, state: 'open', level: 'notice', ...(sessionId ? { sessionId } : {}) }) as AlertView;
    const found = queueOf([alert('a', 's-1'), alert('b'), alert('c', 's-2')], { session: 's-1' }, () => '');
    expect(found.map(({ episodeId }) => episodeId)).toEqual(['a']);
  });
});

describe('addresses', () => {
  it('name an evaluation and read it back', () => {
    const place = { page: 'queue', room: 'room-1', session: 's-1' } as const;
    expect(parseAddress(formatAddress(place))).toEqual(place);
    expect(parseAddress('#/sessions?room=room-1')).toEqual({ page: 'sessions', room: 'room-1' });
    expect(parseAddress('#/people')).toEqual({ page: 'people' });
  });
  it('carry the token of an invitation', () => {
    expect(invitationToken('#invite=abc_-9')).toBe('abc_-9');
    expect(invitationToken('#/wall?invite=abc')).toBe('abc');
    expect(invitationToken('#/wall')).toBeUndefined();
  });
});

describe('words of an evaluation', () => {
  const permit: PermitView = {
    permitId: 'p',
    kind: 'absence',
    seatId: '3',
    fromWallMs: 0,
    untilWallMs: 600_000,
    givenBy: 'w',
    givenWallMs: 0,
  };
  it('say each phase, and what is not raised in it', () => {
    for (const phase of SESSION_PHASES)
      for (const lang of ['zh', 'en'] as const) expect(phaseWords(phase, lang)).not.toBe(phase);
    expect(quietPhaseWords('evaluating', 'zh')).toBe('');
    expect(quietPhaseWords('break', 'zh')).toContain('离席');
    expect(quietPermitWords('call', 'en')).toBe('Phone in use');
    expect(kindWords('escorted', 'zh')).toBe('陪同离场');
  });
  it('say each step as a sentence', () => {
    const step = { n: 1, wallMs: 0, actor: '王' };
    expect(stepWords({ ...step, what: 'phase', phase: 'break' }, '', 'zh')).toBe('进入“休息”');
    expect(stepWords({ ...step, what: 'permit', permit }, '3号席', 'zh')).toBe('许可：3号席 准许离席 10 分');
    const staff = { ...permit, kind: 'staff', people: 2 } as const;
    expect(stepWords({ ...step, what: 'revoke', permit: staff }, '', 'en')).toBe(
      'revoked: 2 people staff in the room 10 min',
    );
    const { seatId: _none, ...room } = permit;
    const work = { ...room, kind: 'maintenance' } as const;
    expect(stepWords({ ...step, what: 'permit', permit: work }, '', 'zh')).toBe('许可：全室 设备检修 10 分');
    expect(quietPermitWords('maintenance', 'en')).toBe('Camera fault, Microphone fault');
  });
  it('take the time of day in the zone of the room', () => {
    const now = Date.UTC(2026, 10, 24, 16, 30, 5, 250);
    // It is 00:30 of the 25th in Shanghai.
    expect(todayAt('09:00', 'Asia/Shanghai', now)).toBe(Date.UTC(2026, 10, 25, 1, 0));
    expect(todayAt('09:00', 'UTC', now)).toBe(Date.UTC(2026, 10, 24, 9, 0));
  });
});

describe('the evaluation of an alert', () => {
  it('is its own, never the one that is on in its room by now', () => {
    const { sessions } = feed([evaluation({ sessionId: 's-2' })]);
    const alert = { roomId: 'room-1' };
    expect(liveEvaluation(sessions, { ...alert, sessionId: 's-1' })).toBeUndefined();
    expect(liveEvaluation(sessions, alert)).toBeUndefined();
    expect(liveEvaluation(sessions, { ...alert, sessionId: 's-2' })?.sessionId).toBe('s-2');
  });
  it('stood in the phase that had been chosen last', () => {
    const step = (n: number, wallMs: number, phase?: SessionPhase): StepView => ({
      n,
      wallMs,
      actor: '王',
      what: phase ? 'phase' : 'permit',
      ...(phase ? { phase } : {}),
    });
    const steps = [step(1, 100, 'evaluating'), step(2, 200), step(3, 300, 'break'), step(4, 400, 'evaluating')];
    expect(phaseAt(steps, 99)).toBeUndefined();
    expect(phaseAt(steps, 250)).toBe('evaluating');
    expect(phaseAt(steps, 300)).toBe('break');
    expect(phaseAt(steps, 9999)).toBe('evaluating');
  });
});
