/** Two engines on one microphone: one suspects, both confirm, unless one of them cannot hear at all. */
import { describe, expect, it } from 'vitest';
import { createConfirming } from '../../../../models/speech/confirming.ts';
import type { Hit, Recogniser, Talk } from '../../../../models/speech/recogniser.ts';
import { createScripted } from '../../../../models/speech/scripted.ts';
import { manualClock } from './manual-clock.ts';

const hit = (phraseId: string, endS: number, neededS = endS): Hit => ({
  phraseId,
  text: phraseId,
  score: 0,
  threshold: -1,
  beginSample: (endS - 1) * 16_000,
  endSample: endS * 16_000,
  neededSample: neededS * 16_000,
  heard: '',
});

function pair(first: readonly Hit[], later: readonly Hit[]) {
  const clock = manualClock();
  const fast = createScripted({ language: 'zh-CN', script: first });
  const second = createScripted({ language: 'zh-CN', script: later });
  const ear = createConfirming({ fast, second, clock });
  const told: Hit[] = [];
  ear.onHit((one) => told.push(one));
  const hear = (seconds: number) => {
    for (let s = 0; s < seconds; s++) ear.accept(new Int16Array(16_000));
  };
  return { ear, fast, second, clock, told, hear };
}
const suspected = (phraseId: string, endS: number): Hit => ({ ...hit(phraseId, endS), level: 'suspected' });
const start = (ear: ReturnType<typeof createConfirming>) => ear.start(new AbortController().signal);

describe('createConfirming', () => {
  it('suspects at once what the fast one hears, and confirms it when the later one has heard it', async () => {
    const { ear, told, hear } = pair([hit('a', 3)], [hit('a', 3, 8)]);
    await start(ear);
    hear(5);
    expect(told).toEqual([suspected('a', 3)]);
    hear(5);
    expect(told).toEqual([suspected('a', 3), { ...hit('a', 3), neededSample: 8 * 16_000 }]);
    expect([ear.engine, ear.health().state]).toEqual(['scripted+scripted', 'hearing']);
    await ear.close();
  });

  it('does not mind which of them is first', async () => {
    const { ear, told, hear } = pair([hit('a', 3, 6)], [hit('a', 3)]);
    await start(ear);
    hear(10);
    expect(told.map((one) => one.phraseId)).toEqual(['a']);
    await ear.close();
  });

  it('confirms neither what one of them alone hears nor the same phrase said at another time', async () => {
    const { ear, told, hear } = pair([hit('a', 3), hit('b', 20)], [hit('a', 12), hit('c', 20)]);
    await start(ear);
    hear(40);
    expect(told).toEqual([suspected('a', 3), suspected('b', 20)]);
    await ear.close();
  });

  it('confirms what the fast one itself only suspects by the other one, and nothing by what that one only suspects', async () => {
    const { ear, told, hear } = pair([suspected('a', 3), hit('b', 5)], [hit('a', 3, 8), suspected('b', 5)]);
    await start(ear);
    hear(30);
    expect(told).toEqual([suspected('a', 3), suspected('b', 5), { ...hit('a', 3), neededSample: 8 * 16_000 }]);
    await ear.close();
  });

  it('believes the fast one alone while the second one is deaf, and says so', async () => {
    const { ear, second, told, hear } = pair([hit('a', 3)], []);
    await start(ear);
    second.goDeaf('no model');
    expect(ear.health()).toMatchObject({ state: 'hearing', reason: 'unconfirmed: scripted is deaf (no model)' });
    hear(5);
    expect(told).toHaveLength(1);
    await ear.close();
  });

  it('names the phrases that either of them cannot hear: nobody would tell them', () => {
    const partly = (engine: string, reason?: string): Recogniser => ({
      ...createScripted({ language: 'en', script: [] }),
      engine,
      health: () => ({ state: 'hearing', ...(reason ? { reason } : {}), rtf: 0, restarts: 0, dropped: 0 }),
    });
    const reasonOf = (fast?: string, second?: string) =>
      createConfirming({ fast: partly('one', fast), second: partly('two', second), clock: manualClock() }).health()
        .reason;
    expect(reasonOf()).toBeUndefined();
    expect(reasonOf(undefined, 'deaf to p7')).toBe('two deaf to p7');
    expect(reasonOf('deaf to p1', 'deaf to p7')).toBe('one deaf to p1; two deaf to p7');
  });

  it('tells what waited for a second one that has died meanwhile', async () => {
    const { ear, second, clock, told, hear } = pair([hit('a', 3), suspected('b', 4)], []);
    await start(ear);
    hear(5);
    second.goDeaf('killed');
    await clock.advance(1000);
    expect(told).toEqual([suspected('a', 3), suspected('b', 4), hit('a', 3)]);
    await ear.close();
  });

  it('is deaf when the fast one is', async () => {
    const { ear, fast } = pair([], []);
    await start(ear);
    fast.goDeaf('no model');
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: 'no model' });
    await ear.close();
  });

  it('has the talk counted by whichever of them counts, and tells what waits in front of the slower one', () => {
    const counter = (waiting: number) => {
      const heard: Talk[] = [];
      const listeners: ((talk: Talk) => void)[] = [];
      const ear: Recogniser = {
        ...createScripted({ language: 'en', script: [] }),
        health: () => ({ state: 'hearing', rtf: 0, restarts: 0, dropped: 0, waiting }),
      };
      return { ear, heard, listeners, talking: { ...ear, onTalk: (one: (talk: Talk) => void) => listeners.push(one) } };
    };
    const [spots, understands] = [counter(100), counter(300)];
    const both = createConfirming({ fast: spots.ear, second: understands.talking, clock: manualClock() });
    both.onTalk?.((talk) => understands.heard.push(talk));
    const talk = { samples: 80_000, units: 10, covered: 1 };
    for (const listener of understands.listeners) listener(talk);
    expect(understands.heard).toEqual([talk]);
    expect(both.health().waiting).toBe(300);
    const none = createConfirming({ fast: spots.ear, second: counter(0).ear, clock: manualClock() });
    expect(none.onTalk).toBeUndefined();
  });
});
