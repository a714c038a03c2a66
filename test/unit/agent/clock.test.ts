/** The two clocks: steps are seen, doubt is said, and the machine's own readings make sense. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemClock, virtualClock, watchedClock } from '../../../agent/clock.ts';

function readings() {
  const at = { wall: 1_800_000_000_000, mono: 10_000, synchronised: true };
  const clock = watchedClock({
    bootId: 'boot-a',
    wallMs: () => at.wall,
    monoMs: () => at.mono,
    discipline: () => ({ synchronised: at.synchronised, offsetMs: 0.5 }),
  });
  const pass = (ms: number, wallMs = ms) => {
    at.mono += ms;
    at.wall += wallMs;
  };
  return { at, clock, pass };
}

describe('watchedClock', () => {
  it('is sure while the kernel is synchronised and the clocks run together', () => {
    const { clock, pass } = readings();
    pass(120_000);
    expect(clock.now()).toMatchObject({ clock: 'sure', offsetMs: 0.5, bootId: 'boot-a' });
    expect(clock.steps().count).toBe(0);
  });

  it('is doubtful without a source, and sees the source come', () => {
    const { at, clock, pass } = readings();
    at.synchronised = false;
    pass(6000);
    expect(clock.now().clock).toBe('doubtful');
    at.synchronised = true;
    pass(6000);
    expect(clock.now().clock).toBe('sure');
  });

  it.each([3_600_000, -3_600_000, 86_400_000, -1_800_000_000_000, 400])('sees a step of %i ms once', (ms) => {
    const { clock, pass } = readings();
    clock.now();
    pass(100, 100 + ms);
    expect(clock.now().clock).toBe('doubtful');
    expect(clock.steps()).toEqual({ count: 1, lastMs: ms });
    pass(59_000);
    expect(clock.now().clock).toBe('doubtful');
    pass(2000);
    expect(clock.now().clock).toBe('sure');
    expect(clock.steps().count).toBe(1);
  });

  it('takes slewing for what it is', () => {
    const { clock, pass } = readings();
    for (let i = 0; i < 100; i++) {
      pass(1000, 1050);
      expect(clock.now().clock).toBe('sure');
    }
  });
});

describe('systemClock', () => {
  it('counts since boot and sleeps on the monotonic clock', async () => {
    const clock = systemClock();
    const uptimeMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
    // /proc/uptime counts suspended time as well, so it may only be larger.
    expect(clock.monoMs()).toBeLessThan(uptimeMs + 1000);
    const begin = clock.monoMs();
    await clock.sleep(15);
    expect(clock.monoMs() - begin).toBeGreaterThan(13);
    const abort = new AbortController();
    const slept = clock.sleep(3_600_000, abort.signal);
    abort.abort();
    await slept;
    expect(clock.now().bootId).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('virtualClock', () => {
  it('wakes sleepers in order of time, those that sleep again included', async () => {
    const clock = virtualClock({ monoMs: 0 });
    const woken: string[] = [];
    const sleeper = async (name: string, ms: number, times: number) => {
      for (let i = 0; i < times; i++) {
        await clock.sleep(ms);
        woken.push(`${name}@${clock.monoMs()}`);
      }
    };
    void sleeper('a', 30, 1);
    void sleeper('b', 20, 3);
    await clock.advance(50);
    expect(woken).toEqual(['b@20', 'a@30', 'b@40']);
    clock.step(-1000);
    await clock.advance(10);
    expect(woken.at(-1)).toBe('b@60');
  });
});
