/** The certificate authority inside the cloud: signs what boxes ask for, the cloud's own certificates, and the revocation list. */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  type webcrypto,
  X509Certificate,
} from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Pkcs10CertificateRequest } from '@peculiar/x509';
import { InvalidInput } from '../../protocol/errors.ts';
import type { WallMs } from '../../protocol/time.ts';
import { writeSecret, writeSecretOnce } from './files.ts';
import { loadX509, plainSerial, publishedAt } from './x509.ts';

/** A certificate for a device, as it is handed out and as it is remembered. */
export interface Issued {
  /** PEM of the device's certificate alone. */
  readonly certificate: string;
  readonly serial: string;
  /** SHA-256 of the DER bytes, hexadecimal. */
  readonly fingerprint: string;
  readonly notAfterWallMs: WallMs;
}

export interface Authority {
  /** PEM of what a box or a browser has to trust: the issuing certificate first, then those above it. */
  readonly caPem: string;
  /** SHA-256 of the topmost certificate's DER bytes, hexadecimal: what a box pins. */
  readonly fingerprint: string;
  /** Throws InvalidInput `csr_invalid` when the request is not signed by its own key or its key is of no accepted kind. */
  issueDevice(request: {
    readonly csr: string;
    readonly deviceId: string;
    /** Absent for an ingest worker, which belongs to no room. */
    readonly roomId?: string;
    readonly wallMs: WallMs;
    readonly lifetimeMs: number;
    /** Where a broker that fetches the revocation list finds it. */
    readonly listUrl?: string;
  }): Promise<Issued>;
  /** A fresh key and a certificate with its chain, both PEM, for the cloud's own servers. */
  issueServer(request: {
    readonly names: readonly string[];
    readonly wallMs: WallMs;
    readonly lifetimeMs: number;
  }): Promise<{ readonly certificate: string; readonly key: string }>;
  /**
   * The revocation list as PEM. `wallMs` of two lists must differ by at least a second for the later one to be taken.
   * With `listUrl` it counts only for certificates that name the same.
   */
  revocationList(
    revoked: readonly { readonly serial: string; readonly wallMs: WallMs }[],
    wallMs: WallMs,
    listUrl?: string,
  ): Promise<string>;
}

/** A box whose clock is a little behind must not find its new certificate in its future. */
const BACKDATE_MS = 3_600_000;
const CA_LIFETIME_MS = 20 * 365 * 86_400_000;
/** A broker refuses everybody once its list is out of date; the list is written anew at each start and each day. */
const LIST_LIFETIME_MS = 365 * 86_400_000;
const EC_CURVES = new Set(['P-256', 'P-384']);

/**
 * The authority of this folder, made on first use (P-256, 20 years, key mode 0600), or the one whose files are given:
 * `certFile` holds the issuing certificate first and its chain after it. Throws InvalidInput `ca_files`.
 */
export async function openAuthority(options: {
  readonly folder: string;
  readonly outside?: { readonly certFile: string; readonly keyFile: string };
  readonly wallMs: WallMs;
}): Promise<Authority> {
  const { folder, outside, wallMs } = options;
  const certFile = outside?.certFile ?? join(folder, 'ca.pem');
  const keyFile = outside?.keyFile ?? join(folder, 'ca.key');
  if (!outside) {
    // Key and certificate in one file, so that processes that start at once on an empty folder end with the same pair.
    if (!existsSync(keyFile)) writeSecretOnce(folder, 'ca.key', await makeAuthority(wallMs));
    const pair = readPem(keyFile);
    const certificate = pair.slice(Math.max(0, pair.indexOf('-----BEGIN CERTIFICATE')));
    if (!existsSync(certFile) || readPem(certFile) !== certificate) writeSecret(folder, 'ca.pem', certificate);
  }
  const caPem = readPem(certFile);
  const chain = certificatesIn(caPem, certFile);
  const key = readKey(keyFile);
  const issuer = chain[0]!;
  if (!issuer.ca) throw caFiles(`${certFile} is no certificate of an authority (CA:TRUE is missing)`);
  if (!issuer.checkPrivateKey(key)) throw caFiles(`${keyFile} is not the key of the first certificate in ${certFile}`);
  return authorityOf(caPem, chain, key);
}

/** PEM of a new key and its certificate. */
async function makeAuthority(wallMs: WallMs): Promise<string> {
  const x509 = await loadX509();
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = { privateKey: forSigning(pair.privateKey), publicKey: forSigning(pair.publicKey, 'verify') };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    // The name tells two clouds' authorities apart in a list of trusted ones.
    name: [{ O: ['evalroom'], CN: [`evalroom CA ${randomBytes(3).toString('hex')}`] }],
    notBefore: new Date(wallMs - BACKDATE_MS),
    notAfter: new Date(wallMs + CA_LIFETIME_MS),
    signingAlgorithm: signingOf(pair.privateKey),
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${pair.privateKey.export({ type: 'pkcs8', format: 'pem' })}${certificate.toString('pem')}\n`;
}

async function authorityOf(caPem: string, chain: readonly X509Certificate[], key: KeyObject): Promise<Authority> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(chain[0]!.raw);
  const signingKey = forSigning(key);
  const signingAlgorithm = signingOf(key);
  const authorityKey = await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey);

  const sign = async (wanted: {
    readonly subject: readonly Record<string, string[]>[];
    readonly publicKey: Parameters<typeof x509.SubjectKeyIdentifierExtension.create>[0];
    readonly usage: 'client' | 'server';
    readonly names: readonly { type: 'dns' | 'ip' | 'url'; value: string }[];
    readonly wallMs: WallMs;
    readonly lifetimeMs: number;
    readonly listUrl?: string | undefined;
  }) => {
    const { subject, publicKey, usage, names, wallMs, lifetimeMs, listUrl } = wanted;
    return x509.X509CertificateGenerator.create({
      serialNumber: newSerial(),
      subject: [...subject],
      issuer: issuer.subject,
      notBefore: new Date(wallMs - BACKDATE_MS),
      // Never beyond the authority itself: such a certificate would fail in the middle of its life.
      notAfter: new Date(Math.min(wallMs + lifetimeMs, issuer.notAfter.getTime())),
      publicKey,
      signingKey,
      signingAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          usage === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
        ]),
        new x509.SubjectAlternativeNameExtension([...names]),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        authorityKey,
        ...(listUrl === undefined ? [] : [new x509.CRLDistributionPointsExtension([listUrl])]),
      ],
    });
  };

  return {
    caPem,
    fingerprint: sha256(chain.at(-1)!.raw),
    async issueDevice({ csr, deviceId, roomId, wallMs, lifetimeMs, listUrl }) {
      const publicKey = await keyOf(csr);
      const certificate = await sign({
        // The request's own name counts for nothing: who it is was settled when the code was given.
        subject: [{ CN: [deviceId] }, ...(roomId === undefined ? [] : [{ OU: [roomId] }])],
        publicKey,
        usage: 'client',
        names: [{ type: 'url', value: `urn:evalroom:device:${deviceId}` }],
        wallMs,
        lifetimeMs,
        listUrl,
      });
      return {
        certificate: `${certificate.toString('pem')}\n`,
        serial: plainSerial(certificate.serialNumber),
        fingerprint: sha256(Buffer.from(certificate.rawData)),
        notAfterWallMs: certificate.notAfter.getTime(),
      };
    },
    async issueServer({ names, wallMs, lifetimeMs }) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const certificate = await sign({
        subject: [{ CN: [names[0] ?? 'evalroom'] }],
        publicKey: forSigning(pair.publicKey, 'verify'),
        usage: 'server',
        names: names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
        wallMs,
        lifetimeMs,
      });
      // With the chain to its top, so that a box which has only a fingerprint finds what it belongs to.
      return {
        certificate: `${certificate.toString('pem')}\n${caPem}`,
        key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
    async revocationList(revoked, wallMs, listUrl) {
      const place = listUrl === undefined ? undefined : publishedAt(listUrl);
      const list = await x509.X509CrlGenerator.create({
        issuer: issuer.subject,
        thisUpdate: new Date(wallMs),
        nextUpdate: new Date(wallMs + LIST_LIFETIME_MS),
        entries: revoked.map((one) => ({
          serialNumber: one.serial.length % 2 ? `0${one.serial}` : one.serial,
          revocationDate: new Date(one.wallMs),
          // With a reason, since the library writes an empty list of extensions where it has none to write.
          reason: x509.X509CrlReason.cessationOfOperation,
        })),
        extensions: [authorityKey, ...(place ? [new x509.Extension(place.oid, true, place.value)] : [])],
        signingKey,
        signingAlgorithm,
      });
      return pem('X509 CRL', list.rawData);
    },
  };
}

async function keyOf(csr: string): Promise<Pkcs10CertificateRequest['publicKey']> {
  const x509 = await loadX509();
  let request: Pkcs10CertificateRequest;
  let proven: boolean;
  try {
    request = new x509.Pkcs10CertificateRequest(csr);
    proven = await request.verify();
  } catch (cause) {
    throw new InvalidInput(
      'csr_invalid',
      'reading a certificate request: it is no PKCS #10 request; run evalroom enroll again',
      cause,
    );
  }
  if (!proven)
    throw new InvalidInput('csr_invalid', 'reading a certificate request: it is not signed by the key inside it');
  const { name, namedCurve } = request.publicKey.algorithm as { name: string; namedCurve?: string };
  if (name !== 'Ed25519' && !EC_CURVES.has(namedCurve ?? ''))
    throw new InvalidInput(
      'csr_invalid',
      `reading a certificate request: its key is ${namedCurve ?? name}; accepted are P-256, P-384 and Ed25519`,
    );
  return request.publicKey;
}

/** 127 bits that nobody can guess; the first byte keeps it positive and of full length. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function signingOf(key: KeyObject): { name: string; namedCurve?: string; hash: string } {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (asymmetricKeyType === 'ec') {
    const curve = asymmetricKeyDetails?.namedCurve;
    if (curve === 'prime256v1') return { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    if (curve === 'secp384r1') return { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' };
  }
  if (asymmetricKeyType === 'ed25519') return { name: 'Ed25519', hash: 'SHA-512' };
  if (asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  throw caFiles(`a key of kind ${asymmetricKeyType} cannot sign here; use P-256, P-384, Ed25519 or RSA`);
}

function forSigning(key: KeyObject, usage: 'sign' | 'verify' = 'sign'): webcrypto.CryptoKey {
  return key.toCryptoKey(signingOf(key), true, [usage]);
}

/** The library's own label of a list is not the one of RFC 7468, which OpenSSL insists on. */
function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw caFiles(`${path} cannot be read: ${(cause as Error).message}`, cause);
  }
}

/** Every certificate of a PEM file, in order. Throws InvalidInput `ca_files` when there is none. */
export function certificatesIn(pem: string, path: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!blocks) throw caFiles(`${path} holds no certificate in PEM`);
  return blocks.map((block) => new X509Certificate(block));
}

function readKey(path: string): KeyObject {
  try {
    return createPrivateKey(readPem(path));
  } catch (cause) {
    throw cause instanceof InvalidInput ? cause : caFiles(`${path} is no private key in PEM`, cause);
  }
}

const caFiles = (what: string, cause?: unknown) =>
  new InvalidInput('ca_files', `opening the certificate authority: ${what}`, cause);

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
