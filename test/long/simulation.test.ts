/** A hundred thousand seeds of the simulated path, and longer sequences, in rounds: the store is made anew for each. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { simSteps, simulate } from '../storm/sim/steps.ts';
import { openSimStore } from '../storm/sim/store.ts';

const ROUNDS = 50;
const SEEDS = 2000;

/** `EVALROOM_SIM_ROUNDS=20-29` runs some of them alone, so that several machines can share the work. */
const [from = 0, to = ROUNDS - 1] = (process.env.EVALROOM_SIM_ROUNDS ?? '').split('-').filter(Boolean).map(Number);

describe('holds every invariant over 100,000 seeds', () => {
  it.each(Array.from({ length: to - from + 1 }, (_, index) => from + index))('round %i of 2,000', async (round) => {
    const { store, close } = await openSimStore();
    try {
      await fc.assert(
        fc.asyncProperty(simSteps(round % 5 === 4 ? 300 : 60), async (steps) => void (await simulate(store, steps))),
        { seed: round, numRuns: SEEDS },
      );
    } finally {
      await close();
    }
  });
});
