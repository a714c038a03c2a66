import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evalroom-models-'));
});
afterEach(() => rm(folder, { recursive: true }));

function models(...args: string[]) {
  const { VITEST: _, ...env } = process.env;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(ROOT, 'scripts/evalroom.mjs'), 'models', ...args],
    {
      env: { ...env, EVALROOM_MODELS: folder },
      encoding: 'utf8',
    },
  );
  return { stdout, stderr, status };
}

describe('evalroom models', () => {
  it('lists every weight with its licence', () => {
    const { stdout, status } = models('list');
    expect(status).toBe(0);
    expect(stdout).toContain('yolox-nano');
    expect(stdout).toContain('not verified');
  });

  it('verifies what npm brought', () => {
    const { stdout, status } = models('verify', 'centernet-weights', 'blazepose-lite', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!).models).toMatchObject([{ state: 'good' }, { state: 'good' }]);
  });

  it('fails on a truncated file with what to do', async () => {
    await writeFile(join(folder, 'yolox_nano.onnx'), 'too short');
    const { stdout, stderr, status } = models('verify', 'yolox-nano');
    expect(status).toBe(1);
    expect(stdout).toContain('9 of 3660092 bytes');
    expect(stderr).toContain('[model_truncated]');
  });

  it('says where it looked when a stick does not hold the file, for one file and for several', () => {
    const one = models('fetch', 'yolox-nano', '--from', folder, '--folder', join(folder, 'into'));
    expect(one).toMatchObject({ status: 1, stderr: expect.stringContaining(`neither ${folder}/yolox_nano.onnx`) });
    const several = models('fetch', 'zh', '--from', folder, '--folder', join(folder, 'into'), '--json');
    expect(several).toMatchObject({ status: 1, stderr: expect.stringContaining('4 of 4 are not in place') });
    expect(JSON.parse(several.stdout.trim().split('\n').at(-1)!).models).toHaveLength(4);
  });

  it('refuses unknown names and senseless limits', () => {
    expect(models('fetch', 'yolo')).toMatchObject({ status: 1, stderr: expect.stringContaining('[unknown_model]') });
    expect(models('fetch', 'zh', '--connect-limit', 'soon').status).toBe(2);
  });
});
