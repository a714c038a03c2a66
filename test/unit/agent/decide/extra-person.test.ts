import { describe, expect, it } from 'vitest';
import { ALL, begin, episodes, play, type Run, standing, told } from './world.ts';

const of = (run: Run) => told(run).filter((line) => line.includes('extra_person') && !line.startsWith('update'));
const start = () => {
  const run = begin();
  play(run, 20, { persons: ALL });
  return run;
};
/** From the left border to the free space between seats 2 and 3, and there until they go on. */
const comes = (s: number) => standing(Math.min(0.6, 0.05 + 0.1 * (s - 20)));
const leaves = (s: number, from: number) => standing(0.6 + 0.08 * (s - from));

describe('a stranger', () => {
  it('who stands still goes on under a new id where the track broke off', () => {
    const run = start();
    play(run, 27, (s) => ({ persons: [...ALL, comes(s)] }));
    // A coat stand beside them, whose weak track goes on with their box.
    play(run, 29, { persons: [...ALL, standing(0.6), { ...standing(0.68), score: 0.32 }] });
    play(run, 40, { persons: [...ALL, standing(0.65)] });
    play(run, 44, (s) => ({ persons: [...ALL, leaves(s, 40)] }));
    play(run, 60, { persons: ALL });
    expect(of(run)).toEqual(['begin extra_person alarm', 'end extra_person alarm']);
    expect(episodes(run).at(-1)!.durationMs).toBeGreaterThan(17_000);
  });

  it('who is hidden for five seconds on the way is told once', () => {
    const run = start();
    play(run, 28, (s) => ({ persons: [...ALL, comes(s)] }));
    play(run, 33, { persons: ALL });
    play(run, 37, (s) => ({ persons: [...ALL, leaves(s, 33)] }));
    play(run, 60, { persons: ALL });
    expect(of(run)).toEqual(['begin extra_person alarm', 'end extra_person alarm']);
  });

  it.each([
    ['left', (s: number) => 0.05 + 0.1 * s],
    ['right', (s: number) => 0.95 - 0.1 * s],
  ] as const)('is told in the first seconds of a film, from the %s', (_side, x) => {
    const run = begin();
    play(run, 3, { persons: ALL });
    play(run, 12, (s) => ({ persons: [...ALL, standing(x((s - 3) % 9))] }));
    play(run, 30, { persons: ALL });
    expect(of(run)).toEqual(['begin extra_person alarm', 'end extra_person alarm']);
  });

  it('twice within a minute is told twice', () => {
    const run = start();
    for (const from of [20, 45]) {
      play(run, from + 9, (s) => ({ persons: [...ALL, standing(0.05 + 0.1 * (s - from))] }));
      play(run, from + 25, { persons: ALL });
    }
    expect(of(run).filter((line) => line.startsWith('end'))).toHaveLength(2);
  });

  it('is not a plant that the detector takes for somebody now here, now there, and never surely', () => {
    const run = start();
    const box = (s: number) => (s % 8 < 4 ? ([0.84, 0.53, 0.92, 0.68] as const) : ([0.84, 0.37, 0.91, 0.56] as const));
    play(run, 60, (s) => ({ persons: [...ALL, { box: box(s), score: 0.42 }] }));
    expect(of(run)).toEqual([]);
  });
});
