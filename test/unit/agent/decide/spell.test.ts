import { describe, expect, it } from 'vitest';
import type { Scene } from '../../../../agent/decide/scene.ts';
import { type Evidence, type SpellRule, spellRule } from '../../../../agent/decide/spell.ts';
import type { EpisodeBody } from '../../../../protocol/event.ts';
import type { Session } from '../../../../protocol/session.ts';
import { full, session } from './bodies.ts';
import { at, frame, layout } from './world.ts';

/** A rule of standing that is told what each camera says, two frames a second. */
const spec = (more: Partial<SpellRule> = {}): SpellRule => ({
  behaviour: 'standing',
  rule: () => ({ citation: 'sit', noticeMs: 5000, alarmMs: 15_000 }) as never,
  figure: 'rise',
  look: ({ input }) => (input as unknown as { readonly told: readonly Evidence[] }).told,
  sentence: () => ({ zh: '', en: '' }),
  ...more,
});

const says = (holds: boolean, more: Partial<Evidence> = {}): Evidence => ({
  ...{ key: '1', seatIds: ['1'], holds, cameraId: 'cam-a', value: 1, worth: 0.5 },
  ...more,
});

/** `tell`: what is said at each second. */
function run(
  until: number,
  tell: (s: number) => readonly Evidence[],
  { more = {}, phaseAt }: { more?: Partial<SpellRule>; phaseAt?: (s: number) => Session } = {},
): readonly EpisodeBody[] {
  const rule = spellRule(spec(more));
  const context = { layout, pack: full, runId: 'r', ids: { take: () => 'r-1' } };
  let state = rule.start(context, at(0), []);
  const bodies: EpisodeBody[] = [];
  for (let s = 0; s < until; s += 0.5) {
    const input = { ...frame(s, {}), told: tell(s) };
    const scene: Scene = {
      ...{ at: at(s), input, seats: [], exits: [], session: phaseAt?.(s) },
      cameras: [{ blind: false, fresh: true }] as never,
    };
    const [next, drafts] = rule.step(JSON.parse(JSON.stringify(state)), scene, context);
    state = next;
    for (const { body } of drafts) if (body.kind === 'episode') bodies.push(body);
  }
  return bodies;
}

describe('when a spell began', () => {
  it('is the first frame of the run, however long it took until enough said so', () => {
    const half = (s: number) => (s < 10 ? s % 1 === 0 : true);
    const [first] = run(20, (s) => [says(s >= 6 && half(s))], { more: { beginShare: 0.75 } });
    expect(first?.beganWallMs).toBe(at(6).wallMs);
  });

  it('is not before what is allowed was over', () => {
    const phaseAt = (s: number) => session({ phase: s < 60 ? 'break' : 'evaluating' });
    const told = run(80, () => [says(true)], { phaseAt });
    expect(told.map((b) => [b.phase, b.level])).toEqual([
      ['begin', 'notice'],
      ['update', 'alarm'],
    ]);
    expect(told[0]?.beganWallMs).toBeGreaterThanOrEqual(at(59.5).wallMs);
    const still = run(80, () => [says(true, { sinceMonoMs: at(1).monoMs })], { phaseAt });
    expect(still[0]).toMatchObject({ level: 'notice' });
    expect(still[0]?.beganWallMs).toBeGreaterThanOrEqual(at(59.5).wallMs);
  });

  it('is not that of an earlier one that was over, which would count twice', () => {
    // Seven seconds apart, with one frame between that said so by chance.
    const told = run(60, (s) => [says((s >= 5 && s < 20) || s === 23 || (s >= 27 && s < 40))]);
    expect(told.at(-1)).toMatchObject({ phase: 'end' });
    expect(told.at(-1)!.durationMs).toBeLessThanOrEqual(30_000);
  });

  it('is not the first of chance frames that were never enough', () => {
    const told = run(330, (s) => [says(s >= 300 || s % 1.5 === 0)]);
    expect(told[0]).toMatchObject({ level: 'notice' });
    expect(told[0]!.beganWallMs).toBeGreaterThan(at(295).wallMs);
  });

  it('is not in the time in which another view said no', () => {
    const told = run(330, (s) => [says(true), ...(s < 300 ? [says(false, { cameraId: 'cam-b' })] : [])], {
      more: { agreed: true },
    });
    expect(told[0]).toMatchObject({ level: 'notice' });
    expect(told[0]!.beganWallMs).toBeGreaterThan(at(295).wallMs);
  });
});
