// `npm run check`: types, lint and format, the import rule, the habits of the house, unused code; all of them, then a summary.
import { spawn } from 'node:child_process';
import { findNode, nodeEnv, ROOT } from './setup/node24.mjs';

const BIN = `${ROOT}node_modules`;

// Two rows side by side keep two cores busy; the slowest stand first.
const CHECKS = [
  { name: 'types', args: [`${BIN}/typescript/bin/tsc`, '-p', '.'] },
  { name: 'unused code and packages', args: [`${BIN}/knip/bin/knip.js`] },
  { name: 'types of the page', args: [`${BIN}/typescript/bin/tsc`, '-p', 'cloud/web'] },
  { name: 'lint and format', args: [`${BIN}/@biomejs/biome/bin/biome`, 'check', '--error-on-warnings'] },
  { name: 'import rule', args: ['scripts/imports.ts'] },
  { name: 'habits of the house', args: ['scripts/house/habits.ts'] },
];
const AT_ONCE = 2;

function run(node, { name, args }) {
  const startMs = Date.now();
  return new Promise((resolve) => {
    const child = spawn(node, args, { cwd: ROOT, env: nodeEnv(node), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk) => {
      output += chunk;
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const finish = (ok, text) => resolve({ name, ok, output: text, seconds: (Date.now() - startMs) / 1000 });
    child.on('error', (error) => finish(false, `could not be started: ${error.message}`));
    child.on('close', (code) => finish(code === 0, output));
  });
}

async function main() {
  const node = findNode();
  if (node === undefined) {
    console.error('check: Node 24 is not there yet. Run: node scripts/setup.mjs check');
    return 1;
  }
  const results = [];
  const waiting = [...CHECKS];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let check = waiting.shift(); check; check = waiting.shift()) results.push(await run(node, check));
    }),
  );
  for (const { name, ok, output } of results) if (!ok) console.log(`\n--- ${name} ---\n${output.trimEnd()}\n`);
  for (const { name } of CHECKS) {
    const { ok, seconds } = results.find((result) => result.name === name);
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name}  (${seconds.toFixed(1)} s)`);
  }
  return results.every(({ ok }) => ok) ? 0 : 1;
}

process.exitCode = await main();
