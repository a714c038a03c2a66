/** Somebody works on the equipment: its faults are not told meanwhile, and count from when that is over. */
import { describe, expect, it } from 'vitest';
import type { Input } from '../../../../agent/decide/room.ts';
import type { PictureState } from '../../../../protocol/observation.ts';
import type { Permit } from '../../../../protocol/session.ts';
import { session } from './bodies.ts';
import { ALL, at, begin, context, episodes, feed, play, type Run, told } from './world.ts';

const permit = (fromS: number, untilS: number): Permit => ({
  permitId: 'p',
  kind: 'maintenance',
  fromWallMs: at(fromS).wallMs,
  untilWallMs: at(untilS).wallMs,
});
const level = (s: number, rmsDb: number, clipped = 0): Input => ({
  kind: 'level',
  microphoneId: 'mic',
  at: at(s),
  rmsDb,
  peakDb: rmsDb,
  clipped,
});
const clipping = {
  ...context,
  pack: {
    ...context.pack,
    rules: { ...context.pack.rules, microphone_fault: { ...context.pack.rules.microphone_fault!, clippingMs: 5000 } },
  },
};
const pictures: Readonly<Record<string, Partial<PictureState>>> = {
  covered: { edgeEnergy: 0.05, shift: { dx: 0, dy: 0, confidence: 0.1 } },
  moved: { shift: { dx: 0.2, dy: 0, confidence: 0.6 } },
  frozen: { change: 0 },
};
/** What goes wrong in the second that is played. */
const faults: readonly (readonly [string, (run: Run, s: number) => void])[] = [
  ...Object.entries(pictures).map(
    ([fault, picture]) =>
      [
        `camera_fault:${fault}`,
        (run: Run, s: number) => play(run, s + 1, { persons: ALL, picture }, clipping),
      ] as const,
  ),
  ['camera_fault:down', (run, s) => play(run, s + 1, 'nothing', clipping)],
  [
    'microphone_fault:muted',
    (run, s) => {
      play(run, s + 1, { persons: ALL }, clipping);
      feed(run, level(s, -120), clipping);
    },
  ],
  [
    'microphone_fault:clipping',
    (run, s) => {
      play(run, s + 1, { persons: ALL }, clipping);
      feed(run, level(s, -3, 0.2), clipping);
    },
  ],
  [
    'microphone_fault:deaf',
    (run, s) => {
      play(run, s + 1, { persons: ALL }, clipping);
      feed(run, { kind: 'ear', microphoneId: 'mic', language: 'en', at: at(s), state: 'deaf' }, clipping);
    },
  ],
];

describe.each(faults)('%s', (fault, go) => {
  const start = (permits: readonly Permit[]) => {
    const run = begin([], clipping);
    feed(run, { kind: 'session', at: at(0), session: session({ permits }) }, clipping);
    play(run, 20, { persons: ALL }, clipping);
    return run;
  };
  const of = (run: Run) => told(run).filter((line) => line.includes(fault));

  it('is told without a permit, not with one, and counts anew when it is over', () => {
    const open = start([]);
    for (let s = 20; s < 120; s++) go(open, s);
    expect(of(open)[0]).toMatch(/^begin/);

    const run = start([permit(15, 120)]);
    for (let s = 20; s < 119; s++) go(run, s);
    expect(told(run)).toEqual([]);
    for (let s = 119; s < 240; s++) go(run, s);
    expect(of(run)[0]).toMatch(/^begin/);
    expect(episodes(run)[0]!.beganWallMs).toBeGreaterThanOrEqual(at(117).wallMs);
  });

  it('ends with its reason when the work begins', () => {
    const run = start([permit(120, 200)]);
    for (let s = 20; s < 150; s++) go(run, s);
    expect(of(run).at(-1)).toMatch(/^end/);
    const last = episodes(run)
      .filter((b) => b.fault && fault.endsWith(b.fault))
      .at(-1)!;
    expect(last).toMatchObject({
      to: 'UNKNOWN',
      sentence: { zh: expect.stringContaining('检修许可'), en: expect.stringContaining('work on the equipment') },
    });
  });
});
