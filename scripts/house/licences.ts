/** Beside the path: writes docs/licences.md out of models/manifest.json, so that the page cannot say anything else. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Weight } from '../../models/manifest.ts';

const PAGE = fileURLToPath(new URL('../../docs/licences.md', import.meta.url));
const MANIFEST = fileURLToPath(new URL('../../models/manifest.json', import.meta.url));

const HOW = {
  npm: 'comes with an npm package',
  fetch: 'fetched from its maker by `evalroom models fetch`',
  built: 'assembled at set-up',
  debian: 'comes with a Debian package',
} as const;

/** The whole page. */
export function licencesPage(weights: readonly Weight[]): string {
  const doubtful = weights.filter(({ licenceVerified }) => !licenceVerified);
  return `${[
    '# Licences of the model weights',
    '',
    'Written by `node scripts/house/licences.ts` out of `models/manifest.json`; a test compares the two. The licences of',
    'program packages stand in [dependencies.md](dependencies.md). No weights are in this repository.',
    '',
    '| weights | licence | verified | how it comes | where the licence is stated |',
    '|---|---|---|---|---|',
    ...weights.map((weight) => {
      const from = weight.package === undefined ? HOW[weight.source] : `${HOW[weight.source]}: \`${weight.package}\``;
      return `| \`${weight.name}\` | ${cell(weight.licence)} | ${weight.licenceVerified ? 'yes' : '**no**'} | ${cell(from)} | ${cell(weight.licenceNote ?? '')} |`;
    }),
    '',
    '## Not verified',
    '',
    doubtful.length === 0
      ? 'None.'
      : `${doubtful.map(({ name }) => `\`${name}\``).join(', ')}: used only where the default detector cannot run, or when asked for by name.`,
  ].join('\n')}\n`;
}

const cell = (text: string) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');

if (import.meta.main) {
  const { weights } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { weights: Weight[] };
  writeFileSync(PAGE, licencesPage(weights));
  console.log(`${weights.length} weights in docs/licences.md`);
}
