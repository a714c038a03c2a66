/** One certificate at two machines: told once where it is so, and not where a box only moves, reboots or flaps. */
import { describe, expect, it } from 'vitest';
import { INGEST_USER } from '../../../../cloud/broker/files.ts';
import { createClones } from '../../../../cloud/identity/clones.ts';

const from = (address: string, instead = false) => ({ address, instead });

describe('cloned certificates', () => {
  it('two addresses that take turns are two machines', () => {
    const clones = createClones();
    expect(clones.entered('box', from('10.0.0.1'), 0)).toBeUndefined();
    expect(clones.entered('box', from('10.0.0.2', true), 1000)).toBeUndefined();
    expect(clones.entered('box', from('10.0.0.1', true), 2000)).toBe('enters from 10.0.0.2 and from 10.0.0.1 in turn');
  });

  it('workers of the cloud on several machines share one certificate: nothing is said of it', () => {
    const clones = createClones();
    for (let n = 0; n < 10; n++)
      expect(clones.entered(INGEST_USER, from(`10.0.0.${n % 2}`, n > 0), n * 1000)).toBeUndefined();
  });

  it('a box that moves once, or comes home after a while, is one', () => {
    const clones = createClones();
    clones.entered('box', from('10.0.0.1'), 0);
    for (let n = 1; n < 5; n++) expect(clones.entered('box', from('10.0.0.2'), n * 1000)).toBeUndefined();
    expect(clones.entered('box', from('10.0.0.1'), 3_600_000)).toBeUndefined();
  });

  it('four takeovers in a minute from one address are two machines behind it; a flapping line is not', () => {
    const clones = createClones();
    const fast = [0, 1000, 2000, 3000, 4000].map((ms) => clones.entered('fast', from('10.0.0.1', ms > 0), ms));
    expect(fast).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'threw itself out 4 times in a minute from 10.0.0.1',
    ]);
    for (let n = 0; n < 20; n++) expect(clones.entered('slow', from('10.0.0.1', true), n * 21_000)).toBeUndefined();
    // Coming back after its own end is no takeover.
    for (let n = 0; n < 20; n++) expect(clones.entered('ends', from('10.0.0.1'), n * 1000)).toBeUndefined();
  });

  it('a boot that comes back after another one is told once in ten minutes; reboots are not', () => {
    const clones = createClones();
    for (let n = 0; n < 10; n++) expect(clones.booted('box', `boot-${n}`, n * 1000)).toBeUndefined();
    expect(clones.booted('two', 'a', 0)).toBeUndefined();
    expect(clones.booted('two', 'b', 1000)).toBeUndefined();
    expect(clones.booted('two', 'a', 2000)).toBe('two boots of it speak in turn');
    expect(clones.booted('two', 'b', 3000)).toBeUndefined();
    expect(clones.booted('two', 'a', 500_000)).toBeUndefined();
    expect(clones.booted('two', 'b', 602_500)).toBe('two boots of it speak in turn');
  });

  it('boots stay told apart while one of them speaks on', () => {
    const clones = createClones();
    for (let n = 0; n < 100; n++) expect(clones.booted('box', 'a', n * 60_000)).toBeUndefined();
    clones.booted('box', 'b', 6_000_000);
    expect(clones.booted('box', 'a', 6_001_000)).toBe('two boots of it speak in turn');
  });
});
