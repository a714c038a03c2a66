/** Reads the source files of the tree for the house's own checks: which files there are, their syntax trees, their imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, parseSync } from 'oxc-parser';

const SOURCE = /\.(ts|tsx|mts|cts|js|jsx|mjs|cjs)$/;
const NO_SOURCE = new Set(['node_modules', 'dist', 'coverage']);

/** A node of the syntax tree, as far as a general walk needs it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** One import: `specifier` as it is written, `typeOnly` when nothing of it is left at run time. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface SourceFile {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly imports: readonly Import[];
  /** Set when the parser gave up on it: then nothing else here is to be trusted. */
  readonly syntaxError?: string;
}

/** Every source file below `root`, sorted; folders whose name begins with a dot, dependencies and built pages are left out. */
export function sourceFiles(root: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!entry.name.startsWith('.') && !NO_SOURCE.has(entry.name)) walk(path);
      } else if (SOURCE.test(entry.name)) found.push(path);
    }
  };
  walk('');
  return found.sort();
}

/** Calls `visit` for every node of the tree below `node`, parents first. */
export function walkSyntax(node: unknown, visit: (node: SyntaxNode) => void): void {
  if (Array.isArray(node)) {
    for (const item of node) walkSyntax(item, visit);
  } else if (node !== null && typeof node === 'object') {
    if ('type' in node && typeof node.type === 'string') visit(node as SyntaxNode);
    for (const value of Object.values(node)) if (value !== null && typeof value === 'object') walkSyntax(value, visit);
  }
}

/** The text of a string literal or of a template without holes, else undefined. */
export function literalText(node: unknown): string | undefined {
  const { type, value, quasis } = (node ?? {}) as {
    type?: string;
    value?: unknown;
    quasis?: { value: { cooked: string } }[];
  };
  if (type === 'Literal' && typeof value === 'string') return value;
  if (type === 'TemplateLiteral' && quasis?.length === 1) return quasis[0]!.value.cooked;
  return undefined;
}

/** Line number of an offset, from 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i !== -1 && i < offset; i = text.indexOf('\n', i + 1)) line++;
  return line;
}

function onlyTypes(specifiers: unknown, kindKey: 'importKind' | 'exportKind'): boolean {
  return (
    Array.isArray(specifiers) && specifiers.length > 0 && specifiers.every((specifier) => specifier[kindKey] === 'type')
  );
}

// The specifier's node and whether it vanishes at run time, for each kind of node that names another module.
function importedBy(node: SyntaxNode): { readonly source: unknown; readonly typeOnly: boolean } | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
      return {
        source: node.source,
        typeOnly: node.importKind === 'type' || onlyTypes(node.specifiers, 'importKind'),
      };
    case 'ExportNamedDeclaration':
      return {
        source: node.source,
        typeOnly: node.exportKind === 'type' || onlyTypes(node.specifiers, 'exportKind'),
      };
    case 'ExportAllDeclaration':
      return { source: node.source, typeOnly: node.exportKind === 'type' };
    case 'ImportExpression':
      return { source: node.source, typeOnly: false };
    case 'TSImportType':
      return { source: node.source, typeOnly: true };
    case 'TSExternalModuleReference':
      return { source: node.expression, typeOnly: false };
    case 'CallExpression': {
      const callee = node.callee as SyntaxNode;
      const named = callee.type === 'Identifier' && callee.name === 'require';
      return named ? { source: (node.arguments as unknown[])[0], typeOnly: false } : undefined;
    }
    case 'NewExpression': {
      // `new URL('./worker.ts', import.meta.url)` starts a file as surely as an import does.
      const callee = node.callee as SyntaxNode;
      const [first, second] = node.arguments as SyntaxNode[];
      const besideThis =
        callee.type === 'Identifier' &&
        callee.name === 'URL' &&
        second?.type === 'MemberExpression' &&
        (second.object as SyntaxNode).type === 'MetaProperty' &&
        SOURCE.test(literalText(first) ?? '');
      return besideThis ? { source: first, typeOnly: false } : undefined;
    }
    default:
      return undefined;
  }
}

/** Parses the text of one file. */
export function parseSource(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text);
  const imports: Import[] = [];
  walkSyntax(program, (node) => {
    const found = importedBy(node);
    const specifier = literalText(found?.source);
    if (found !== undefined && specifier !== undefined)
      imports.push({ specifier, typeOnly: found.typeOnly, line: lineOf(text, node.start) });
  });
  const [error] = errors;
  return { path, text, program, imports, ...(error ? { syntaxError: error.message } : {}) };
}

/** Parses every source file below `root`. */
export function readTree(root: string): SourceFile[] {
  return sourceFiles(root).map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}
