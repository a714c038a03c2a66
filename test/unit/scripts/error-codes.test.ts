import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { codesOnPage, codesTable, findCodes } from '../../../scripts/house/error-codes.ts';
import { parseSource, readTree } from '../../../scripts/house/source.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

describe('docs/errors.md', () => {
  const page = readFileSync(`${ROOT}/docs/errors.md`, 'utf8');
  const { codes, unnamed } = findCodes(readTree(ROOT));

  it('lists every code of the source and no other (node scripts/house/error-codes.ts writes it)', () => {
    expect([...codesOnPage(page)].sort()).toEqual([...new Set(codes.map(({ code }) => code))].sort());
  });

  it('can name every code, because each is a literal in snake_case', () => {
    expect(unnamed).toEqual([]);
  });
});

describe('findCodes', () => {
  const read = (text: string) => findCodes([parseSource('agent/a.ts', text)]);

  it('takes the words with a mark for what is filled in', () => {
    expect(read(`throw new Full('outbox_full', \`\${n} events wait: \` + 'nothing is dropped', cause);`).codes).toEqual(
      [{ code: 'outbox_full', kind: 'Full', message: '… events wait: nothing is dropped', path: 'agent/a.ts' }],
    );
  });

  it('takes both sides of a choice', () => {
    expect(read(`new Corrupt(cut ? 'cut_off' : 'changed', 'x');`).codes.map(({ code }) => code)).toEqual([
      'changed',
      'cut_off',
    ]);
  });

  it('reports a code that is computed or badly written', () => {
    expect(read(`new Bug(codeFor(1), 'x'); new Bug('NotSnake', 'x');`).unnamed).toHaveLength(2);
    expect(read(`new Bug(code, 'x');`).unnamed).toEqual([]);
  });
});

describe('codesTable', () => {
  it('has one row for a code that several places use', () => {
    const row = { code: 'a_b', kind: 'Bug', message: 'one | two', path: 'agent/a.ts' };
    expect(
      codesTable([row, { ...row, path: 'cloud/b.ts' }])
        .split('\n')
        .slice(2),
    ).toEqual(['| `a_b` | Bug | one \\| two | `agent/a.ts`<br>`cloud/b.ts` |']);
  });
});
