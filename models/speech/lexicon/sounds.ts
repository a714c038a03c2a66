/** How alike two units of speech are to an ear: toneless Mandarin syllables by initial and final, English words by their stems. */

const INITIALS = ['zh', 'ch', 'sh', ...'bpmfdtnlgkhjqxrzcsyw'];

const pairs = (text: string) => text.split(' ').map((pair) => pair.split('/') as [string, string]);
/** Merged in many people's Mandarin. */
const MERGED = {
  initials: pairs('zh/z ch/c sh/s n/l h/f r/l'),
  finals: pairs('an/ang en/eng in/ing ian/iang uan/uang'),
};
/** Told apart by speakers, mixed up by recognisers. */
const MISHEARD = {
  initials: pairs('j/q q/x j/zh x/sh b/p d/t g/k z/c'),
  finals: pairs('ou/uo e/o ong/eng ui/ei ai/ei uo/o ian/an ia/a ie/ian un/en iu/ou i/ie'),
};
const PAIR = 0.25;
const OTHER = 0.6;

const has = (list: readonly (readonly [string, string])[], a: string, b: string) =>
  list.some(([x, y]) => (a === x && b === y) || (a === y && b === x));

/** Initial and final of a toneless syllable; the initial may be empty. */
export function splitSyllable(syllable: string): readonly [string, string] {
  const initial = INITIALS.find((start) => syllable.startsWith(start) && syllable.length > start.length) ?? '';
  return [initial, syllable.slice(initial.length)];
}

/** 0 for the same, about a quarter for each part of a usual confusion, up to 1 for nothing in common. */
export function syllableCost(a: string, b: string): number {
  if (a === b) return 0;
  const [initialA, finalA] = splitSyllable(a);
  const [initialB, finalB] = splitSyllable(b);
  const part = (x: string, y: string, kind: 'initials' | 'finals') =>
    x === y ? 0 : has(MERGED[kind], x, y) || has(MISHEARD[kind], x, y) ? PAIR : OTHER;
  return Math.min(1, part(initialA, initialB, 'initials') + part(finalA, finalB, 'finals'));
}

/** Parts (initial, final) in which two syllables differ by nothing but what many speakers merge; undefined: they differ by more. */
export function mergedParts(a: string, b: string): number | undefined {
  const [initialA, finalA] = splitSyllable(a);
  const [initialB, finalB] = splitSyllable(b);
  if (initialA !== initialB && !has(MERGED.initials, initialA, initialB)) return undefined;
  if (finalA !== finalB && !has(MERGED.finals, finalA, finalB)) return undefined;
  return Number(initialA !== initialB) + Number(finalA !== finalB);
}

/** What usual confusions make of a syllable, for simulating a recogniser: one part exchanged for its pair. */
export function confusionsOf(syllable: string): string[] {
  const [initial, final] = splitSyllable(syllable);
  const other = (list: readonly (readonly [string, string])[], part: string) =>
    list.flatMap(([x, y]) => (x === part ? [y] : y === part ? [x] : []));
  const initials = [MERGED, MISHEARD].flatMap((set) => other(set.initials, initial)).map((start) => start + final);
  const finals = [MERGED, MISHEARD].flatMap((set) => other(set.finals, final)).map((end) => initial + end);
  return [...initials, ...finals];
}

/** A word without its commonest endings, in lower case: `scores`, `scored` and `scoring` are one. */
export function stemOf(word: string): string {
  const plain = word.toLowerCase().replace(/[^a-z0-9]/g, '');
  const stem = plain.replace(/(ings?|ed|es|s)$/, '');
  return stem.length >= 3 ? stem.replace(/e$/, '').replace(/(.)\1$/, '$1') : plain;
}

/** Edit distance of two stems by their longer length, 0..1. */
export function stemCost(a: string, b: string): number {
  if (a === b) return 0;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1), row[j]! + 1, next[j - 1]! + 1));
    row = next;
  }
  return Math.min(1, (1.5 * row[b.length]!) / Math.max(a.length, b.length));
}
