/** The demo as a newcomer sees it: one URL on the screen, and no process left however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { processTree } from '../../../scripts/bench/processes.ts';

const LAUNCHER = fileURLToPath(new URL('../../../scripts/evalroom.mjs', import.meta.url));
const started: { child: ChildProcess; data: string }[] = [];

interface Demo {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly text: () => string;
}

async function runDemo(args: readonly string[] = []): Promise<Demo> {
  const data = await mkdtemp(join(tmpdir(), 'evalroom-demo-'));
  const child = spawn(process.execPath, [LAUNCHER, 'demo', '--data', data, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push({ child, data });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, ended, text: () => text };
}

async function until(what: string, holds: () => boolean, limitMs = 60_000): Promise<void> {
  for (const end = performance.now() + limitMs; !holds(); await new Promise((resolve) => setTimeout(resolve, 100)))
    if (performance.now() > end) throw new Error(`${what} did not come about in ${limitMs / 1000} s`);
}

const alive = (pids: readonly number[]) => pids.filter((pid) => existsSync(`/proc/${pid}`));

afterEach(async () => {
  for (const { child, data } of started.splice(0)) {
    child.kill('SIGKILL');
    await rm(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
});

describe('evalroom demo', () => {
  it('prints one address with a one-time token, and leaves no process after Ctrl-C', async () => {
    const { child, ended, text } = await runDemo();
    await until('the address', () => /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/.test(text()));
    expect(text().match(/https?:\/\//g)).toHaveLength(1);
    const pids = processTree(child.pid!).map((one) => one.pid);
    // Demo, camera, cloud, Mosquitto, agent; ffmpeg comes and goes.
    expect(pids.length).toBeGreaterThanOrEqual(5);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    await until('the end of every process', () => alive(pids).length === 0, 10_000);
    expect(text()).toContain('all parts have ended');
  });

  it('takes its parts along when it is killed without a word', async () => {
    const { child, ended, text } = await runDemo();
    await until('the address', () => text().includes('#token='));
    const tree = processTree(child.pid!).map((one) => one.pid);
    expect(tree.length).toBeGreaterThanOrEqual(5);
    child.kill('SIGKILL');
    await ended;
    await until('the end of every process', () => alive(tree).length === 0, 30_000);
  });

  it('says what is wrong with a camera address', async () => {
    const { ended, text } = await runDemo(['--camera', 'ftp://host/path']);
    expect(await ended).toBe(1);
    expect(text()).toMatch(/--camera: .*rtsp:\/\/user:pass@host\/path.*\[camera_address\]/);
  });
});
