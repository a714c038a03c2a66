/** Times that `evalroom agent replay` is given: those of the room, wherever the box believes to be. */
import { describe, expect, it } from 'vitest';
import { timeOf } from '../../../scripts/agent-replay.ts';

const inZone = (text: string, timeZone: string) => new Date(timeOf('--from', text, timeZone)).toISOString();

describe('timeOf', () => {
  it('takes a time without an offset for one of the room', () => {
    expect(inZone('2026-03-01T14:00', 'Asia/Shanghai')).toBe('2026-03-01T06:00:00.000Z');
    expect(inZone('2026-03-01', 'Asia/Shanghai')).toBe('2026-02-28T16:00:00.000Z');
    expect(inZone('2026-03-01T14:00:30', 'UTC')).toBe('2026-03-01T14:00:30.000Z');
    expect(inZone('2026-01-15T12:00', 'America/St_Johns')).toBe('2026-01-15T15:30:00.000Z');
    // Berlin changes at 01:00 UTC on 29 March: the offset is that of the time itself, not of hours before.
    expect(inZone('2026-03-29T04:00', 'Europe/Berlin')).toBe('2026-03-29T02:00:00.000Z');
    expect(inZone('2026-03-29T01:30', 'Europe/Berlin')).toBe('2026-03-29T00:30:00.000Z');
  });

  it('keeps an offset that is written', () => {
    expect(inZone('2026-03-01T14:00+08:00', 'Europe/Berlin')).toBe('2026-03-01T06:00:00.000Z');
    expect(inZone('2026-03-01T06:00Z', 'Asia/Shanghai')).toBe('2026-03-01T06:00:00.000Z');
  });

  it('refuses what is no time and says what would be', () => {
    expect(() => timeOf('--to', 'yesterday', 'Asia/Shanghai')).toThrow('--to yesterday: give a time of the room');
  });
});
