// The pose model's bundle: put together from weights that lie inside an npm package, nothing is fetched.
import { existsSync, readFileSync } from 'node:fs';
import { findNode, nodeEnv, ROOT } from './node24.mjs';

const FOLDER = '.data/models';

/** Why the bundle must be made, or undefined when all of it is there; its own loader checks the hashes. */
export function taskReason(root = ROOT) {
  const { weights } = JSON.parse(readFileSync(`${root}models/manifest.json`, 'utf8'));
  const missing = weights.find(({ source, path }) => source === 'built' && !existsSync(`${root}${FOLDER}/${path}`));
  return missing ? `${missing.path} is not there` : undefined;
}

/** Puts the bundle together. */
export async function buildTask(progress, root = ROOT) {
  const node = findNode(root);
  await progress.run(node, ['scripts/build-task.mjs'], {
    cwd: root,
    env: nodeEnv(node, root),
    advice: 'If a file is said to differ, remove node_modules and run: npm ci',
  });
}
