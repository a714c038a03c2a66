/** A loop that fails is heard of, also one that began long after the others, and stills come once. */
import { describe, expect, it } from 'vitest';
import { createLoops, each } from '../../../agent/loops.ts';
import { createStillNews } from '../../../agent/snapshot.ts';

async function* oneByOne(...values: number[]) {
  yield* values;
}

describe('loops', () => {
  it('tell of the first that fails, whenever it was added, and of no second one', async () => {
    const failures: unknown[] = [];
    const loops = createLoops((error) => failures.push(error));
    loops.add(each(oneByOne(1), () => undefined));
    await loops.ended();
    // A camera that is found later.
    const take = (value: number) => {
      throw new Error(`outbox damaged at ${value}`);
    };
    loops.add(each(oneByOne(7), take));
    loops.add(each(oneByOne(8), take));
    await loops.ended();
    expect(failures.map((error) => (error as Error).message)).toEqual(['outbox damaged at 7']);
  });
});

describe('stills', () => {
  it('are given once each: the last one of a camera that is down does not come again', () => {
    const isNew = createStillNews();
    expect([isNew('a', 1000), isNew('b', 1000), isNew('a', 1000), isNew('a', 11_000), isNew('b', 1000)]).toEqual([
      true,
      true,
      false,
      true,
      false,
    ]);
  });
});
