/** docs/errors.md: every stable code that the source can throw, read out of the source, so that the page cannot go stale unseen. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERROR_KINDS } from '../../protocol/errors.ts';
import { literalText, readTree, type SourceFile, type SyntaxNode, walkSyntax } from './source.ts';

export interface ErrorCode {
  readonly code: string;
  readonly kind: string;
  /** The message as it stands in the source, with `…` for what is filled in. */
  readonly message: string;
  readonly path: string;
}

const CODE = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const PAGE = 'docs/errors.md';
const BEGIN = '<!-- codes: written by `node scripts/house/error-codes.ts`, do not edit below -->';

/** Reads every `new Kind('code', message)` outside test/. `unnamed` lists those whose code is not a literal in snake_case. */
export function findCodes(files: readonly SourceFile[]): { readonly codes: ErrorCode[]; readonly unnamed: string[] } {
  const codes: ErrorCode[] = [];
  const unnamed: string[] = [];
  for (const { path, program } of files.filter((file) => !file.path.startsWith('test/'))) {
    walkSyntax(program, (node) => {
      if (node.type !== 'NewExpression') return;
      const kind = (node.callee as { name?: string }).name ?? '';
      if (!(ERROR_KINDS as readonly string[]).includes(kind)) return;
      const [first, second] = node.arguments as SyntaxNode[];
      const names = codesOf(first);
      if (names.some((name) => !CODE.test(name)) || (names.length === 0 && !isPassedOn(first)))
        unnamed.push(`${path}: new ${kind}(…)`);
      for (const code of names) codes.push({ code, kind, message: messageOf(second), path });
    });
  }
  return { codes: codes.sort((a, b) => compare(a.code, b.code) || compare(a.path, b.path)), unnamed };
}

// An error that crosses a thread or a wire is made again from its `code`; where it was made first, it is named.
function isPassedOn(node: SyntaxNode | undefined): boolean {
  const inner = (node?.type === 'ChainExpression' ? node.expression : node) as SyntaxNode | undefined;
  const name = inner?.type === 'MemberExpression' ? (inner.property as SyntaxNode) : inner;
  return name?.type === 'Identifier' && name.name === 'code';
}

// A literal, or a choice between literals.
function codesOf(node: SyntaxNode | undefined): string[] {
  if (node?.type === 'ConditionalExpression')
    return [...codesOf(node.consequent as SyntaxNode), ...codesOf(node.alternate as SyntaxNode)];
  if (node?.type === 'LogicalExpression') return [node.left, node.right].flatMap((side) => codesOf(side as SyntaxNode));
  const text = literalText(node);
  return text === undefined ? [] : [text];
}

function messageOf(node: SyntaxNode | undefined): string {
  if (node === undefined) return '';
  if (node.type === 'TemplateLiteral')
    return (node.quasis as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('…');
  if (node.type === 'BinaryExpression') return messageOf(node.left as SyntaxNode) + messageOf(node.right as SyntaxNode);
  return literalText(node) ?? '…';
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The table of the page: one row for each code, with the kinds, the words and the files that use it. */
export function codesTable(codes: readonly ErrorCode[]): string {
  const rows = new Map<string, ErrorCode[]>();
  for (const found of codes) rows.set(found.code, [...(rows.get(found.code) ?? []), found]);
  const join = (values: string[], between: string) => [...new Set(values)].join(between);
  const lines = [...rows].map(([code, found]) => {
    const kinds = join(
      found.map(({ kind }) => kind),
      ', ',
    );
    const words = join(
      found.map(({ message }) => plain(message)),
      '<br>',
    );
    const paths = join(
      found.map(({ path }) => `\`${path}\``),
      '<br>',
    );
    return `| \`${code}\` | ${kinds} | ${words} | ${paths} |`;
  });
  return ['| code | kind | words | where |', '|---|---|---|---|', ...lines].join('\n');
}

function plain(message: string): string {
  return message.replace(/\s+/g, ' ').replace(/…(…)+/g, '…').replaceAll('|', '\\|').replaceAll('<', '&lt;').trim();
}

/** Codes that stand on the page. */
export function codesOnPage(page: string): Set<string> {
  return new Set([...page.slice(page.indexOf(BEGIN)).matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, code]) => code!));
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const file = join(root, PAGE);
  const page = readFileSync(file, 'utf8');
  const { codes, unnamed } = findCodes(readTree(root));
  writeFileSync(file, `${page.slice(0, page.indexOf(BEGIN))}${BEGIN}\n\n${codesTable(codes)}\n`);
  for (const line of unnamed) console.error(`${line} has no literal code in snake_case`);
  console.log(`${codesOnPage(readFileSync(file, 'utf8')).size} codes in ${PAGE}`);
  process.exitCode = unnamed.length === 0 ? 0 : 1;
}
