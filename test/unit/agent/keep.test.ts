/** Small files of the box: whole or as they were, and nobody else's to read. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepFile } from '../../../agent/keep.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-keep-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('makes the folder, exchanges the file at once and leaves nothing beside it', () => {
  const path = join(folder, 'new', 'orders.json');
  keepFile(path, 'one');
  keepFile(path, 'two');
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(readdirSync(join(folder, 'new'))).toEqual(['orders.json']);
  expect([statSync(path).mode & 0o777, statSync(join(folder, 'new')).mode & 0o777]).toEqual([0o600, 0o700]);
});

it('throws where the disk refuses, and what was there stays', () => {
  const path = join(folder, 'kept.pem');
  keepFile(path, 'old');
  mkdirSync(`${path}.new`);
  expect(() => keepFile(path, 'new')).toThrow(/EISDIR/);
  expect(readFileSync(path, 'utf8')).toBe('old');
  writeFileSync(join(folder, 'file'), '');
  expect(() => keepFile(join(folder, 'file', 'x'), 'new')).toThrow();
});
