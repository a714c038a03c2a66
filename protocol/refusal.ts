/** Beside schema.ts: why bytes are refused, and what is looked at before their shape: size, UTF-8, JSON, depth, text, numbers. */

/** Stable words for why bytes were refused; they are stored with rejected rows. */
export const REFUSALS = [
  'too_large',
  'not_utf8',
  'not_json',
  'too_deep',
  'bad_text', // U+0000 or half a surrogate pair: a database refuses what JSON allows
  'bad_shape',
  'bad_seq',
  'wrong_room',
  'wrong_stream',
  'wrong_lane',
  'duplicate_event',
] as const;
export type RefusalCode = (typeof REFUSALS)[number];

export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  /** For people and for the rejected row: where and what, at most 300 characters, never a copy of the content. */
  readonly reason: string;
}

/** Deepest nesting that any of our types needs is 9. */
const MAX_DEPTH = 16;

/** Code and reason in the shape of every refusal. */
export const refuse = (code: RefusalCode, reason: string): Refusal => ({
  ok: false,
  code,
  reason: reason.slice(0, 300),
});

interface Unfit {
  readonly code: RefusalCode;
  readonly reason: string;
}
const BAD_TEXT: Unfit = { code: 'bad_text', reason: 'a text holds U+0000 or half a surrogate pair' };
const NOT_FINITE: Unfit = { code: 'bad_shape', reason: 'a number is not finite' };
const TOO_DEEP: Unfit = { code: 'too_deep', reason: `nested deeper than ${MAX_DEPTH}` };

/**
 * What makes a tree unfit for JSON and for a database: nesting deeper than 16, U+0000, half surrogates, numbers that
 * JSON cannot carry. Undefined when it is fit. It goes no deeper than that, so that no depth can overflow the stack, and
 * makes nothing: every event passes here, in the room and in the cloud.
 */
export function unfitness(tree: unknown, depth = 0): Unfit | undefined {
  if (typeof tree === 'string') return isBadText(tree) ? BAD_TEXT : undefined;
  if (typeof tree === 'number') return Number.isFinite(tree) ? undefined : NOT_FINITE;
  if (typeof tree !== 'object' || tree === null) return undefined;
  if (depth >= MAX_DEPTH) return TOO_DEEP;
  if (Array.isArray(tree)) {
    for (const item of tree) {
      const unfit = unfitness(item, depth + 1);
      if (unfit) return unfit;
    }
    return undefined;
  }
  for (const key in tree) {
    if (isBadText(key)) return BAD_TEXT;
    const unfit = unfitness((tree as Record<string, unknown>)[key], depth + 1);
    if (unfit) return unfit;
  }
  return undefined;
}
const isBadText = (text: string): boolean => text.includes('\u0000') || !text.isWellFormed();

/** Path and complaint of the first thing wrong in what zod found; its messages name types and bounds, not content. */
export function firstIssue(error: {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}): string {
  const issue = error.issues[0];
  return issue ? `${issue.path.join('.') || 'payload'}: ${issue.message}` : 'unknown shape';
}

/** Bounded bytes as JSON, or why not. */
export function parseJson(bytes: Uint8Array, maxBytes: number): { ok: true; value: unknown } | Refusal {
  if (bytes.length > maxBytes) return refuse('too_large', `${bytes.length} bytes, at most ${maxBytes}`);
  let content: string;
  try {
    content = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('not_utf8', 'the payload is not UTF-8');
  }
  try {
    return { ok: true, value: JSON.parse(content) };
  } catch {
    return refuse('not_json', 'the payload is not JSON');
  }
}
