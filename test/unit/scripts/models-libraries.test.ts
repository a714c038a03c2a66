import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchLibrary, verifyLibrary } from '../../../scripts/models-libraries.ts';

const CLI = fileURLToPath(new URL('../../../scripts/cli.ts', import.meta.url));

let scratch: string;
let folder: string;
let from: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'evalroom-libraries-'));
  [folder, from] = [join(scratch, 'models'), join(scratch, 'stick')];
  mkdirSync(from);
});
afterEach(() => rmSync(scratch, { recursive: true }));

describe('the library of an engine from a folder', () => {
  it('is refused where its bytes are others, and nothing of it is kept', async () => {
    writeFileSync(join(from, 'libvosk.so'), 'another library');
    const code = 'model_hash_mismatch';
    await expect(fetchLibrary({ library: 'vosk', folder, from })).rejects.toMatchObject({ code });
    expect(existsSync(join(folder, 'vosk/libvosk.so'))).toBe(false);
  });

  it('does not stand in for a library of other bytes that lies there already', async () => {
    mkdirSync(join(folder, 'vosk'), { recursive: true });
    writeFileSync(join(folder, 'vosk/libvosk.so'), 'half of it');
    await expect(fetchLibrary({ library: 'vosk', folder, from })).rejects.toMatchObject({ code: 'library_missing' });
  });

  it('verified says what is missing, what is of other bytes and what is half there', () => {
    const state = (library: 'vosk' | 'sherpa') => verifyLibrary({ library, folder });
    expect(state('vosk')).toMatchObject({ state: 'missing', reason: 'evalroom models fetch vosk brings it' });
    mkdirSync(join(folder, 'vosk'), { recursive: true });
    writeFileSync(join(folder, 'vosk/libvosk.so'), 'half of it');
    expect(state('vosk')).toMatchObject({ state: 'bad', reason: expect.stringContaining('models fetch vosk') });
    const home = join(folder, 'sherpa/node_modules/sherpa-onnx-node');
    mkdirSync(home, { recursive: true });
    const manifest = (version: string) =>
      writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'sherpa-onnx-node', version }));
    manifest('0.0.1');
    expect(state('sherpa')).toMatchObject({ state: 'bad', reason: expect.stringContaining('0.0.1 in place of') });
    manifest('1.13.8');
    expect(state('sherpa')).toMatchObject({
      state: 'bad',
      reason: expect.stringContaining('sherpa-onnx.node is missing'),
    });
    const binary = join(folder, `sherpa/node_modules/sherpa-onnx-${process.platform}-${process.arch}`);
    mkdirSync(binary);
    writeFileSync(join(binary, 'sherpa-onnx.node'), 'binary');
    expect(state('sherpa')).toMatchObject({ state: 'good' });
  });

  it.each(['vosk', 'sherpa'] as const)('%s is missing where the folder has nothing of it', async (library) => {
    const refused = fetchLibrary({ library, folder, from });
    await expect(refused).rejects.toMatchObject({ code: 'library_missing', message: expect.stringContaining(from) });
  });
});

describe('evalroom models fetch', () => {
  it('prints the library that is in place as JSON where nothing else was asked for', () => {
    const path = join(folder, 'sherpa/node_modules/sherpa-onnx-node');
    mkdirSync(path, { recursive: true });
    const args = [CLI, 'models', 'fetch', 'sherpa', '--folder', folder, '--json'];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, `${path}: is in place\n`]);
    expect(JSON.parse(stdout)).toEqual({ folder, libraries: [{ name: 'sherpa', path }], models: [] });
  });
});
