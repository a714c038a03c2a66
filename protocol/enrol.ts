/** The contract of enrolment between a box and its cloud: the one-time code, and the shapes of asking for a certificate. */

/** Bytes of the authority's SHA-256 that a code carries: enough that nobody makes another authority with the same. */
const PIN_BYTES = 16;
const SECRET_BYTES = 10;
const CODE_CHARS = Math.ceil(((PIN_BYTES + SECRET_BYTES) * 8) / 5);
const GROUP = 6;
/** Crockford's: no letter that looks like a digit, so that a code survives being read aloud. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `POST /api/device/enrol`, without a session. `csr` is PKCS #10 as PEM; its name counts for nothing. */
export interface EnrolRequest {
  readonly code: string;
  readonly csr: string;
}

export interface EnrolAnswer {
  readonly deviceId: string;
  readonly roomId: string;
  /** PEM of the box's own certificate. */
  readonly certificate: string;
  /** PEM of what the box has to trust: broker and upload are signed by it. */
  readonly ca: string;
  /** PEM of the public keys that sign the cloud's rule packs. */
  readonly rulesKey?: string;
  /** Where the box connects; absent where the cloud does not know its broker's address for boxes. */
  readonly mqtt?: string;
}

/** `POST /api/device/renew` {csr}, `POST /api/device/confirm` {}: with the certificate that is in use, on the line itself. */
export interface RenewAnswer {
  readonly certificate: string;
  readonly ca: string;
  readonly rulesKey?: string;
}

/** The code of 10 random bytes and the SHA-256 (hexadecimal) of the authority's certificate, in seven groups of six. */
export function formatCode(secret: Uint8Array, caFingerprint: string): string {
  const bytes = new Uint8Array(PIN_BYTES + SECRET_BYTES);
  for (let index = 0; index < PIN_BYTES; index++)
    bytes[index] = Number.parseInt(caFingerprint.slice(index * 2, index * 2 + 2), 16);
  bytes.set(secret.subarray(0, SECRET_BYTES), PIN_BYTES);
  let [text, held, bits] = ['', 0, 0];
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text += ALPHABET[(held << (5 - bits)) & 31];
  return (text.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []).join('-');
}

/**
 * The code in its one spelling, and the first 32 hexadecimal digits of the authority's SHA-256 that it pins. Undefined
 * when it is no code. Case, dashes, blanks and the letters O, I, L for 0 and 1 do not matter.
 */
export function parseCode(text: string): { readonly code: string; readonly caFingerprint: string } | undefined {
  if (text.length > 200) return undefined;
  const plain = text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  if (plain.length !== CODE_CHARS) return undefined;
  const bytes: number[] = [];
  let [held, bits] = [0, 0];
  for (const letter of plain) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 255);
      held &= (1 << bits) - 1;
    }
  }
  if (held !== 0) return undefined;
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { code: formatCode(Uint8Array.from(bytes.slice(PIN_BYTES)), hex), caFingerprint: hex.slice(0, PIN_BYTES * 2) };
}

/** Text of at most `max` characters at `key`, else undefined. */
function textAt(value: unknown, key: string, max = 64 * 1024): string | undefined {
  const found = (value as Record<string, unknown> | null | undefined)?.[key];
  return typeof found === 'string' && found !== '' && found.length <= max ? found : undefined;
}

/** An enrolment's answer as a box reads it; undefined when something is missing. */
export function parseEnrolAnswer(value: unknown): EnrolAnswer | undefined {
  const [deviceId, roomId] = [textAt(value, 'deviceId', 64), textAt(value, 'roomId', 64)];
  const renewed = parseRenewAnswer(value);
  if (!deviceId || !roomId || !renewed) return undefined;
  const mqtt = textAt(value, 'mqtt', 1000);
  return { deviceId, roomId, ...renewed, ...(mqtt === undefined ? {} : { mqtt }) };
}

/** The same for a renewal's. */
export function parseRenewAnswer(value: unknown): RenewAnswer | undefined {
  const [certificate, ca] = [textAt(value, 'certificate'), textAt(value, 'ca')];
  const rulesKey = textAt(value, 'rulesKey');
  return certificate && ca ? { certificate, ca, ...(rulesKey === undefined ? {} : { rulesKey }) } : undefined;
}
