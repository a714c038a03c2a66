/** Passwords of people by scrypt, tokens and cookies as SHA-256 of random bytes. */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { InvalidInput } from '../../protocol/errors.ts';
import { PASSWORD_MAX, PASSWORD_MIN, PERSON_NAME_MAX } from '../http/people-api.ts';

/** What stands in the log where no person does it: nobody may be called so, or who did something could not be told. */
const RESERVED = /^(cloud|console|unknown|many|(device|claims|room):.*)$/is;

/** The name without space around it. Throws InvalidInput `name_empty`, `name_long`, `name_reserved`. */
export function checkName(name: string): string {
  const called = name.trim();
  if (called === '') throw new InvalidInput('name_empty', 'naming a person: the name is empty');
  if (called.length > PERSON_NAME_MAX || called.includes('\u0000') || !called.isWellFormed())
    throw new InvalidInput(
      'name_long',
      `naming a person: the name is longer than ${PERSON_NAME_MAX} characters or no text`,
    );
  if (RESERVED.test(called))
    throw new InvalidInput('name_reserved', 'naming a person: the log uses this name for machines; choose another one');
  return called;
}

/** Throws InvalidInput `password_short`, `password_long`. */
export function checkPassword(password: string): void {
  if (password.length < PASSWORD_MIN)
    throw new InvalidInput('password_short', `choosing a password: it needs at least ${PASSWORD_MIN} characters`);
  if (password.length > PASSWORD_MAX)
    throw new InvalidInput('password_long', `choosing a password: it has more than ${PASSWORD_MAX} characters`);
}

// 64 MB and about 0.1 s per guess on one core.
const COST = { N: 65_536, r: 8, p: 1 } as const;
const MAX_MEMORY = 128 * 1024 * 1024;
const STORED = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([0-9a-f]+)\$([0-9a-f]+)$/;

function derive(password: string, salt: Buffer, cost: { N: number; r: number; p: number }): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(password.normalize('NFKC'), salt, 32, { ...cost, maxmem: MAX_MEMORY }, (error, key) =>
      error ? reject(error) : resolve(key),
    ),
  );
}

/** `scrypt$N$r$p$salt$hash`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  return `scrypt$${COST.N}$${COST.r}$${COST.p}$${salt.toString('hex')}$${key.toString('hex')}`;
}

/** Takes as long for a user who does not exist (`stored` undefined) as for one who does. */
export async function passwordMatches(password: string, stored: string | undefined): Promise<boolean> {
  const [, N, r, p, salt, hash] = STORED.exec(stored ?? '') ?? [];
  if (!N || !r || !p || !salt || !hash) {
    await derive(password, randomBytes(16), COST);
    return false;
  }
  const key = await derive(password, Buffer.from(salt, 'hex'), { N: Number(N), r: Number(r), p: Number(p) });
  return timingSafeEqual(key, Buffer.from(hash, 'hex'));
}

/** 256 random bits for a cookie or a one-time token. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** What is kept of a token. */
export const tokenId = (token: string): string => createHash('sha256').update(token).digest('hex');
