/** Digest authentication with MD5 (RFC 2617 without qop), server side, as cheap cameras speak it over RTSP. */
import { createHash } from 'node:crypto';

export const REALM = 'camera';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** Value of a WWW-Authenticate header. */
export function challenge(nonce: string): string {
  return `Digest realm="${REALM}", nonce="${nonce}"`;
}

export interface DigestCheck {
  /** Value of the Authorization header, if there was one. */
  readonly header: string | undefined;
  readonly method: string;
  readonly nonce: string;
  readonly user: string;
  readonly password: string;
}

/** True when the header proves the password for our nonce. */
export function digestOk({ header, method, nonce, user, password }: DigestCheck): boolean {
  if (!header?.startsWith('Digest ')) return false;
  const fields = new Map(
    [...header.matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]*))/g)].map((m) => [m[1]!, m[2] ?? m[3] ?? '']),
  );
  if (fields.get('username') !== user || fields.get('nonce') !== nonce) return false;
  const ha1 = md5(`${user}:${REALM}:${password}`);
  const ha2 = md5(`${method}:${fields.get('uri') ?? ''}`);
  return fields.get('response') === md5(`${ha1}:${nonce}:${ha2}`);
}
