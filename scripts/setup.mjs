// Makes a checkout ready: `node scripts/setup.mjs start|test|check`. Needs Node 20 and npm, nothing else; quick when all is there.
import { mkdirSync, writeFileSync } from 'node:fs';
import { aptLine, asRoot, installPackages, missingPackages, RUN_PACKAGES, TEST_PACKAGES } from './setup/debian.mjs';
import { buildTask, taskReason } from './setup/models.mjs';
import { npmCi, npmReason } from './setup/npm.mjs';
import { Progress } from './setup/progress.mjs';
import { buildWeb, webReason } from './setup/web.mjs';

/** Debian packages for each purpose. */
const PACKAGES = {
  start: RUN_PACKAGES,
  test: [...RUN_PACKAGES, ...TEST_PACKAGES],
  check: [],
};

/** A refusal that a person can act on: shown without a stack. */
class Refused extends Error {}

function debianStep(purpose) {
  const wanted = PACKAGES[purpose];
  const missing = missingPackages(wanted);
  if (missing === undefined) {
    if (wanted.length > 0)
      console.error(`This is not a Debian system: make sure yourself that it has ${wanted.join(' ')}`);
    return undefined;
  }
  if (missing.length === 0) return undefined;
  const root = asRoot();
  if (root === undefined)
    throw new Refused(
      `${missing.length} Debian package(s) are missing, and this user may not install them without a password. Run this, then try again:\n\n  ${aptLine(missing)}\n`,
    );
  return {
    title: `Debian packages: ${missing.join(' ')}`,
    run: (progress) => installPackages(missing, root, progress),
  };
}

// Later reasons are asked again when their turn comes: a page cannot be stale before its packages are there.
function stepsFor(purpose) {
  const steps = [];
  const debian = debianStep(purpose);
  if (debian) steps.push(debian);
  const npm = npmReason();
  if (npm) steps.push({ title: `npm packages (${npm})`, run: npmCi });
  if (purpose === 'check') return steps;
  const task = taskReason();
  if (task) steps.push({ title: `pose model (${task})`, run: buildTask });
  const web = webReason();
  if (web) steps.push({ title: `web page (${web})`, run: buildWeb });
  return steps;
}

async function main() {
  const startMs = Date.now();
  const purpose = process.argv[2] ?? 'start';
  if (!Object.hasOwn(PACKAGES, purpose)) throw new Refused('usage: node scripts/setup.mjs start|test|check');
  if (Number(process.versions.node.split('.')[0]) < 20)
    throw new Refused(`Node ${process.versions.node} is too old to start with: install Node 20 or newer.`);
  const steps = stepsFor(purpose);
  if (steps.length === 0) return keepTime(startMs);
  const progress = new Progress({ count: steps.length });
  for (const step of steps) {
    progress.begin(step.title);
    try {
      await step.run(progress);
    } catch (error) {
      progress.interrupt();
      throw error;
    }
    progress.end();
  }
  console.error(`Set up in ${((Date.now() - startMs) / 1000).toFixed(1)} s.`);
  keepTime(startMs);
}

// `evalroom demo --smoke` prints it: how long a newcomer waits is a figure of the product.
function keepTime(startMs) {
  mkdirSync('.data', { recursive: true });
  writeFileSync('.data/setup.json', JSON.stringify({ tookMs: Date.now() - startMs }));
}

try {
  await main();
} catch (error) {
  if (error.tail) console.error(`\n${error.tail}\n`);
  console.error(`setup: ${error.message}`);
  if (error.advice) console.error(error.advice);
  if (!(error instanceof Refused) && error.tail === undefined) console.error(error.stack);
  process.exitCode = 1;
}
