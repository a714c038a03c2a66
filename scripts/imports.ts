/** The import rule: reads every import of the tree, type-only ones too, and reports each that crosses a wall of the house. */
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTree, type SourceFile, sourceFiles } from './house/source.ts';

/** The folders whose files make the product and its tests; a source file in any other folder is reported. */
export const FOLDERS = ['protocol', 'hardware', 'models', 'agent', 'cloud', 'scripts', 'test'] as const;

/** What an import leads to: a file of the tree, an installed package, or a module of Node. */
export interface Target {
  readonly kind: 'file' | 'package' | 'node';
  /** Path relative to the root, package name, or module name without `node:`. */
  readonly name: string;
  readonly typeOnly: boolean;
}

interface Packages {
  readonly run: ReadonlySet<string>;
  readonly dev: ReadonlySet<string>;
}

interface Rule {
  readonly name: string;
  /** What the author of a forbidden import reads. */
  readonly comment: string;
  readonly forbids: (from: string, to: Target, packages: Packages) => boolean;
}

const below = (path: string, ...folders: string[]) => folders.some((folder) => path.startsWith(`${folder}/`));
const fileIn = (to: Target, ...folders: string[]) => to.kind === 'file' && below(to.name, ...folders);
const bare = (name: string) => name.replace(/^@types\//, '');
const SQL_DRIVERS = new Set(['better-sqlite3', 'pg', 'pg-cursor', 'pg-pool', 'sqlite', 'kysely']);
const inBrowser = (path: string) => below(path, 'cloud/web') && path !== 'cloud/web/vite.config.ts';

/** Who may not import whom. */
export const RULES: readonly Rule[] = [
  {
    name: 'protocol-alone',
    comment:
      'protocol/ imports nothing but itself (schema.ts and orders-schema.ts also zod): no node:*, no package, no other folder',
    forbids: (from, to) =>
      below(from, 'protocol') &&
      !fileIn(to, 'protocol') &&
      !(/^protocol\/(orders-)?schema\.ts$/.test(from) && to.kind === 'package' && to.name === 'zod'),
  },
  {
    name: 'hardware-below-agent',
    comment: 'hardware/ imports protocol/ only: it knows neither models nor who uses it',
    forbids: (from, to) => below(from, 'hardware') && fileIn(to, 'models', 'agent', 'cloud', 'scripts'),
  },
  {
    name: 'models-below-agent',
    comment: 'models/ imports protocol/ only: it knows neither cameras nor who uses it',
    forbids: (from, to) => below(from, 'models') && fileIn(to, 'hardware', 'agent', 'cloud', 'scripts'),
  },
  {
    name: 'agent-apart-from-cloud',
    comment: 'agent/ imports protocol/, hardware/ and models/: the cloud is reached over the wire',
    forbids: (from, to) => below(from, 'agent') && fileIn(to, 'cloud', 'scripts'),
  },
  {
    name: 'decide-is-pure',
    comment:
      'agent/decide/ imports nothing but protocol/: what is decided depends on state, observation and time alone',
    forbids: (from, to) => below(from, 'agent/decide') && !fileIn(to, 'agent/decide', 'protocol'),
  },
  {
    name: 'cloud-apart-from-agent',
    comment: 'cloud/ imports protocol/, models/rules and models/speech: rooms are reached over the wire',
    forbids: (from, to) =>
      below(from, 'cloud') &&
      (fileIn(to, 'agent', 'hardware', 'scripts') ||
        (fileIn(to, 'models') && !fileIn(to, 'models/rules', 'models/speech'))),
  },
  {
    name: 'page-is-a-browser',
    comment:
      'cloud/web/ imports protocol/, the shapes of the API (cloud/http/api.ts, …-api.ts) and browser packages: the server is reached over HTTP',
    forbids: (from, to) =>
      inBrowser(from) &&
      (to.kind === 'node' ||
        (to.kind === 'file' &&
          !fileIn(to, 'cloud/web', 'protocol') &&
          !/^cloud\/http\/([a-z-]+-)?api\.ts$/.test(to.name))),
  },
  {
    name: 'nothing-imports-tests',
    comment: 'nothing outside test/ imports test/: a fake that the product needs lives beside its interface',
    forbids: (from, to) => !below(from, 'test') && fileIn(to, 'test'),
  },
  {
    name: 'sql-in-store-only',
    comment: 'only store/ folders import a database driver',
    forbids: (from, to) =>
      !below(from, 'test') && !/(^|\/)store\//.test(from) && to.kind !== 'file' && SQL_DRIVERS.has(bare(to.name)),
  },
  {
    name: 'vendors-in-hardware-only',
    comment: 'only hardware/ imports onvif: the rest knows cameras by hardware/camera.ts',
    forbids: (from, to) => !below(from, 'hardware', 'test') && to.kind === 'package' && bare(to.name) === 'onvif',
  },
  {
    name: 'product-without-dev-packages',
    comment: 'the product imports no devDependency: it would be missing on a box in a room',
    forbids: (from, to, { run, dev }) =>
      below(from, 'protocol', 'hardware', 'models', 'agent', 'cloud') &&
      !below(from, 'cloud/web') &&
      to.kind === 'package' &&
      !to.typeOnly &&
      dev.has(to.name) &&
      !run.has(to.name),
  },
  {
    name: 'declared-packages-only',
    comment: 'every imported package stands in package.json itself',
    forbids: (_from, to, { run, dev }) =>
      to.kind === 'package' && ![to.name, `@types/${to.name}`].some((name) => run.has(name) || dev.has(name)),
  },
];

export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly line: number;
  readonly to: string;
  readonly comment: string;
}

export interface ImportReport {
  readonly files: number;
  /** Files that were not read: the check must see all, or its green means nothing. */
  readonly unread: readonly string[];
  readonly violations: readonly Violation[];
}

const NODE_MODULES = new Set(builtinModules);

/** What `specifier` means in the file `from`. */
export function resolve(from: string, specifier: string, typeOnly: boolean): Target {
  const plain = specifier.replace(/[?#].*$/, '');
  if (plain.startsWith('.')) return { kind: 'file', name: normalize(join(dirname(from), plain)), typeOnly };
  if (plain.startsWith('node:') || NODE_MODULES.has(plain))
    return { kind: 'node', name: plain.replace(/^node:/, ''), typeOnly };
  const name = plain.split('/', plain.startsWith('@') ? 2 : 1).join('/');
  return { kind: 'package', name, typeOnly };
}

function declaredPackages(root: string): Packages {
  const json = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return {
    run: new Set(Object.keys({ ...json.dependencies, ...json.optionalDependencies })),
    dev: new Set(Object.keys(json.devDependencies ?? {})),
  };
}

// A line that can be nothing but an import: enough to notice a reader that opened the file and saw none.
const IMPORT_LINE = /^(?:import|export)\b[^'"`;=]*?\bfrom\s+['"][^'"]+['"]|^import\s+['"]/m;

function isRead(file: SourceFile | undefined): boolean {
  return file !== undefined && !file.syntaxError && (file.imports.length > 0 || !IMPORT_LINE.test(file.text));
}

// Files that reach themselves over imports that exist at run time; one violation for each circle.
function circles(files: readonly SourceFile[]): Violation[] {
  const edges = new Map(
    files.map((file) => [
      file.path,
      file.imports
        .filter(({ specifier, typeOnly }) => !typeOnly && specifier.startsWith('.'))
        .map(({ specifier, line }) => ({ to: resolve(file.path, specifier, false).name, line })),
    ]),
  );
  const found: Violation[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    trail.push(path);
    for (const { to, line } of edges.get(path) ?? []) {
      if (trail.includes(to)) {
        const circle = [...trail.slice(trail.indexOf(to)), to].join(' -> ');
        const comment = `two files that need each other are one file, or lack a third below both: ${circle}`;
        found.push({ rule: 'no-circles', from: path, line, to, comment });
      } else if (edges.has(to) && !done.has(to)) visit(to);
    }
    trail.pop();
    done.add(path);
  };
  for (const path of edges.keys()) if (!done.has(path)) visit(path);
  return found;
}

/** Checks the tree at `root`, and that it was really read. `read` is exchanged by the test that blinds the reader. */
export function checkImports(root: string, read: (root: string) => readonly SourceFile[] = readTree): ImportReport {
  const files = read(root);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const packages = declaredPackages(root);
  const violations: Violation[] = circles(files);
  for (const { path, imports } of files) {
    if (path.includes('/') && !below(path, ...FOLDERS))
      violations.push({
        rule: 'known-folders-only',
        from: path,
        line: 1,
        to: '',
        comment: `source lives in ${FOLDERS.join('/, ')}/: the rule knows no other folder`,
      });
    for (const { specifier, typeOnly, line } of imports) {
      const target = resolve(path, specifier, typeOnly);
      for (const { name, comment, forbids } of RULES)
        if (forbids(path, target, packages)) violations.push({ rule: name, from: path, line, to: specifier, comment });
    }
  }
  const all = sourceFiles(root);
  return { files: all.length, unread: all.filter((path) => !isRead(byPath.get(path))), violations };
}

/** What a person reads; empty when all is well. */
export function wordReport({ files, unread, violations }: ImportReport): string[] {
  const lines = violations.map(
    ({ rule, from, line, to, comment }) => `${from}:${line} imports ${to}\n    ${rule}: ${comment}`,
  );
  if (files === 0) lines.push('no source file was found: the rule was not checked');
  if (unread.length > 0)
    lines.push(
      `${unread.length} of ${files} files were not read, so the rule was not checked on them: ${unread.slice(0, 10).join(', ')}`,
    );
  return lines;
}

if (import.meta.main) {
  const report = checkImports(fileURLToPath(new URL('..', import.meta.url)));
  const lines = wordReport(report);
  for (const line of lines) console.error(line);
  if (lines.length === 0) console.log(`${report.files} files read, every import allowed`);
  process.exitCode = lines.length === 0 ? 0 : 1;
}
