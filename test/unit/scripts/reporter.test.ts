import { describe, expect, it } from 'vitest';
import { skippedLine } from '../../../scripts/reporter.ts';

describe('skippedLine', () => {
  it('is absent when nothing was skipped', () => {
    expect(skippedLine({})).toBeUndefined();
  });

  it('groups by reason, most frequent first', () => {
    expect(skippedLine({ 'needs A': 1, 'needs B': 3 })).toBe('skipped 4: needs B (3), needs A (1)');
  });
});
