// Runs every test and ends with the line `N passed, N failed`; `--long` adds test/long; other arguments go to vitest.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNode, nodeEnv, ROOT } from './setup/node24.mjs';

const LONG = '--long';
const KINDS = ['unit', 'contract', 'medium', 'storm', 'e2e'];

function vitest(node, args, totalsFile) {
  return new Promise((resolve) => {
    const child = spawn(node, [`${ROOT}node_modules/vitest/vitest.mjs`, 'run', '--allowOnly=false', ...args], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...nodeEnv(node), EVALROOM_TEST_TOTALS: totalsFile },
    });
    // Ctrl-C reaches it by itself; the rest is passed on so that no worker stays behind.
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    process.on('SIGINT', () => {});
    child.on('error', (error) => {
      console.error(`The test runner could not be started: ${error.message}. Run: node scripts/setup.mjs test`);
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

// The reporter writes the totals at the very end: none means that the runner died on the way.
function readTotals(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    console.error('The test runner ended without a result; what it printed last stands above.');
    return { passed: 0, failed: 1 };
  }
}

const args = process.argv.slice(2);
const kinds = args.includes(LONG) ? [...KINDS, 'long'] : KINDS;
const folder = mkdtempSync(join(tmpdir(), 'evalroom-tests-'));
const totalsFile = join(folder, 'totals.json');
const node = findNode() ?? process.execPath;
const code = await vitest(
  node,
  [...kinds.flatMap((kind) => ['--project', kind]), ...args.filter((arg) => arg !== LONG)],
  totalsFile,
);
const { passed, failed, line } = readTotals(totalsFile);
rmSync(folder, { recursive: true, force: true });
const none = passed + failed === 0;
if (none) console.error('No test ran: check the names given.');
if (code !== 0 && failed === 0 && !none) console.error(`The test runner ended with ${code} although no test failed.`);
if (line) console.log(line);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = code === 0 && failed === 0 && !none ? 0 : 1;
