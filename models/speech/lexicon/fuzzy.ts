/** Second pass of the lexicon: patterns aligned with running speech that a recogniser has garbled (Sellers, 1980), one column per unit. */

/** A pattern unit that was not heard, and a heard unit that is in no pattern. */
const DELETION = 0.8;
const INSERTION = 0.5;

/** In place of an open match's cost: it was told, and its tail must leave the limit before the pattern can match again. */
const TOLD = -1;

export interface FuzzyPattern {
  readonly units: readonly string[];
  /** Highest total cost that is a match. */
  readonly limit: number;
}

/** Units count from the first one pushed; both ends belong to the match. */
export interface FuzzyMatch {
  readonly pattern: number;
  readonly cost: number;
  readonly begin: number;
  readonly end: number;
}

export interface FuzzyMatcher {
  push(unit: string): FuzzyMatch[];
}

/**
 * Flat arrays, costs looked up (and computed once per unit that is heard for the first time), and of each pattern only the
 * rows that can still end within its limit (Ukkonen's cut-off): most patterns cost two or three additions per unit. A
 * match is told when its cost no longer falls: one unit after its end, at once where it is exact.
 */
export function createFuzzy(patterns: readonly FuzzyPattern[], cost: (a: string, b: string) => number): FuzzyMatcher {
  const units = [...new Set(patterns.flatMap((pattern) => pattern.units))];
  const idOf = new Map(units.map((unit, index) => [unit, index]));
  const starts = new Int32Array(patterns.length + 1);
  const limits = Float32Array.from(patterns, (pattern) => pattern.limit);
  patterns.forEach((pattern, p) => {
    starts[p + 1] = starts[p]! + pattern.units.length;
  });
  const ids = Int32Array.from(patterns.flatMap((pattern) => pattern.units.map((unit) => idOf.get(unit)!)));
  const column = new Float32Array(ids.length);
  const begins = new Int32Array(ids.length);
  /** Behind the last row of each pattern that is within its limit. */
  const active = new Int32Array(patterns.length);
  const openCost = new Float32Array(patterns.length).fill(Number.POSITIVE_INFINITY);
  const openBegin = new Int32Array(patterns.length);
  const openEnd = new Int32Array(patterns.length);
  const rows = new Map<string, Float32Array>();
  let position = -1;

  for (let p = 0; p < patterns.length; p++) {
    active[p] = starts[p]!;
    for (let i = starts[p]!, n = 1; i < starts[p + 1]! && n * DELETION <= limits[p]!; i++, n++) {
      column[i] = n * DELETION;
      active[p] = i + 1;
    }
  }

  const rowOf = (unit: string): Float32Array => {
    let row = rows.get(unit);
    if (!row) {
      row = Float32Array.from(units, (other) => cost(unit, other));
      // A recogniser's vocabulary is a few hundred units; words may be more.
      if (rows.size >= 5000) rows.clear();
      rows.set(unit, row);
    }
    return row;
  };

  return {
    push(unit) {
      position++;
      const row = rowOf(unit);
      const found: FuzzyMatch[] = [];
      const tell = (p: number) => {
        found.push({ pattern: p, cost: openCost[p]!, begin: openBegin[p]!, end: openEnd[p]! });
        openCost[p] = TOLD;
      };
      for (let p = 0; p < patterns.length; p++) {
        const to = starts[p + 1]!;
        const known = active[p]!;
        const limit = limits[p]!;
        // A match may begin at any unit for nothing: above the first row the cost is 0 in every column.
        let diagonal = 0;
        let diagonalBegin = position;
        let above = 0;
        let aboveBegin = position + 1;
        let last = starts[p]!;
        let i = starts[p]!;
        for (; i < to && (i <= known || above + DELETION <= limit); i++) {
          const left = i < known ? column[i]! : Number.POSITIVE_INFINITY;
          const leftBegin = begins[i]!;
          let best = diagonal + row[ids[i]!]!;
          let begin = diagonalBegin;
          if (left + INSERTION < best) {
            best = left + INSERTION;
            begin = leftBegin;
          }
          if (above + DELETION < best) {
            best = above + DELETION;
            begin = aboveBegin;
          }
          column[i] = best;
          begins[i] = begin;
          if (best <= limit) last = i + 1;
          diagonal = left;
          diagonalBegin = leftBegin;
          above = best;
          aboveBegin = begin;
        }
        active[p] = last;
        if (last === to && i === to && above < openCost[p]!) {
          openCost[p] = above;
          openBegin[p] = aboveBegin;
          openEnd[p] = position;
          if (above === 0) tell(p);
        } else if (openCost[p]! >= 0 && openCost[p]! < Number.POSITIVE_INFINITY) tell(p);
        if (last < to) openCost[p] = Number.POSITIVE_INFINITY;
      }
      return found;
    },
  };
}
