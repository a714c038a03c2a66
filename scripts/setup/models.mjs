// The pose model's bundle: put together from weights that lie inside an npm package, nothing is fetched.
import { existsSync, readdirSync } from 'node:fs';
import { findNode, nodeEnv, ROOT } from './node24.mjs';

const FOLDER = '.data/models';

/** Why the bundle must be made, or undefined when it is there. */
export function taskReason(root = ROOT) {
  const folder = `${root}${FOLDER}`;
  const there = existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.task'));
  return there ? undefined : 'it has not been put together yet';
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
