import { describe, expect, it } from 'vitest';
import { createPace } from '../../../cloud/web/state/pace.ts';

/** Time that moves by hand; drawing takes `drawMs` of it. */
function stand(drawMs: number) {
  let nowMs = 0;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  const gulps: number[][] = [];
  const pace = createPace<number>(
    (items) => {
      gulps.push([...items]);
      nowMs += drawMs;
    },
    { now: () => nowMs, later: (run, ms) => void timers.push({ at: nowMs + ms, run }) },
  );
  const advance = (ms: number) => {
    for (const endMs = nowMs + ms; ; ) {
      const due = timers.filter(({ at }) => at <= endMs).sort((a, b) => a.at - b.at)[0];
      if (!due) {
        nowMs = Math.max(nowMs, endMs);
        return;
      }
      timers = timers.filter((one) => one !== due);
      nowMs = Math.max(nowMs, due.at);
      due.run();
    }
  };
  return { pace, gulps, advance };
}

describe('the pace of the page', () => {
  it('draws a line that comes alone in the turn in which it comes', () => {
    const { pace, gulps, advance } = stand(5);
    pace.add(1);
    expect(gulps).toEqual([[1]]);
    advance(200);
    pace.add(2);
    expect(gulps).toEqual([[1], [2]]);
  });

  it('draws a flood in gulps, leaves nothing out, and keeps the order', () => {
    const { pace, gulps, advance } = stand(200);
    for (let n = 0; n < 300; n++) {
      pace.add(n);
      advance(5);
    }
    advance(2_000);
    expect(gulps.flat()).toEqual(Array.from({ length: 300 }, (_, n) => n));
    expect(gulps.length).toBeLessThan(20);
  });

  it('hands over what waits when asked, and not twice', () => {
    const { pace, gulps, advance } = stand(0);
    pace.add(1);
    pace.add(2);
    pace.flush();
    advance(1_000);
    expect(gulps).toEqual([[1], [2]]);
  });
});
