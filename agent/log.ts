/** Beside the path: makes the one logger that main.ts hands to every part; JSON, or pretty on a terminal, credentials removed. */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

const CREDENTIALS_IN_URL = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'\\]+(?:@[^\s/@"'\\]+)*@/gi;
const AUTHORIZATION = /\b(Device|Basic|Bearer|Digest) [^\s"'\\]{4,}/g;

/** The same text without user and password of any URL and without the value of an Authorization header. */
export function withoutCredentials(text: string): string {
  return text.replace(CREDENTIALS_IN_URL, '$1***@').replace(AUTHORIZATION, '$1 ***');
}

export interface LogOptions {
  readonly name: string;
  /** pino's level word; default `info`. */
  readonly level?: string;
  /** Where lines go; default standard output, pretty when that is a terminal. */
  readonly destination?: { write(line: string): unknown };
}

/** A logger whose every line passes `withoutCredentials`; fields named like secrets are cut out besides. */
export function createLog({ name, level = 'info', destination }: LogOptions): Logger {
  const options = {
    name,
    level,
    redact: {
      paths: ['password', 'secret', 'token', 'authorization', '*.password', '*.secret', '*.token', '*.authorization'],
      censor: '***',
    },
    hooks: { streamWrite: withoutCredentials },
  };
  if (destination) return pino(options, { write: (line: string) => void destination.write(line) });
  if (process.stdout.isTTY) return pino(options, pretty({ sync: true, ignore: 'pid,hostname' }));
  return pino(options);
}
