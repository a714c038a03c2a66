/** Types of web.mjs for the parts that are TypeScript. */
export function sourcesHash(root?: string): string;
export function webReason(root?: string): string | undefined;
