/** Percentiles and tables of the benchmarks. */

/** The smallest value that at least `share` of the values do not exceed; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** Whole numbers for reading and for JSON; null where nothing was measured. */
export function rounded(value: number, digits = 0): number | null {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}

/** Percentile of every sum of one value of each list: two delays that do not depend on each other, one after the other. */
export function sumPercentile(first: readonly number[], second: readonly number[], share: number): number {
  return percentile(
    first.flatMap((a) => second.map((b) => a + b)),
    share,
  );
}
