import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aptLine, installedIn, missingPackages } from '../../../scripts/setup/debian.mjs';
import { npmReason } from '../../../scripts/setup/npm.mjs';
import { sourcesHash, webReason } from '../../../scripts/setup/web.mjs';

let root: string;

beforeEach(() => {
  root = `${mkdtempSync(join(tmpdir(), 'evalroom-setup-'))}/`;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe('Debian packages', () => {
  const STATUS = `Package: ffmpeg
Status: install ok installed
Version: 7:5.1

Package: mosquitto
Status: deinstall ok config-files
Version: 2

Package: chromium
Status: hold ok installed
`;

  it('counts as installed what dpkg has installed, not what it remembers', () => {
    expect([...installedIn(STATUS)]).toEqual(['ffmpeg', 'chromium']);
  });

  it('finds what is missing, and nothing on a machine without dpkg', () => {
    write('status', STATUS);
    expect(missingPackages(['ffmpeg', 'mosquitto'], `${root}status`)).toEqual(['mosquitto']);
    expect(missingPackages(['ffmpeg'], `${root}none`)).toBeUndefined();
  });

  it('gives one line to type', () => {
    expect(aptLine(['a', 'b'])).toBe('sudo apt-get update && sudo apt-get install -y --no-install-recommends a b');
  });
});

describe('npm packages', () => {
  const node = `node_modules/node-${process.platform}-${process.arch}`;
  const lock = (packages: object) => JSON.stringify({ packages: { '': {}, ...packages } });
  const wanted = {
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/of-another-machine': { version: '1.0.0', optional: true },
  };

  beforeEach(() => {
    write('package-lock.json', lock(wanted));
    write(`${node}/bin/node`, '');
  });

  it('are missing before the first installation and after one that was cut off', () => {
    expect(npmReason(root)).toBe('nothing is installed yet');
  });

  it('are fine when they are what the lockfile says, whoever installed them', () => {
    write('node_modules/.package-lock.json', lock({ 'node_modules/a': wanted['node_modules/a'] }));
    expect(npmReason(root)).toBeUndefined();
  });

  it('are stale when a version or its bytes differ, or one is missing', () => {
    write('node_modules/.package-lock.json', lock({ 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }));
    expect(npmReason(root)).toBe('a differs from the lockfile');
    write('node_modules/.package-lock.json', lock({ 'node_modules/a': { version: '1.0.0', integrity: 'sha512-b' } }));
    expect(npmReason(root)).toBe('a differs from the lockfile');
    write('node_modules/.package-lock.json', lock({}));
    expect(npmReason(root)).toBe('a is missing');
  });
});

describe('the page', () => {
  beforeEach(() => {
    write('cloud/web/main.tsx', 'one');
    write('cloud/http/api.ts', '');
    write('protocol/event.ts', '');
    write('package-lock.json', '{}');
  });

  it('is built when it is missing, and again when a source has changed, moved or gone', () => {
    expect(webReason(root)).toBe('it has not been built yet');
    write('cloud/web/dist/index.html', '');
    write('cloud/web/dist/.sources-sha256', sourcesHash(root));
    expect(webReason(root)).toBeUndefined();
    write('cloud/web/main.tsx', 'two');
    expect(webReason(root)).toBe('its sources have changed');
    write('cloud/web/main.tsx', 'one');
    expect(webReason(root)).toBeUndefined();
    write('protocol/clip.ts', '');
    expect(webReason(root)).toBe('its sources have changed');
  });
});
