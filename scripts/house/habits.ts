/** The habits of the house that no linter knows: who may read the environment and the clock, where SQL stands, how errors are made. */
import { fileURLToPath } from 'node:url';
import { lineOf, literalText, readTree, type SourceFile, type SyntaxNode, walkSyntax } from './source.ts';

export interface Slip {
  readonly habit: string;
  readonly path: string;
  readonly line: number;
  /** What is written there, and what would be right. */
  readonly comment: string;
}

interface Habit {
  readonly name: string;
  readonly comment: string;
  /** Files that the habit holds for. */
  readonly holds: (path: string) => boolean;
  /** What is wrong with this node, as it is written; undefined when nothing is. */
  readonly slip: (node: SyntaxNode) => string | undefined;
}

const product = (path: string) => /^(protocol|hardware|models|agent|cloud)\//.test(path);
const page = (path: string) => path.startsWith('cloud/web/');

function nameOf(node: unknown): string | undefined {
  const { type, name } = (node ?? {}) as { type?: string; name?: string };
  return type === 'Identifier' ? name : undefined;
}

// `object.property`, also written as object['property'] or object?.property.
function memberOf(node: SyntaxNode): string | undefined {
  if (node.type !== 'MemberExpression') return undefined;
  const inner = node.object as SyntaxNode;
  const object = nameOf(inner) ?? (inner.type === 'MemberExpression' ? nameOf(inner.property) : undefined);
  const property = node.computed ? literalText(node.property) : nameOf(node.property);
  return object !== undefined && property !== undefined ? `${object}.${property}` : undefined;
}

// `const { env } = process` and `import { env } from 'node:process'` read as much as `process.env` does.
function takenOut(node: SyntaxNode, object: string, module: string, names: readonly string[]): string | undefined {
  const keys =
    node.type === 'VariableDeclarator' && nameOf(node.init) === object
      ? ((node.id as { properties?: { key?: unknown }[] }).properties ?? []).map(({ key }) => nameOf(key))
      : node.type === 'ImportDeclaration' && literalText(node.source)?.replace(/^node:/, '') === module
        ? (node.specifiers as { imported?: unknown }[]).map(({ imported }) => nameOf(imported))
        : [];
  const found = keys.find((key) => key !== undefined && names.includes(key));
  return found === undefined ? undefined : `${object}.${found}`;
}

const CLOCK_READS = ['Date.now', 'performance.now', 'performance.timeOrigin', 'process.hrtime', 'process.uptime'];
const SQL =
  /^\s*(select\s[\s\S]+\sfrom\s|insert\s+(or\s+\w+\s+)?into\s|update\s+\w+\s+set\s|delete\s+from\s|create\s+(unique\s+)?(table|index|trigger|view)\s|alter\s+table\s|drop\s+(table|index)\s|pragma\s+\w+)/i;

const HABITS: readonly Habit[] = [
  {
    name: 'environment-in-config',
    comment: 'only config.ts files and scripts/ read the environment: take what you need as a dependency',
    holds: (path) => product(path) && !/(^|\/)(config|vite\.config)\.ts$/.test(path),
    slip: (node) => (memberOf(node) === 'process.env' ? 'process.env' : takenOut(node, 'process', 'process', ['env'])),
  },
  {
    name: 'time-in-clock',
    comment: 'only agent/clock.ts and cloud/clock.ts read the clock: take a Clock (protocol/time.ts) or an Instant',
    holds: (path) => product(path) && !page(path) && path !== 'agent/clock.ts' && path !== 'cloud/clock.ts',
    slip: (node) => {
      const member = memberOf(node);
      if (member !== undefined && CLOCK_READS.includes(member)) return member;
      if (node.type === 'NewExpression' && nameOf(node.callee) === 'Date' && (node.arguments as []).length === 0)
        return 'new Date()';
      if (node.type === 'CallExpression' && nameOf(node.callee) === 'Date') return 'Date()';
      return (
        takenOut(node, 'performance', 'perf_hooks', ['performance', 'now']) ??
        takenOut(node, 'process', 'process', ['hrtime', 'uptime']) ??
        takenOut(node, 'Date', '', ['now'])
      );
    },
  },
  {
    name: 'sql-in-store',
    comment: 'SQL stands in store/ folders only',
    holds: (path) => (product(path) || path.startsWith('scripts/')) && !path.includes('/store/'),
    slip: (node) => {
      const quasis = node.type === 'TemplateLiteral' ? (node.quasis as { value: { cooked: string } }[]) : [];
      const text = literalText(node) ?? quasis.map(({ value }) => value.cooked).join(' ');
      return SQL.test(text) ? text.trim().split('\n')[0]?.slice(0, 60) : undefined;
    },
  },
  {
    name: 'errors-of-the-house',
    comment: 'errors come from protocol/errors.ts, with a kind and a stable code',
    holds: (path) => product(path) && !page(path) && !path.endsWith('.mjs'),
    slip: (node) => {
      if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return undefined;
      const name = nameOf(node.callee);
      return name === 'Error' || name === 'TypeError' || name === 'RangeError' ? `${name}(…)` : undefined;
    },
  },
  {
    name: 'imports-in-sight',
    comment: 'an import whose name is computed hides from the import rule',
    holds: product,
    slip: (node) =>
      node.type === 'ImportExpression' && literalText(node.source) === undefined ? 'import(…)' : undefined,
  },
];

/** Every slip of habit in the given files. */
export function findSlips(files: readonly SourceFile[]): Slip[] {
  const slips: Slip[] = [];
  for (const { path, text, program } of files) {
    const habits = HABITS.filter(({ holds }) => holds(path));
    if (habits.length === 0) continue;
    walkSyntax(program, (node) => {
      for (const { name, comment, slip } of habits) {
        const written = slip(node);
        if (written !== undefined)
          slips.push({ habit: name, path, line: lineOf(text, node.start), comment: `${written}: ${comment}` });
      }
    });
  }
  return slips;
}

if (import.meta.main) {
  const files = readTree(fileURLToPath(new URL('../..', import.meta.url)));
  const slips = findSlips(files);
  for (const { habit, path, line, comment } of slips) console.error(`${path}:${line} ${habit}: ${comment}`);
  if (slips.length === 0) console.log(`${files.length} files read, every habit kept`);
  process.exitCode = slips.length === 0 && files.length > 0 ? 0 : 1;
}
