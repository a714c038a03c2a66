import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadManifest } from '../../../models/manifest.ts';
import { licencesPage } from '../../../scripts/house/licences.ts';

const page = new URL('../../../docs/licences.md', import.meta.url);

describe('the page of licences', () => {
  it('says what the manifest says: run node scripts/house/licences.ts', async () => {
    const { weights } = await loadManifest();
    expect(readFileSync(page, 'utf8')).toBe(licencesPage(weights));
  });

  it('names what is not verified', async () => {
    const { weights } = await loadManifest();
    const text = licencesPage(weights);
    for (const { name, licenceVerified } of weights)
      expect(text.split('## Not verified')[1]!.includes(`\`${name}\``), name).toBe(!licenceVerified);
  });

  it('knows no weights whose licence binds those who run them over a network', async () => {
    const { weights } = await loadManifest();
    for (const { name, licence } of weights) expect(licence, name).not.toMatch(/AGPL/i);
  });
});
