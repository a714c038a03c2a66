/** The cloud's log: pino, JSON on a pipe and pretty on a terminal; credentials are removed by name. */
import { type Logger, pino } from 'pino';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Human-readable lines instead of JSON. */
  readonly pretty: boolean;
}

/** Names under which a secret could reach a log line by mistake. */
const REDACTED = ['password', 'secret', 'token', 'authorization', 'cookie', 'note', 'transcript'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/** A root logger; parts get children with `part`. */
export function createLog(options: LogOptions): Logger {
  return pino({
    level: options.level,
    redact: { paths: REDACTED, censor: '[removed]' },
    ...(options.pretty ? { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } } : {}),
  });
}
