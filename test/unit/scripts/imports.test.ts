/** Plants one forbidden import of each kind in a copy of the tree and expects each to be reported. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTree, sourceFiles } from '../../../scripts/house/source.ts';
import { checkImports, FOLDERS, type ImportReport, RULES, wordReport } from '../../../scripts/imports.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

// [rule, file to plant, its text]. Every kind of import that TypeScript knows stands in this list at least once.
const PLANTED: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['protocol-alone', 'protocol/p1.ts', "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;"],
  ['protocol-alone', 'protocol/p2.ts', "import type { Camera } from '../hardware/camera.ts';\nexport type A = Camera;"],
  ['protocol-alone', 'protocol/p3.ts', "export type { Logger } from 'pino';"],
  ['protocol-alone', 'protocol/p4.ts', "import { z } from 'zod';\nexport const a = z;"],
  ['hardware-below-agent', 'hardware/p1.ts', "export type { Picture } from '../models/pose/detector.ts';"],
  ['hardware-below-agent', 'hardware/p2.ts', "export const a = () => import('../agent/planted-target.ts');"],
  ['models-below-agent', 'models/p1.ts', "import type { Frame } from '../hardware/camera.ts';\nexport type A = Frame;"],
  ['models-below-agent', 'models/p2.ts', "export * from '../agent/planted-target.ts';"],
  [
    'models-below-agent',
    'models/p3.ts',
    "import target = require('../agent/planted-target.ts');\nexport const a = target;",
  ],
  [
    'agent-apart-from-cloud',
    'agent/p1.ts',
    "import type { AlertView } from '../cloud/http/api.ts';\nexport type A = AlertView;",
  ],
  ['agent-apart-from-cloud', 'agent/p2.ts', "export type A = import('../cloud/http/api.ts').AlertView;"],
  ['agent-apart-from-cloud', 'agent/p3.mjs', "export { ENTRIES } from '../scripts/program.ts';"],
  ['agent-apart-from-cloud', 'agent/p11.ts', "export type A = typeof import('../cloud/planted-target.ts');"],
  ['agent-apart-from-cloud', 'agent/p12.ts', "export type * as A from '../cloud/http/api.ts';"],
  [
    'decide-is-pure',
    'agent/decide/p1.ts',
    "import type { Frame } from '../../hardware/camera.ts';\nexport type A = Frame;",
  ],
  ['decide-is-pure', 'agent/decide/p2.ts', "import { createHash } from 'node:crypto';\nexport const a = createHash;"],
  ['decide-is-pure', 'agent/decide/p3.ts', "import { type Logger } from 'pino';\nexport type A = Logger;"],
  ['decide-is-pure', 'agent/decide/p4.ts', "import '../planted-target.ts';"],
  ['decide-is-pure', 'agent/decide/p5.cjs', "const { readFileSync } = require('fs');\nmodule.exports = readFileSync;"],
  ['decide-is-pure', 'agent/decide/p6.ts', "export const a = new URL('../planted-target.ts', import.meta.url);"],
  [
    'cloud-apart-from-agent',
    'cloud/p1.ts',
    "import type { Target } from '../agent/planted-target.ts';\nexport type A = Target;",
  ],
  ['cloud-apart-from-agent', 'cloud/p2.ts', "export type { Frame } from '../hardware/camera.ts';"],
  ['cloud-apart-from-agent', 'cloud/p3.ts', "export type { Picture } from '../models/pose/detector.ts';"],
  ['page-is-a-browser', 'cloud/web/p1.ts', "export * from '../planted-target.ts';"],
  ['page-is-a-browser', 'cloud/web/p2.tsx', "import { join } from 'node:path';\nexport const a = <p>{join('a')}</p>;"],
  ['nothing-imports-tests', 'scripts/p1.ts', "export { planted } from '../test/unit/planted-target.ts';"],
  ['nothing-imports-tests', 'hardware/p3.ts', "export type { Planted } from '../test/unit/planted-target.ts';"],
  ['sql-in-store-only', 'agent/p4.ts', "import Database from 'better-sqlite3';\nexport const a = Database;"],
  ['sql-in-store-only', 'cloud/p4.ts', "import type { Pool } from 'pg';\nexport type A = Pool;"],
  ['sql-in-store-only', 'cloud/p5.ts', "import { DatabaseSync } from 'node:sqlite';\nexport const a = DatabaseSync;"],
  ['vendors-in-hardware-only', 'agent/p5.ts', "import onvif from 'onvif/promises';\nexport const a = onvif;"],
  ['product-without-dev-packages', 'agent/p6.ts', "import fc from 'fast-check';\nexport const a = fc;"],
  ['declared-packages-only', 'agent/p8.ts', "import { a } from '@no/such-package';\nexport const b = a;"],
  ['no-circles', 'agent/p9.ts', "import { b } from './p10.ts';\nexport const a = () => b;"],
  ['known-folders-only', 'library/p1.ts', 'export const a = 1;'],
];
const SUPPORT: readonly (readonly [string, string])[] = [
  ['agent/p10.ts', "import { a } from './p9.ts';\nexport const b = () => a;"],
  ['agent/planted-target.ts', 'export interface Target {}\nexport const target = 1;'],
  ['cloud/planted-target.ts', 'export const target = 1;'],
  ['test/unit/planted-target.ts', 'export interface Planted {}\nexport const planted = 1;'],
];

describe('the import rule', () => {
  let copy: string;
  let report: ImportReport;

  const plant = (file: string, text: string) => {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), `${text}\n`);
  };

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'evalroom-imports-'));
    for (const file of [...sourceFiles(ROOT), 'package.json']) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      cpSync(join(ROOT, file), join(copy, file));
    }
    for (const [file, text] of SUPPORT) plant(file, text);
    for (const [, file, text] of PLANTED) plant(file, text);
    report = checkImports(copy);
  });

  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it.each(PLANTED)('%s is reported in %s', (rule, file) => {
    const found = report.violations.filter(({ from }) => from === file);
    expect(found.map((violation) => violation.rule)).toContain(rule);
  });

  it('has a planted import for every rule', () => {
    const tried = new Set(PLANTED.map(([rule]) => rule));
    expect(RULES.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
  });

  it('keeps protocol/schema.ts to zod', () => {
    plant('protocol/schema.ts', "export { z } from 'zod';\nexport { join } from 'node:path';");
    const found = checkImports(copy).violations.filter(({ from }) => from === 'protocol/schema.ts');
    expect(found.map(({ to }) => to)).toEqual(['node:path']);
  });

  it('read every file of the tree', () => {
    expect(report.unread).toEqual([]);
    expect(report.files).toBe(sourceFiles(copy).length);
  });

  it('says with each violation where it is and what would be right', () => {
    expect(wordReport(report).join('\n')).toContain(
      'agent/decide/p4.ts:1 imports ../planted-target.ts\n    decide-is-pure: agent/decide/ imports nothing but protocol/',
    );
  });

  it('names a file that it cannot parse instead of passing it', () => {
    plant('agent/broken.ts', "import { a from './planted-target.ts';");
    expect(checkImports(copy).unread).toEqual(['agent/broken.ts']);
  });
});

describe('a blind reader', () => {
  it('that reads no file is not green', () => {
    const report = checkImports(ROOT, () => []);
    expect(report.unread.length).toBe(sourceFiles(ROOT).length);
    expect(wordReport(report)).not.toEqual([]);
  });

  it('that opens the files but sees no import in them is not green', () => {
    const report = checkImports(ROOT, (root) => readTree(root).map((file) => ({ ...file, imports: [] })));
    expect(report.unread).toContain('protocol/event.ts');
    expect(wordReport(report)).not.toEqual([]);
  });

  it('knows every folder that holds source', () => {
    for (const folder of FOLDERS)
      expect(
        sourceFiles(ROOT).some((file) => file.startsWith(`${folder}/`)),
        folder,
      ).toBe(true);
  });
});
