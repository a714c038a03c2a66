import { describe, expect, it } from 'vitest';
import { createCadence } from '../../../../hardware/rtsp/cadence.ts';

const lines = (times: readonly number[], tb = '1/90000') =>
  Buffer.from(`#tb 0: ${tb}\n${times.map((t) => `0, ${t}, ${t}, 3600, 1234, 0x00000000\n`).join('')}`);

describe('the cadence of a stream', () => {
  it('is the median step, in whatever pieces the lines come', () => {
    const cadence = createCadence();
    const bytes = lines([0, 3600, 7200, 10_800, 14_400, 18_000]);
    for (const byte of bytes) cadence.receive(Buffer.from([byte]));
    expect(cadence.intervalMs()).toBe(40);
  });

  it('is not known from a few packets', () => {
    const cadence = createCadence();
    cadence.receive(lines([0, 3600, 7200, 10_800]));
    expect(cadence.intervalMs()).toBeUndefined();
  });

  it('is not fooled by reordered, doubled or missing pictures', () => {
    const cadence = createCadence();
    cadence.receive(lines([0, 600, 200, 400, 400, 800, 1400, 1600, 1800], '1/1000'));
    expect(cadence.intervalMs()).toBe(200);
  });
});
