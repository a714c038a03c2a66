/** `evalroom cloud` as a service: what it prints is a log, and the first supervisor's one-time address does not stand in it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Browser, eventually } from '../cloud/cloud.ts';

const CLI = fileURLToPath(new URL('../../../scripts/cli.ts', import.meta.url));

describe('evalroom cloud without a terminal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-setup-'));
  const running: ChildProcess[] = [];
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const start = async () => {
    const child = spawn(process.execPath, [CLI, 'cloud', '--data', folder, '--port', '0'], { stdio: 'pipe' });
    running.push(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
      });
    await eventually(() => said).toContain('cloud is running');
    return {
      said: () => said,
      url: /"url":"(http[^"]+)"/.exec(said)![1]!,
      async end() {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await ended;
      },
    };
  };

  it('puts the address into a file that nobody else can read, until somebody has used it', async () => {
    const file = join(folder, 'setup-address');
    const first = await start();
    await eventually(() => existsSync(file)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const address = readFileSync(file, 'utf8').trim();
    const browser = new Browser(first.url);
    await browser.setUp(address);
    await first.end();
    expect(first.said()).toContain(file);
    expect(first.said()).not.toContain(address.split('#token=')[1]);
    const second = await start();
    await second.end();
    expect(existsSync(file)).toBe(false);
  }, 60_000);
});
