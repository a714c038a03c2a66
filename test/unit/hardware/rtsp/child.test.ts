/** A camera whose pipes cannot be made: a failed run that is tried again, never an exception that ends its task for ever. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { virtualClock } from '../../../../agent/clock.ts';
import { startFfmpeg } from '../../../../hardware/rtsp/child.ts';
import type { PipeSink } from '../../../../hardware/rtsp/raw.ts';

const usual = process.env.TMPDIR;
const sink: PipeSink = { room: () => new Uint8Array(16), took: () => {} };
const absent = join(tmpdir(), 'evalroom-absent', 'folder');
const setFolder = (path: string | undefined) => {
  if (path === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = path;
};
afterEach(() => setFolder(usual));

const start = (pipes: readonly PipeSink[]) =>
  startFfmpeg({ args: [], stdin: '', pipes, secrets: [], clock: virtualClock() });
const openFiles = () => readdirSync('/proc/self/fd').length;

describe('an ffmpeg whose pipes cannot be made', () => {
  it('is a run that failed, with the reason', async () => {
    setFolder(absent);
    const child = start([sink]);
    expect(child.pid).toBeUndefined();
    expect(await child.ended).toEqual({ kind: 'failed', reason: expect.stringContaining(absent) });
    await Promise.all([child.stop(), child.kill()]);
  });

  it('closes those that were made before', async () => {
    const pipes = [sink, sink];
    Object.defineProperty(pipes, 1, {
      get() {
        setFolder(absent);
        return sink;
      },
    });
    const before = openFiles();
    expect((await start(pipes).ended).kind).toBe('failed');
    await expect.poll(openFiles, { timeout: 10_000 }).toBeLessThanOrEqual(before);
  });
});
