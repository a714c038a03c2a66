/** scripts/evalroom.mjs in a checkout of its own, whose cli.ts is a stand-in that tells what reached it. */
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SCRIPTS = fileURLToPath(new URL('../../../scripts/', import.meta.url));
const CLI = `
const [what, value] = process.argv.slice(2);
if (what === 'exit') process.exit(Number(value));
if (what === 'die') process.kill(process.pid, value);
process.on(what, () => { console.log('got', what); process.exit(7); });
console.log('ready', process.env.HANDED_OVER, value);
setTimeout(() => process.exit(9), 8000);
`;
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'evalroom-launcher-'));
  for (const path of ['evalroom.mjs', 'setup/node24.mjs']) {
    mkdirSync(join(root, 'scripts', path, '..'), { recursive: true });
    cpSync(join(SCRIPTS, path), join(root, 'scripts', path));
  }
  writeFileSync(join(root, 'scripts/cli.ts'), CLI);
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

// Stands in for the pinned Node: another file than the one that runs, so that the launcher hands over.
function pinNode(): void {
  const node = join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  mkdirSync(join(node, '..'), { recursive: true });
  writeFileSync(node, `#!/bin/sh\nHANDED_OVER=yes exec ${process.execPath} "$@"\n`);
  chmodSync(node, 0o755);
}

function launch(args: string[], onReady?: (kill: (signal: NodeJS.Signals) => void) => void) {
  return new Promise<{ code: number | null; signal: string | null; out: string }>((resolve) => {
    const child = spawn(process.execPath, [join(root, 'scripts/evalroom.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    const take = (chunk: Buffer) => {
      const before = out;
      out += chunk;
      if (!before.includes('ready') && out.includes('ready')) onReady?.((signal) => child.kill(signal));
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('close', (code, signal) => resolve({ code, signal, out }));
  });
}

describe('the launcher', () => {
  it('runs in the Node that started it where none is pinned and that one is new enough', async () => {
    expect(await launch(['exit', '3'])).toMatchObject({ code: 3 });
  });

  it('hands over to the pinned Node with arguments and exit code', async () => {
    pinNode();
    expect(await launch(['exit', '3'])).toMatchObject({ code: 3 });
    const { out } = await launch(['SIGTERM', 'a word'], (kill) => kill('SIGTERM'));
    expect(out).toContain('ready yes a word');
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('passes %s on and waits for the end', async (signal) => {
    const { code, out } = await launch([signal], (kill) => kill(signal));
    expect(out).toContain(`got ${signal}`);
    expect(code).toBe(7);
  });

  it('ends by the signal that ended the command', async () => {
    expect(await launch(['die', 'SIGKILL'])).toMatchObject({ code: null, signal: 'SIGKILL' });
  });
});
