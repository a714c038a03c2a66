// Finds the Node that runs the product: it comes from the package registry, so that any Node from 20 on is enough to start.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Lowest major version that runs the product's TypeScript and its native modules. */
export const NODE_MAJOR = 24;

/** Folder of the checkout. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Path of the binary that the lockfile pins for this machine, whether or not it is there. */
export function pinnedNode(root = ROOT) {
  return `${root}node_modules/node-${process.platform}-${process.arch}/bin/node`;
}

/** Path of a Node that runs the product, or undefined when there is none yet. */
export function findNode(root = ROOT) {
  const pinned = pinnedNode(root);
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath;
  return undefined;
}

/** Environment in which `node`, and the commands of the installed packages, are those of the checkout. */
export function nodeEnv(node, root = ROOT) {
  const folder = node.slice(0, node.lastIndexOf('/'));
  return { ...process.env, PATH: `${folder}:${root}node_modules/.bin:${process.env.PATH ?? ''}` };
}
