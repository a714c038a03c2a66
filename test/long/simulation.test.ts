/** A hundred thousand seeds of the simulated path, and longer sequences; the store is made anew now and then. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { simSteps, simulate } from '../storm/sim/steps.ts';
import { openSimStore } from '../storm/sim/store.ts';

const ROUNDS = 50;
const SEEDS = 2000;

it('holds every invariant over 100,000 seeds', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const { store, close } = await openSimStore();
    try {
      const length = round % 5 === 4 ? 300 : 60;
      await fc.assert(
        fc.asyncProperty(simSteps(length), async (steps) => void (await simulate(store, steps))),
        { seed: round, numRuns: SEEDS },
      );
    } finally {
      await close();
    }
  }
  expect(ROUNDS * SEEDS).toBe(100_000);
}, 7_200_000);
