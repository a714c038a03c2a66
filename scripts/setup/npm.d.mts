/** Types of npm.mjs for the parts that are TypeScript. */
export function npmReason(root?: string): string | undefined;
