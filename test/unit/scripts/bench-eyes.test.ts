/** The camera bench measures eyes that see, or says what to run: a file that opens as no model, another one than was proven, none at all. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ACCEPTED_FILE } from '../../../models/manifest.ts';
import { provenEyes, sameEyes } from '../../../scripts/bench/eyes.ts';
import { runCli } from '../../../scripts/program.ts';

let folder: string;
let said: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-eyes-'));
  vi.stubEnv('EVALROOM_MODELS', folder);
  said = '';
  vi.spyOn(console, 'error').mockImplementation((text) => {
    said += text;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A better detector whose hash somebody has accepted, and which is no model. */
function noModel(): void {
  const bytes = Buffer.from('no model at all');
  writeFileSync(join(folder, 'yolox_nano.onnx'), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(folder, ACCEPTED_FILE), JSON.stringify({ 'yolox-nano': sha256 }));
}

describe('evalroom bench camera', () => {
  it.each([[[]], [['--most']], [['--soak', '1']]])(
    '%j stops where the models do not open, and names what fetches them',
    async (more) => {
      noModel();
      expect(await runCli(['bench', 'camera', '--seconds', '1', ...more])).toBe(1);
      expect(said).toMatch(/yolox-nano.* do not open, and nothing is measured.*evalroom models fetch.*\[bench_eyes\]/s);
    },
  );

  it('finds the models that come with npm where nothing was fetched', async () => {
    expect(await provenEyes('auto', folder)).toMatch(/^(blazepose|yolox-nano|centernet)\+pose-lite$/);
  });

  it('does not measure a room that looks with others, or with none', () => {
    const ready = (modelSet: string) => ({ ready: { modelSet } });
    expect(() => sameEyes(ready('a+b'), 'a+b')).not.toThrow();
    for (const other of ['none', 'c+d'])
      expect(() => sameEyes(ready(other), 'a+b')).toThrow(
        expect.objectContaining({ kind: 'Unavailable', code: 'bench_eyes' }),
      );
  });
});
