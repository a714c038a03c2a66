/** models/rules/hashes.json: what every version of a pack of the product holds, so that no pack is another under an old version. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { builtInRulePacks, loadRulePack } from '../../models/rules/load.ts';
import { ordersBytes } from '../../models/rules/sign.ts';
import { writeRulePackFiles } from '../../models/rules/write.ts';
import type { RulePack } from '../../protocol/rules.ts';

const PATH = fileURLToPath(new URL('../../models/rules/hashes.json', import.meta.url));

/** SHA-256 of each version's travelling form, by `name version`. */
export type PackHashes = Readonly<Record<string, string>>;

/** The committed hashes. */
export const readHashes = (): PackHashes => JSON.parse(readFileSync(PATH, 'utf8')) as PackHashes;

/** The hash by which a cloud tells whether a stored version is this pack. */
export const hashOf = (pack: RulePack): string =>
  createHash('sha256')
    .update(ordersBytes(writeRulePackFiles(pack)))
    .digest('hex');

/**
 * `known` with the packs of the product added, and the packs that are another than `known` says of their version: a
 * cloud keeps what it stored under that version, so these would reach no room.
 */
export function compareHashes(
  known: PackHashes,
  packs: readonly RulePack[] = builtInRulePacks().map(loadRulePack),
): { readonly hashes: PackHashes; readonly changed: readonly string[] } {
  const hashes: Record<string, string> = { ...known };
  const changed: string[] = [];
  for (const pack of packs) {
    const key = `${pack.name} ${pack.version}`;
    const hash = hashOf(pack);
    if (hashes[key] !== undefined && hashes[key] !== hash) changed.push(key);
    hashes[key] ??= hash;
  }
  return { hashes, changed };
}

if (process.argv[1] === import.meta.filename) {
  const { hashes, changed } = compareHashes(readHashes());
  for (const key of changed)
    console.error(`${key} has changed: give it a higher version in its pack.yaml, then run this again`);
  if (changed.length > 0) process.exitCode = 1;
  else writeFileSync(PATH, `${JSON.stringify(hashes, null, 2)}\n`);
}
