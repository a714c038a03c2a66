/** Two thousand seeds of the whole path in one process: real outbox rules, windows, ingest, store, feed; everything else is drawn. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SimStep, simSteps, simulate } from './sim/steps.ts';
import { openSimStore, type SimStore } from './sim/store.ts';
import type { Break } from './sim/world.ts';

/** A failure prints its seed and its path: give them here, in the environment, to see it again. */
const SEED = Number(process.env.EVALROOM_SIM_SEED ?? 20_261_124);
const PATH = process.env.EVALROOM_SIM_PATH;

/** More alerts of one room than may be unacked at once. */
const backlog: SimStep[] = [
  ['acceptMany', 0, 73],
  ['acceptMany', 0, 73],
  ['acceptMany', 0, 73],
];

let shared: SimStore;
beforeAll(async () => {
  shared = await openSimStore();
});
afterAll(() => shared.close());

describe('the simulated path', () => {
  it('holds every invariant over 2,000 seeds', async () => {
    await fc.assert(
      fc.asyncProperty(simSteps(60), async (steps) => void (await simulate(shared.store, steps))),
      { seed: SEED, numRuns: 2000, ...(PATH === undefined ? {} : { path: PATH }) },
    );
  }, 300_000);

  it('runs a sequence twice to the same trace', async () => {
    for (const steps of fc.sample(simSteps(60), { seed: SEED, numRuns: 20 }))
      expect(await simulate(shared.store, steps)).toEqual(await simulate(shared.store, steps));
  });

  const breaks: readonly (readonly [Break, RegExp])[] = [
    ['delete_when_sent', /nowhere|not stored/],
    ['ack_before_commit', /deleted and is not stored/],
    ['forget_cursor', /missing on a screen/],
    ['ignore_ack_ids', /deleted and is not stored|does not drain/],
  ];
  it.each(breaks)('notices %s, and finds a short way to it', async (broken, words) => {
    const found = await fc.check(
      fc.asyncProperty(simSteps(60), async (steps) => void (await simulate(shared.store, steps, broken))),
      { seed: SEED, numRuns: 500 },
    );
    expect(found.failed).toBe(true);
    const [steps] = found.counterexample as [SimStep[]];
    expect(steps.length).toBeLessThan(12);
    await expect(simulate(shared.store, steps, broken)).rejects.toThrow(words);
    // Nothing but the break is to blame.
    await simulate(shared.store, steps);
  });

  it('drains an older image of the disk although the cloud knows more of its stream', async () => {
    const back: SimStep[] = [
      ['accept', 0, 0],
      ['takeImage', 0, 0],
      ['accept', 0, 0],
      ['connect', 0, 0],
      ['publish', 0, 3],
      ['deliver', 0, 3],
      ['commit', 1, 5],
      ['putImageBack', 0, 0],
    ];
    await simulate(shared.store, back);
    await expect(simulate(shared.store, back, 'ignore_left_acks')).rejects.toThrow('does not drain');
  });

  it.each<[string, SimStep[]]>([
    [
      'a copied machine',
      [
        ...backlog,
        ['connect', 0, 0],
        ['publish', 0, 0],
        ['copyRunning', 0, 0],
        ['accept', 0, 0],
        ['acceptMany', 2, 0],
        ['deliver', 0, 0],
        ['commit', 0, 0],
        ['ack', 0, 0],
      ],
    ],
    [
      'an older image of the disk',
      [
        ...backlog,
        ['takeImage', 0, 0],
        ['connect', 0, 0],
        ...Array.from({ length: 6 }, (): SimStep[] => [
          ['publish', 0, 7],
          ['deliver', 0, 7],
          ['commit', 0, 5],
          ['commit', 1, 5],
          ['ack', 0, 7],
        ]).flat(),
        ['putImageBack', 0, 0],
      ],
    ],
  ])('drains more than a window of %s whose stream the cloud knows to beyond it', async (_, steps) => {
    await simulate(shared.store, steps);
  });

  it('deletes nothing of a copied machine on the ack for what its copy has sent', async () => {
    const twins: SimStep[] = [
      ['accept', 0, 0],
      ['copyRunning', 0, 0],
      ['accept', 0, 1],
      ['accept', 2, 1],
      ['connect', 0, 0],
      ['connect', 2, 0],
      ['publish', 0, 7],
      ['publish', 2, 7],
      // Of the first one alone.
      ['deliver', 0, 0],
      ['commit', 0, 5],
      ['ack', 0, 7],
    ];
    await simulate(shared.store, twins);
    await expect(simulate(shared.store, twins, 'ignore_ack_ids')).rejects.toThrow('was deleted and is not stored');
  });

  it('deletes nothing on an ack for a stream that two machines have filled together, whose last event is its own', async () => {
    const mixed: SimStep[] = [
      ['copyRunning', 0, 0],
      ['accept', 0, 2],
      ['connect', 0, 0],
      // What the first one sends is lost; what its copy sends fills that hole.
      ['publish', 0, 0],
      ['accept', 2, 3],
      ['drop', 0, 0],
      ['acceptMany', 0, 0],
    ];
    await simulate(shared.store, mixed);
    await expect(simulate(shared.store, mixed, 'ignore_ack_ids')).rejects.toThrow('was deleted and is not stored');
  });
});
