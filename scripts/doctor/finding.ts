/** One line of the doctor's report, and how the report is printed. */
import { styleText } from 'node:util';
import { EvalroomError } from '../../protocol/errors.ts';

/** `attention`: works, but less well than it could, or not for long. `broken`: does not work. */
export type State = 'ok' | 'attention' | 'broken';

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly part: string;
  readonly state: State;
  readonly found: string;
  /** What to do about it; absent when all is well. */
  readonly todo?: string;
}

/** All is well. */
export function ok(part: string, found: string): Finding {
  return { part, state: 'ok', found };
}

/** Works, but: `todo` says how it gets better. */
export function attention(part: string, found: string, todo: string): Finding {
  return { part, state: 'attention', found, todo };
}

/** Does not work: `todo` says how it will. */
export function broken(part: string, found: string, todo: string): Finding {
  return { part, state: 'broken', found, todo };
}

/** What an error says, without the words of a stack. */
export function wordsOf(error: unknown): string {
  if (error instanceof EvalroomError || error instanceof Error) return error.message;
  return String(error);
}

/** Runs one look; an error in it is a finding too, so that the others are still made. */
export async function look(part: string, make: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await make();
  } catch (error) {
    // An error of ours says what to do in its own words; anything else was not foreseen.
    const foreseen = error instanceof EvalroomError && error.kind !== 'Bug';
    return [
      broken(
        part,
        wordsOf(error),
        foreseen ? `${error.code} in docs/errors.md` : 'this was not foreseen, a fault of evalroom: please report it',
      ),
    ];
  }
}

const COLOURS = { ok: 'green', attention: 'yellow', broken: 'red' } as const;

/** Prints the table, or one JSON object, and returns the exit code. */
export function printFindings(findings: readonly Finding[], json: boolean): number {
  const count = (state: State) => findings.filter((finding) => finding.state === state).length;
  const totals = { broken: count('broken'), attention: count('attention') };
  if (json) console.log(JSON.stringify({ findings, ...totals }));
  else {
    const width = Math.max(...findings.map(({ part }) => part.length));
    for (const { part, state, found, todo } of findings) {
      console.log(`${styleText(COLOURS[state], state.padEnd(9))}  ${part.padEnd(width)}  ${found}`);
      if (todo) console.log(`${' '.repeat(13 + width)}${todo}`);
    }
    console.log(`\n${totals.broken} broken, ${totals.attention} to look at, ${count('ok')} fine`);
  }
  return totals.broken > 0 ? 1 : 0;
}
