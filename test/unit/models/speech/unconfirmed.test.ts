/** Two engines on one microphone: health says when the one that confirms is deaf, and which of them the machine is too slow for. */
import { describe, expect, it } from 'vitest';
import { createConfirming } from '../../../../models/speech/confirming.ts';
import type { Recogniser, RecogniserHealth } from '../../../../models/speech/recogniser.ts';
import { manualClock } from './manual-clock.ts';

const well: RecogniserHealth = { state: 'hearing', rtf: 0.1, restarts: 1, dropped: 2 };

function engine(engine: string, health: () => RecogniserHealth): Recogniser {
  return {
    engine,
    language: 'zh-CN',
    start: async () => undefined,
    accept: () => undefined,
    onHit: () => undefined,
    health,
    close: async () => undefined,
  };
}

describe('health of two engines', () => {
  it('is unconfirmed while the second one is deaf, and says nothing of it when both are well or the first is deaf', () => {
    let [first, second] = [well, well];
    const ears = createConfirming({
      fast: engine('fast', () => first),
      second: engine('second', () => second),
      clock: manualClock(),
    });
    expect(ears.health()).not.toHaveProperty('unconfirmed');
    second = { ...well, state: 'deaf', reason: 'exit 255' };
    expect(ears.health()).toMatchObject({
      state: 'hearing',
      unconfirmed: true,
      reason: expect.stringContaining('exit 255'),
      restarts: 2,
      dropped: 4,
    });
    first = { ...well, state: 'deaf', reason: 'too slow', slow: true };
    expect(ears.health()).toMatchObject({ state: 'deaf', reason: 'too slow', slow: true });
    expect(ears.health()).not.toHaveProperty('unconfirmed');
  });
});
