// The web page: built again whenever one of the files that it is made of has changed.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { findNode, nodeEnv, ROOT } from './node24.mjs';

const DIST = 'cloud/web/dist';
const STAMP = `${DIST}/.sources-sha256`;
/** What the page imports: its own folder, the words of the wire, the shapes of the answers; the lockfile for its packages. */
const SOURCES = ['cloud/web', 'protocol', 'cloud/http/api.ts', 'package-lock.json'];

function* filesUnder(root, path) {
  let entries;
  try {
    entries = readdirSync(`${root}${path}`, { withFileTypes: true });
  } catch (error) {
    if (error.code !== 'ENOTDIR') throw error;
    yield path;
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = `${path}/${entry.name}`;
    if (inner === DIST) continue;
    if (entry.isDirectory()) yield* filesUnder(root, inner);
    else yield inner;
  }
}

/** One hash over the names and contents of all sources of the page. */
export function sourcesHash(root = ROOT) {
  const hash = createHash('sha256');
  for (const source of SOURCES)
    for (const file of filesUnder(root, source)) hash.update(`${file}\0`).update(readFileSync(`${root}${file}`));
  return hash.digest('hex');
}

/** Why the page must be built, or undefined when what is there was made from these sources. */
export function webReason(root = ROOT) {
  if (!existsSync(`${root}${DIST}/index.html`)) return 'it has not been built yet';
  const built = existsSync(`${root}${STAMP}`) ? readFileSync(`${root}${STAMP}`, 'utf8').trim() : '';
  return built === sourcesHash(root) ? undefined : 'its sources have changed';
}

/** Builds the page with Vite and stamps it. */
export async function buildWeb(progress, root = ROOT) {
  const hash = sourcesHash(root);
  const node = findNode(root);
  await progress.run(node, [`${root}node_modules/vite/bin/vite.js`, 'build', 'cloud/web'], {
    cwd: root,
    env: nodeEnv(node, root),
    advice: 'The lines above name the file of cloud/web that does not build.',
  });
  writeFileSync(`${root}${STAMP}`, `${hash}\n`);
}
