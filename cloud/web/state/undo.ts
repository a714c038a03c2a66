/** What was, what is, what was taken back: undo and redo over whole drafts, which share what did not change. Pure. */

export interface Undo<T> {
  readonly past: readonly T[];
  readonly now: T;
  readonly future: readonly T[];
}

const MOST = 100;

export const begun = <T>(now: T): Undo<T> => ({ past: [], now, future: [] });

/** One step further; the same value is no step. */
export function done<T>(undo: Undo<T>, next: T): Undo<T> {
  if (next === undo.now) return undo;
  return { past: [...undo.past, undo.now].slice(-MOST), now: next, future: [] };
}

export function undone<T>(undo: Undo<T>): Undo<T> {
  const before = undo.past.at(-1);
  if (before === undefined) return undo;
  return { past: undo.past.slice(0, -1), now: before, future: [undo.now, ...undo.future] };
}

export function redone<T>(undo: Undo<T>): Undo<T> {
  const [next, ...rest] = undo.future;
  if (next === undefined) return undo;
  return { past: [...undo.past, undo.now], now: next, future: rest };
}
