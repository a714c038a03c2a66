/** The taxonomy of errors that every part of evalroom throws or returns: kinds decide what happens next, text is for people. */

export const ERROR_KINDS = ['InvalidInput', 'Unavailable', 'Full', 'Corrupt', 'Forbidden', 'Bug'] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/**
 * The base of the tree. `message` says what was being done, with ids, and where it helps what to do next.
 * `code` is stable and listed in docs/errors.md; match on `kind` or `code`, never on the text.
 */
export abstract class EvalroomError extends Error {
  abstract readonly kind: ErrorKind;
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.name = new.target.name;
  }
}

/** The caller's fault: tell them what is wrong, where, and what would be right. Retrying does not help. */
export class InvalidInput extends EvalroomError {
  readonly kind = 'InvalidInput';
}

/** Something outside did not answer or is not there yet: retry with back-off. */
export class Unavailable extends EvalroomError {
  readonly kind = 'Unavailable';
}

/** A bound was reached (queue, quota, disk): stop accepting and say so; nothing accepted is dropped. */
export class Full extends EvalroomError {
  readonly kind = 'Full';
  /** When it is worth another try, ms from now; undefined where that is not known. */
  readonly waitMs: number | undefined;

  constructor(code: string, message: string, cause?: unknown, waitMs?: number) {
    super(code, message, cause);
    this.waitMs = waitMs;
  }
}

/** Stored bytes are not what was written: stop using them, keep them for inspection. */
export class Corrupt extends EvalroomError {
  readonly kind = 'Corrupt';
}

/** Known who asks, and they may not. */
export class Forbidden extends EvalroomError {
  readonly kind = 'Forbidden';
}

/** An invariant of ours broke: crash the task, never guess on. */
export class Bug extends EvalroomError {
  readonly kind = 'Bug';
}

/** True for errors that a retry may cure. */
export function isRetryable(error: unknown): boolean {
  return error instanceof Unavailable || error instanceof Full;
}
