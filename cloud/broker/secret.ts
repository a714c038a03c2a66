/** Secrets of devices: made here, shown once, kept as a hash in Mosquitto's own format so that one hash serves MQTT and HTTP. */
import { pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidInput } from '../../protocol/errors.ts';
import { makeFolder } from '../folder.ts';

// The secret is 256 random bits, so the iterations need not slow a guesser down; 101 is Mosquitto's default.
const ITERATIONS = 101;
const HASH = /^\$7\$(\d{1,7})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;

/** 43 letters, digits, `-` and `_`. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** `$7$iterations$salt$hash`: PBKDF2 with SHA-512. */
export function hashSecret(secret: string): string {
  const salt = randomBytes(12);
  const hash = pbkdf2Sync(secret, salt, ITERATIONS, 64, 'sha512');
  return `$7$${ITERATIONS}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** In constant time with respect to the secret. */
export function secretMatches(secret: string, stored: string): boolean {
  const [, iterations, salt, hash] = HASH.exec(stored) ?? [];
  if (!iterations || !salt || !hash) return false;
  const expected = Buffer.from(hash, 'base64');
  const found = pbkdf2Sync(secret, Buffer.from(salt, 'base64'), Number(iterations), expected.length, 'sha512');
  return timingSafeEqual(found, expected);
}

/** The secret in a file that several processes of the cloud read; made when absent. Throws InvalidInput `secret_file`. */
export function sharedSecret(path: string): string {
  try {
    makeFolder(dirname(path), 'the file of this secret');
    writeFileSync(path, `${newSecret()}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new InvalidInput('secret_file', `making the secret ${path}: ${(cause as Error).message}`, cause);
  }
  const secret = readFileSync(path, 'utf8').trim();
  if (!/^[A-Za-z0-9_-]{20,128}$/.test(secret))
    throw new InvalidInput(
      'secret_file',
      `reading the secret ${path}: it must be one line of 20 or more letters, digits, - or _`,
    );
  return secret;
}
