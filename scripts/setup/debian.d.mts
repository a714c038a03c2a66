/** Types of debian.mjs for the parts that are TypeScript. */
export const RUN_PACKAGES: readonly string[];
export const TEST_PACKAGES: readonly string[];
export function installedIn(statusText: string): Set<string>;
export function missingPackages(wanted: readonly string[], statusFile?: string): string[] | undefined;
export function aptLine(names: readonly string[]): string;
