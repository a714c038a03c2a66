/** Lights out is not a covered lens: what tells them apart, in rooms of one and of several cameras, and when people hear of it. */
import { describe, expect, it } from 'vitest';
import type { PictureState } from '../../../../protocol/observation.ts';
import type { Session } from '../../../../protocol/session.ts';
import { session } from './bodies.ts';
import { ALL, at, begin, context, episodes, feed, frame, layout, play, type Run, type Shot, told } from './world.ts';

const lost = { shift: { dx: 0, dy: 0, confidence: 0.04 } };
const BLACK: Partial<PictureState> = { brightness: 1.6, edgeEnergy: 0.6, ...lost };
const pictures: readonly (readonly [string, Partial<PictureState>])[] = [
  ['black with noise', BLACK],
  [
    'wholly black, each frame the same',
    { brightness: 0, edgeEnergy: 0, change: 0, shift: { dx: 0, dy: 0, confidence: 0 } },
  ],
  ['what the gain makes of half a per cent of the light', { brightness: 9, edgeEnergy: 5, ...lost }],
];
const two = {
  ...context,
  layout: {
    ...layout,
    seats: layout.seats.map((s) => ({ ...s, views: [...s.views, { ...s.views[0]!, cameraId: 'cam-b' }] })),
  },
};
/** Camera b a second later than camera a, as cameras go dark. */
function both(run: Run, until: number, a: Shot, b: Shot, from = run.s + 1) {
  const before = { persons: b.persons ?? [] };
  for (; run.s < until; run.s += 0.5) {
    feed(run, frame(run.s, a), two);
    feed(run, { ...frame(run.s + 0.2, run.s < from ? before : b), cameraId: 'cam-b' }, two);
  }
}
const says = (run: Run, state: Session | undefined, with_ = context) =>
  feed(run, { kind: 'session', at: at(run.s), session: state }, with_);
/** Faults that were told, by their first events. */
const begun = (run: Run) => told(run).filter((line) => line.startsWith('begin'));
const shown = (run: Run) => [...new Set(run.view.faults.map(({ fault }) => fault))];
const NIGHT = 600;

describe('a room of one camera', () => {
  it.each(pictures)('%s: tells nobody at night after the evaluation, and shows that it is dark', (_name, picture) => {
    const run = begin();
    says(run, session({ phase: 'idle' }));
    play(run, 20, { persons: ALL });
    play(run, NIGHT, { picture });
    expect(told(run)).toEqual([]);
    expect(shown(run)).toEqual(['dark']);
    expect(run.view.seats.map((s) => s.occupancy)).toEqual(['unknown', 'unknown', 'unknown']);
    play(run, NIGHT + 20, { persons: ALL });
    expect([told(run), shown(run)]).toEqual([[], []]);
  });

  it.each(pictures)('%s: is covered while somebody sits before it', (_name, picture) => {
    const run = begin();
    says(run, session());
    play(run, 20, { persons: ALL });
    play(run, 40, { picture });
    expect(begun(run)).toHaveLength(1);
    expect(begun(run)[0]).toMatch(/^begin camera_fault:(covered|moved) alarm$/);
    // It stays so, whoever ends the evaluation meanwhile.
    says(run, session({ phase: 'idle' }));
    play(run, 80, { picture });
    expect(told(run).some((line) => line.startsWith('end') || line.includes('dark'))).toBe(false);
  });

  it('is dark where nobody sat: silent without an evaluation, a notice in one', () => {
    const run = begin();
    play(run, 20, { persons: [] });
    play(run, 60, { picture: BLACK });
    expect([told(run), shown(run)]).toEqual([[], ['dark']]);
    says(run, session());
    play(run, 64, { picture: BLACK });
    expect(told(run)).toEqual([]);
    play(run, 70, { picture: BLACK });
    expect(told(run)).toEqual(['begin camera_fault:dark notice']);
    expect(episodes(run)[0]).toMatchObject({ to: 'DARK', beganWallMs: at(59.5).wallMs });
    says(run, session({ phase: 'idle' }));
    play(run, 80, { picture: BLACK });
    expect(told(run).at(-1)).toBe('end camera_fault:dark notice');
    expect(episodes(run).at(-1)).toMatchObject({
      to: 'UNKNOWN',
      sentence: { en: expect.stringContaining('nobody evaluates') },
    });
  });

  it('is covered where an evaluation is on and nobody knows who sits there', () => {
    const run = begin();
    says(run, session());
    play(run, 20, { picture: BLACK });
    expect(begun(run)).toEqual(['begin camera_fault:covered alarm']);
  });

  it('is told as the pack says, or not', () => {
    const withDark = (darkMs: number | null) => ({
      ...context,
      pack: { ...context.pack, rules: { camera_fault: { ...context.pack.rules.camera_fault!, darkMs } } },
    });
    for (const [darkMs, until] of [
      [30_000, 60],
      [null, 120],
    ] as const) {
      const run = begin([], withDark(darkMs));
      play(run, 20, { persons: [] }, withDark(darkMs));
      play(run, 22, { picture: BLACK }, withDark(darkMs));
      says(run, session(), withDark(darkMs));
      play(run, until - 15, { picture: BLACK }, withDark(darkMs));
      expect(told(run)).toEqual([]);
      play(run, until, { picture: BLACK }, withDark(darkMs));
      expect(told(run)).toEqual(darkMs === null ? [] : ['begin camera_fault:dark notice']);
    }
  });

  it('goes on after a restart as what it was', () => {
    const before = begin();
    says(before, session());
    play(before, 20, { persons: ALL });
    play(before, 30, { picture: BLACK });
    const again = begin(before.drafts.slice(-1), { ...context, runId: 'second' });
    says(again, session({ phase: 'idle' }));
    play(again, 60, { picture: BLACK });
    expect(told(again).every((line) => line === 'update camera_fault:covered alarm')).toBe(true);
    play(again, 70, { persons: ALL });
    expect(told(again).at(-1)).toBe('end camera_fault:covered alarm');

    const dark = begin();
    play(dark, 20, { persons: [] });
    play(dark, 22, { picture: BLACK });
    says(dark, session());
    play(dark, 30, { picture: BLACK });
    const later = begin(dark.drafts.slice(-1), { ...context, runId: 'second' });
    says(later, session());
    play(later, 60, { picture: BLACK });
    expect(new Set(told(later))).toEqual(new Set(['update camera_fault:dark notice']));
    play(later, 70, { persons: ALL });
    expect(told(later).at(-1)).toBe('end camera_fault:dark notice');
  });
});

describe('a room of two cameras', () => {
  it('is dark when both go within seconds, though people sit there: a notice, and nothing once it has ended', () => {
    for (const [phase, lines] of [
      ['evaluating', ['begin camera_fault:dark notice', 'begin camera_fault:dark notice']],
      ['idle', []],
    ] as const) {
      const run = begin([], two);
      says(run, session({ phase }), two);
      both(run, 20, { persons: ALL }, { persons: ALL });
      both(run, 60, { picture: BLACK }, { picture: BLACK });
      expect(begun(run)).toEqual(lines);
      expect(shown(run)).toEqual(['dark']);
      both(run, 80, { persons: ALL }, { persons: ALL }, 0);
      expect(told(run).filter((line) => line.startsWith('end'))).toHaveLength(lines.length);
    }
  });

  it('has one covered while the other has light, in an evaluation and after it', () => {
    for (const phase of ['evaluating', 'idle'] as const) {
      const run = begin([], two);
      says(run, session({ phase }), two);
      both(run, 20, { persons: ALL }, { persons: ALL });
      both(run, 60, { picture: BLACK }, { persons: ALL });
      expect(begun(run)).toEqual(['begin camera_fault:covered alarm']);
      expect(episodes(run)[0]!.sourceId).toBe('cam-a');
    }
  });

  it('keeps the one covered that was so before the lights went out', () => {
    const run = begin([], two);
    both(run, 20, { persons: ALL }, { persons: [] });
    both(run, 60, { picture: BLACK }, { persons: [] });
    says(run, session({ phase: 'idle' }), two);
    both(run, 120, { picture: BLACK }, { picture: BLACK });
    expect(begun(run)).toEqual(['begin camera_fault:covered alarm']);
    expect(told(run).some((line) => line.startsWith('end'))).toBe(false);
    expect(run.view.faults.map(({ sourceId, fault }) => `${sourceId} ${fault}`)).toEqual([
      'cam-a covered',
      'cam-b dark',
    ]);
  });

  it('finds a lens that was covered in the dark once there is light', () => {
    const run = begin([], two);
    says(run, session({ phase: 'idle' }), two);
    both(run, 20, { persons: [] }, { persons: [] });
    both(run, 60, { picture: BLACK }, { picture: BLACK });
    expect(told(run)).toEqual([]);
    both(run, 80, { picture: BLACK }, { persons: [] }, 0);
    expect(begun(run)).toEqual(['begin camera_fault:covered alarm']);
    expect(episodes(run)[0]!.beganWallMs).toBeGreaterThanOrEqual(at(60).wallMs);
  });
});
