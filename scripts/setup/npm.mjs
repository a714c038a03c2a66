// The npm packages of the lockfile: are they there as it says, and their installation.
import { existsSync, readFileSync } from 'node:fs';
import { findNode, pinnedNode, ROOT } from './node24.mjs';

function packagesOf(lockfile) {
  return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
}

/** Why `npm ci` must run, or undefined when node_modules holds what the lockfile says. */
export function npmReason(root = ROOT) {
  // npm writes this file last, so an installation that was interrupted has none.
  const installedFile = `${root}node_modules/.package-lock.json`;
  if (!existsSync(installedFile)) return 'nothing is installed yet';
  const installed = packagesOf(installedFile);
  for (const [path, entry] of Object.entries(packagesOf(`${root}package-lock.json`))) {
    if (path === '' || entry.link) continue;
    const there = installed[path];
    // Optional packages of other machines are left out on purpose.
    if (!there && entry.optional) continue;
    if (!there) return `${path.replace(/^.*node_modules\//, '')} is missing`;
    if (there.version !== entry.version || (entry.integrity && there.integrity !== entry.integrity))
      return `${path.replace(/^.*node_modules\//, '')} differs from the lockfile`;
  }
  if (findNode(root) === undefined) return `${pinnedNode(root)} is missing`;
  return undefined;
}

/** Runs `npm ci`: the npm that started this script where there is one, else the one on the PATH. */
export async function npmCi(progress, root = ROOT) {
  const advice =
    'Check that this machine reaches the npm registry (npm ping), that the disk has 2 GB free, then run: npm ci';
  const cli = process.env.npm_execpath;
  const [command, before] = cli?.endsWith('.js') ? [process.execPath, [cli]] : ['npm', []];
  // Every package that has native code carries it inside. Their install scripts would only fetch more from elsewhere, or
  // compile again: npm does not see better-sqlite3's `gypfile: false` in a lockfile and needs a compiler for nothing.
  await progress.run(command, [...before, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=http'], {
    cwd: root,
    advice,
  });
  if (findNode(root) === undefined)
    throw new Error(
      `npm ci did not bring ${pinnedNode(root)}. The registry has Node 24 for Linux on x64 and arm64; on another machine install Node 24 yourself.`,
    );
}
