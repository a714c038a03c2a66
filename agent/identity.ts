/** Who this box is: a key pair made here that never leaves, a certificate for it from the cloud, and its renewal in time. */
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type EnrolAnswer, parseCode, parseEnrolAnswer, parseRenewAnswer } from '../protocol/enrol.ts';
import { Corrupt, InvalidInput, Unavailable } from '../protocol/errors.ts';
import type { Clock, WallMs } from '../protocol/time.ts';
import { makeFolder } from './folder.ts';
import { cloudUrl, fingerprintOf, loadX509, notPinned, pinnedAuthority, post } from './identity-line.ts';
import { keepFile } from './keep.ts';

/** PEM contents: the box's own key and certificate, and the authorities that it trusts. */
export interface Credentials {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

export interface StoredIdentity {
  readonly deviceId: string;
  /** The room that the certificate was made for. */
  readonly roomId: string;
  readonly notBeforeWallMs: WallMs;
  readonly notAfterWallMs: WallMs;
  readonly credentials: Credentials;
}

export interface BoxIdentity {
  current(): StoredIdentity;
  /** Called after a new certificate is on the disk. */
  onChange(listener: () => void): void;
  /** Renews when two thirds of the life are over; resolves at once. */
  start(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Key and certificate in one file, so that they are exchanged together. */
const BOX_FILE = 'box.pem';
const CA_FILE = 'ca.pem';
/** Public keys of the cloud's rule packs; they come with the certificate. */
export const RULES_KEY_FILE = 'rules.pem';
/** Renewal begins here, in parts of the certificate's life. */
const RENEW_AT = 2 / 3;
const LOOK_MS = 60_000;
const RETRY_MS = 15 * 60_000;
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Throws InvalidInput `identity_missing` before enrolment, Corrupt `identity_damaged` when key and certificate are not a pair. */
export function readIdentity(folder: string): StoredIdentity {
  let [box, ca] = ['', ''];
  try {
    box = readFileSync(join(folder, BOX_FILE), 'utf8');
    ca = readFileSync(join(folder, CA_FILE), 'utf8');
  } catch (cause) {
    throw new InvalidInput(
      'identity_missing',
      `reading the identity in ${folder}: ${(cause as Error).message}; run evalroom enroll with a code from the cloud`,
      cause,
    );
  }
  try {
    return identityOf({ key: box.slice(0, box.indexOf('-----BEGIN CERT')), cert: `${box.match(BLOCK)![0]}\n`, ca });
  } catch (cause) {
    throw new Corrupt(
      'identity_damaged',
      `reading the identity in ${folder}: ${BOX_FILE} is cut or not a pair; enrol the box again with a new code`,
      cause,
    );
  }
}

function identityOf(credentials: Credentials): StoredIdentity {
  const certificate = new X509Certificate(credentials.cert);
  const subject = new Map(
    certificate.subject.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  const deviceId = subject.get('CN');
  if (!deviceId || !certificate.checkPrivateKey(createPrivateKey(credentials.key)))
    throw new InvalidInput('identity_unfit', 'key and certificate are not a pair, or it has no name');
  return {
    deviceId,
    roomId: subject.get('OU') ?? '',
    notBeforeWallMs: certificate.validFromDate.getTime(),
    notAfterWallMs: certificate.validToDate.getTime(),
    credentials,
  };
}

/** A new key pair and the request for its certificate. The authority takes the name from the code, not from here. */
export async function askWithNewKey(): Promise<{ readonly key: string; readonly csr: string }> {
  const x509 = await loadX509();
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=evalroom box',
    keys: {
      privateKey: pair.privateKey.toCryptoKey(algorithm, false, ['sign']),
      publicKey: pair.publicKey.toCryptoKey(algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
  });
  return { key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), csr: request.toString('pem') };
}

export interface Enrolled extends StoredIdentity {
  readonly mqtt?: string;
  /** SHA-256 of the authority that signed, hexadecimal. */
  readonly caFingerprint: string;
}

/**
 * Exchanges a one-time code for a certificate and keeps it in `folder` (mode 0600). The code pins the authority: the cloud
 * has to prove that it is the one before it hears the code. Throws InvalidInput `enrol_code`, `enrol_url`,
 * `identity_folder`; Forbidden `cloud_not_pinned`, `cloud_refused`; Unavailable `cloud_unavailable`.
 */
export async function enroll(options: {
  readonly cloud: string;
  readonly code: string;
  readonly folder: string;
  /** PEM of an authority to trust in place of the pinned one, for a cloud behind somebody else's certificate. */
  readonly ca?: string;
  /** Looks at the answer before anything is kept; throws to refuse it. */
  readonly check?: (answer: EnrolAnswer) => void;
}): Promise<Enrolled> {
  const { cloud, folder } = options;
  const parsed = parseCode(options.code);
  if (!parsed)
    throw new InvalidInput(
      'enrol_code',
      'enrolling: this is no code; it has seven groups of six letters and digits, as the cloud has shown it',
    );
  const url = cloudUrl(cloud);
  requireFolder(folder);
  const ca = url.protocol === 'http:' ? undefined : (options.ca ?? (await pinnedAuthority(url, parsed.caFingerprint)));
  const { key, csr } = await askWithNewKey();
  const trust = ca === undefined ? {} : { ca };
  const answer = parseEnrolAnswer(await post(url, 'enrol', { body: { code: parsed.code, csr }, ...trust }));
  if (!answer) throw new Unavailable('cloud_unavailable', `enrolling at ${url.origin}: the answer is not understood`);
  const top = readAs(`enrolling at ${url.origin}`, () => fingerprintOf(answer.ca.match(BLOCK)?.at(-1)));
  if (!top.startsWith(parsed.caFingerprint)) throw notPinned(url);
  options.check?.(answer);
  const stored = readAs(`enrolling at ${url.origin}`, () =>
    identityOf({ key, cert: answer.certificate, ca: answer.ca }),
  );
  if (stored.deviceId !== answer.deviceId)
    throw new Unavailable('cloud_unavailable', `enrolling at ${url.origin}: the certificate is for another device`);
  keepFile(join(folder, CA_FILE), answer.ca);
  if (answer.rulesKey !== undefined) keepFile(join(folder, RULES_KEY_FILE), answer.rulesKey);
  keepFile(join(folder, BOX_FILE), key + answer.certificate);
  return { ...stored, caFingerprint: top, ...(answer.mqtt === undefined ? {} : { mqtt: answer.mqtt }) };
}

/** Before the code is spent: a key that cannot be kept is lost, and the code with it. */
function requireFolder(folder: string): void {
  try {
    makeFolder(folder, { mode: 0o700 });
  } catch (cause) {
    throw new InvalidInput(
      'identity_folder',
      `enrolling: nothing can be kept in ${folder}: ${(cause as Error).message}; name another with --data, or in identity.certificate of room.yaml`,
      cause,
    );
  }
}

/** What a cloud has sent, as certificates; what cannot be read as such is a fault of the answer. */
function readAs<T>(doing: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Unavailable(
      'cloud_unavailable',
      `${doing}: the certificates in the answer cannot be read, or are not for this box's key`,
      cause,
    );
  }
}

/** The identity of a running box. `cloud` is where clips go, too. Throws as readIdentity does. */
export function openIdentity(parts: {
  readonly folder: string;
  readonly cloud: string;
  /** PEM of a further authority to trust. */
  readonly ca?: string;
  readonly clock: Clock;
  readonly log: Logger;
}): BoxIdentity {
  const { folder, cloud, ca: more, clock, log } = parts;
  const ending = new AbortController();
  const listeners: (() => void)[] = [];
  const url = cloudUrl(cloud);
  let stored = readIdentity(folder);
  let running: Promise<void> | undefined;
  let confirmed = false;

  const withMore = (one: StoredIdentity): StoredIdentity => {
    const { ca } = one.credentials;
    return more === undefined ? one : { ...one, credentials: { ...one.credentials, ca: `${ca}\n${more}` } };
  };
  const renew = async () => {
    const { key, csr } = await askWithNewKey();
    const answer = parseRenewAnswer(
      await post(url, 'renew', { body: { csr }, ...withMore(stored).credentials, signal: ending.signal }),
    );
    if (!answer) throw new Unavailable('cloud_unavailable', `renewing at ${url.origin}: the answer is not understood`);
    const next = readAs(`renewing at ${url.origin}`, () =>
      identityOf({ key, cert: answer.certificate, ca: answer.ca }),
    );
    if (next.deviceId !== stored.deviceId)
      throw new Unavailable('cloud_unavailable', `renewing at ${url.origin}: the certificate is for another device`);
    // The line itself has proven that it is our cloud, so a new authority comes in by the old one.
    keepFile(join(folder, CA_FILE), answer.ca);
    if (answer.rulesKey !== undefined) keepFile(join(folder, RULES_KEY_FILE), answer.rulesKey);
    keepFile(join(folder, BOX_FILE), key + answer.certificate);
    stored = next;
    confirmed = false;
    log.info({ deviceId: stored.deviceId, notAfterWallMs: stored.notAfterWallMs }, 'the box has a new certificate');
    for (const listener of listeners) listener();
  };
  /** True when nothing is left to do. */
  const turn = async (): Promise<boolean> => {
    const { notBeforeWallMs, notAfterWallMs } = stored;
    const due = notBeforeWallMs + (notAfterWallMs - notBeforeWallMs) * RENEW_AT;
    try {
      if (clock.wallMs() >= due) await renew();
      // From the disk, and over a line of its own: only then may the cloud revoke the one before.
      if (!confirmed) await post(url, 'confirm', { body: {}, ...withMore(stored).credentials, signal: ending.signal });
      confirmed = true;
      return true;
    } catch (error) {
      if (ending.signal.aborted) return false;
      const left = Math.round((notAfterWallMs - clock.wallMs()) / 3_600_000);
      log.warn({ err: error, hoursLeft: left }, 'the certificate could not be renewed or confirmed: trying again');
      return false;
    }
  };
  const run = async () => {
    while (!ending.signal.aborted) {
      const done = await turn();
      // Jitter, so that boxes enrolled in one morning do not come back in one minute.
      await clock.sleep((done ? LOOK_MS : RETRY_MS) * (0.75 + Math.random() / 2), ending.signal);
    }
  };
  return {
    current: () => withMore(stored),
    onChange: (listener) => void listeners.push(listener),
    async start(signal) {
      signal.addEventListener('abort', () => ending.abort(), { once: true });
      if (signal.aborted) ending.abort();
      running ??= run();
    },
    async close() {
      ending.abort();
      await running;
    },
  };
}
