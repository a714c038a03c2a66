import { describe, expect, it } from 'vitest';
import { createAnchor } from '../../../../hardware/rtsp/anchor.ts';

/** Feeds packets of a stream of `fps` whose time `p` really is at `offset + p`, as ffmpeg's parser lets them out: one late. */
function feed(
  anchor: ReturnType<typeof createAnchor>,
  { fps = 25, fromMs = 0, forMs = 10_000, offsetMs = 5000, delay = (_ptsMs: number) => 0, drift = 0 },
) {
  const step = 1000 / fps;
  for (let pts = fromMs; pts < fromMs + forMs; pts += step) {
    const real = offsetMs + (pts + step) * (1 + drift);
    anchor.packet(pts, real + delay(pts));
  }
}

describe('the anchor of stream time', () => {
  it('knows nothing before two packets', () => {
    const anchor = createAnchor();
    expect(anchor.monoOf(0)).toBeUndefined();
    anchor.packet(0, 1000);
    expect(anchor.monoOf(0)).toBeUndefined();
    anchor.packet(40, 1040);
    expect(anchor.monoOf(40)).toBe(1000);
  });

  it.each([5, 15, 25])('takes out the one picture that the parser holds back, at %i fps', (fps) => {
    const anchor = createAnchor();
    feed(anchor, { fps });
    expect(anchor.monoOf(2000)).toBeCloseTo(7000, 6);
  });

  it('is not misled by the burst of old pictures at the begin', () => {
    const anchor = createAnchor();
    // Everything of the first 2 s arrives at once when 2 s are over.
    feed(anchor, { delay: (pts) => Math.max(0, 2000 - pts - 40) });
    expect(anchor.monoOf(0)).toBeCloseTo(5000, 6);
  });

  it('is not misled by jitter and a stall of the network', () => {
    const anchor = createAnchor();
    let seed = 7;
    const random = () => {
      seed = (seed * 16807) % 2147483647;
      return seed / 2147483647;
    };
    const delay = (pts: number) => (pts > 4000 && pts < 9000 ? 9000 - pts : random() * 60);
    feed(anchor, { forMs: 20_000, delay });
    expect(Math.abs(anchor.monoOf(10_000)! - 15_000)).toBeLessThan(10);
    expect(anchor.jumped()).toBe(false);
  });

  it('follows a camera clock that runs 200 ppm slow', () => {
    const anchor = createAnchor();
    const hourMs = 3_600_000;
    feed(anchor, { fps: 5, forMs: hourMs, drift: 200e-6 });
    const truth = 5000 + hourMs * (1 + 200e-6);
    // A window of a minute at 200 ppm: 12 ms.
    expect(Math.abs(anchor.monoOf(hourMs)! - truth)).toBeLessThan(20);
  });

  it('sees a leap forward at once, and one backward as time that stands still', () => {
    const forward = createAnchor();
    feed(forward, {});
    expect(forward.jumped()).toBe(false);
    const before = forward.monoOf(9000);
    forward.packet(3_610_000, 15_040);
    expect(forward.jumped()).toBe(true);
    expect(forward.monoOf(9000)).toBe(before);

    const back = createAnchor();
    feed(back, {});
    for (let i = 0; i < 100; i++) back.packet(10_000 + i / 90, 15_000 + i * 40);
    expect(back.jumped()).toBe(true);
  });
});
