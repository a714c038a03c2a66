/** A pack of the product that holds something else has another version. */
import { describe, expect, it } from 'vitest';
import { loadRulePack } from '../../../models/rules/load.ts';
import { compareHashes, hashOf, readHashes } from '../../../scripts/house/rule-packs.ts';

describe('the packs of the product', () => {
  it('are what their version says (a changed one: a higher version, then node scripts/house/rule-packs.ts)', () => {
    const known = readHashes();
    const { hashes, changed } = compareHashes(known);
    expect(changed).toEqual([]);
    expect(hashes).toEqual(known);
  });

  it('are told apart by a single threshold or phrase, and only under the same version', () => {
    const pack = loadRulePack('default');
    const key = `${pack.name} ${pack.version}`;
    const known = { [key]: hashOf(pack) };
    const later = { ...pack, cooldownMs: pack.cooldownMs + 1 };
    const fewer = { ...pack, phrases: pack.phrases.slice(1) };
    expect(compareHashes(known, [later])).toEqual({ hashes: known, changed: [key] });
    expect(compareHashes(known, [fewer]).changed).toEqual([key]);
    const next = { ...later, version: '99.0.0' };
    expect(compareHashes(known, [next])).toEqual({ hashes: { ...known, 'default 99.0.0': hashOf(next) }, changed: [] });
  });
});
