/** The authority: made once, kept to itself, signs what its holder proved and nothing else; an outside one by its files. */
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, openAuthority } from '../../../../cloud/identity/authority.ts';
import { openTrust } from '../../../../cloud/identity/trust.ts';
import { loadX509 } from '../../../../cloud/identity/x509.ts';
import type { IdentityStore } from '../../../../cloud/store/identity.ts';
import { stillClock } from '../still-clock.ts';

const NOW = Date.parse('2026-03-01T00:00:00Z');
const DAY = 86_400_000;
type Curve = { name: string; namedCurve?: string; hash?: string };

const request = async (algorithm: Curve, forged = false) => {
  const x509 = await loadX509();
  const pair = () => crypto.subtle.generateKey(algorithm as never, true, ['sign', 'verify']) as never;
  const keys = (await pair()) as unknown as { privateKey: never; publicKey: never };
  const signer = forged ? ((await pair()) as unknown as { privateKey: never }).privateKey : keys.privateKey;
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=admin, O=somebody else',
    keys: { privateKey: signer, publicKey: keys.publicKey },
    signingAlgorithm: algorithm,
  });
  return made.toString('pem');
};
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

describe('certificate authority', () => {
  let folder: string;
  let authority: Authority;
  const issue = (csr: string, lifetimeMs = 90 * DAY) =>
    authority.issueDevice({ csr, deviceId: 'box-1', roomId: 'room-1', wallMs: NOW, lifetimeMs });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-ca-'));
    authority = await openAuthority({ folder, wallMs: NOW });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is made once and stays the same; its key is for its owner', async () => {
    expect(statSync(join(folder, 'ca.key')).mode & 0o777).toBe(0o600);
    const again = await openAuthority({ folder, wallMs: NOW + DAY });
    expect([again.fingerprint, again.caPem]).toEqual([authority.fingerprint, authority.caPem]);
    const certificate = new X509Certificate(authority.caPem);
    expect([certificate.ca, certificate.fingerprint256.replaceAll(':', '').toLowerCase()]).toEqual([
      true,
      authority.fingerprint,
    ]);
  });

  it('is one, however many processes begin on an empty folder at once', async () => {
    const shared = join(folder, 'shared');
    const all = await Promise.all(Array.from({ length: 8 }, () => openAuthority({ folder: shared, wallMs: NOW })));
    expect(new Set(all.map(({ caPem }) => caPem)).size).toBe(1);
    expect(readFileSync(join(shared, 'ca.pem'), 'utf8')).toBe(all[0]!.caPem);
    expect(readdirSync(shared).sort()).toEqual(['ca.key', 'ca.pem']);
  });

  it('gives its servers a certificate that is kept, renewed in time, and shared by all names that ask for it', async () => {
    let nowMs = NOW;
    const clock = { ...stillClock().clock, wallMs: () => nowMs };
    const shared = join(folder, 'servers');
    const store = { certificates: async () => [] } as unknown as IdentityStore;
    const open = (names: readonly string[]) =>
      openTrust({ config: { folder: shared, names, deviceMs: DAY }, store, clock });
    const [one, two] = [await open(['a.example', '::1', '10.0.0.5']), await open(['b.example', '::1'])];
    const bytes = () => readFileSync(join(shared, 'server.pem'), 'utf8');
    await one.server('auto');
    const first = bytes();
    await two.server('auto');
    const both = bytes();
    expect(both).not.toBe(first);
    const read = new X509Certificate(both);
    for (const name of ['a.example', 'b.example']) expect(read.checkHost(name)).toBe(name);
    for (const trust of [one, two]) await trust.server('auto');
    nowMs += 59 * DAY;
    expect(await one.refresh(['auto'])).toBe(false);
    expect(bytes()).toBe(both);
    nowMs += 2 * DAY;
    expect(await one.refresh(['auto'])).toBe(true);
    expect(new X509Certificate(bytes()).validToDate.getTime()).toBe(nowMs + 90 * DAY);
    // What another process has renewed is noticed, too.
    expect(await two.refresh(['auto'])).toBe(false);
    writeFileSync(join(shared, 'server.pem'), 'cut off');
    expect(await two.refresh(['auto'])).toBe(true);
    expect(await one.refresh(['auto'])).toBe(true);
  });

  it.each([P256, { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-256' }, { name: 'Ed25519' }])(
    'names the device by the code, not by the request ($name $namedCurve)',
    async (algorithm) => {
      const { certificate, serial, fingerprint, notAfterWallMs } = await issue(await request(algorithm));
      const read = new X509Certificate(certificate);
      expect(read.subject).toBe('CN=box-1\nOU=room-1');
      expect(read.subjectAltName).toBe('URI:urn:evalroom:device:box-1');
      expect(read.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
      expect([read.ca, read.verify(createPublicKey(authority.caPem))]).toEqual([false, true]);
      expect([read.serialNumber.toLowerCase(), read.fingerprint256.replaceAll(':', '').toLowerCase()]).toEqual([
        serial,
        fingerprint,
      ]);
      expect(read.validToDate.getTime()).toBe(notAfterWallMs);
      expect(notAfterWallMs).toBe(NOW + 90 * DAY);
    },
  );

  it('never promises more life than it has itself', async () => {
    const { notAfterWallMs } = await issue(await request(P256), 100 * 365 * DAY);
    expect(notAfterWallMs).toBe(new X509Certificate(authority.caPem).validToDate.getTime());
  });

  it('refuses what is no request, what another key has signed, and weak or unknown keys', async () => {
    const rsa = {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    };
    const bad = ['', 'x', authority.caPem, await request(P256, true), await request(rsa)];
    for (const csr of bad)
      await expect(issue(csr)).rejects.toMatchObject({ kind: 'InvalidInput', code: 'csr_invalid' });
  });

  it('its servers show a chain to the pinned top, under every name', async () => {
    const names = ['cloud.example', '10.0.0.5', '::1'];
    const made = await authority.issueServer({ names, wallMs: NOW, lifetimeMs: DAY });
    const [leaf, top] = made.certificate.match(/-----BEGIN[^-]+-----[^-]+-----END CERTIFICATE-----/g)!;
    const read = new X509Certificate(leaf!);
    expect([read.checkHost('cloud.example'), read.checkIP('10.0.0.5'), read.checkHost('other')]).toEqual([
      'cloud.example',
      '10.0.0.5',
      undefined,
    ]);
    expect(new X509Certificate(top!).fingerprint256.replaceAll(':', '').toLowerCase()).toBe(authority.fingerprint);
  });

  it('writes a revocation list that OpenSSL reads', async (ctx) => {
    if (!existsSync('/usr/bin/openssl')) return ctx.skip('needs the program openssl');
    const { serial } = await issue(await request(P256));
    const list = await authority.revocationList([{ serial, wallMs: NOW }], NOW);
    const said = execFileSync('openssl', ['crl', '-noout', '-text', '-CAfile', join(folder, 'ca.pem')], {
      input: list,
      stdio: ['pipe', 'pipe', 'pipe'],
    }).toString();
    expect(said.toLowerCase()).toContain(`serial number: ${serial}`);
    const listUrl = `https://cloud.example/${'x'.repeat(120)}/revoked.pem`;
    const placed = await authority.revocationList([], NOW, listUrl);
    const text = execFileSync('openssl', ['crl', '-noout', '-text'], { input: placed }).toString();
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      `X509v3 Issuing Distribution Point: critical Full Name: URI:${listUrl}`,
    );
    const csr = await request(P256);
    const device = { csr, deviceId: 'box-1', roomId: 'room-1', wallMs: NOW, lifetimeMs: DAY, listUrl };
    const { certificate } = await authority.issueDevice(device);
    const named = execFileSync('openssl', ['x509', '-noout', '-text'], { input: certificate }).toString();
    expect(named.replaceAll(/\s+/g, ' ')).toContain(`X509v3 CRL Distribution Points: Full Name: URI:${listUrl}`);
    expect(await authority.revocationList([], NOW)).toMatch(/^-----BEGIN X509 CRL-----\n/);
  });

  it('takes an authority from outside, and says which file does not fit', async () => {
    const outside = { certFile: join(folder, 'ca.pem'), keyFile: join(folder, 'ca.key') };
    const taken = await openAuthority({ folder: join(folder, 'unused'), outside, wallMs: NOW });
    expect(taken.fingerprint).toBe(authority.fingerprint);
    expect(existsSync(join(folder, 'unused'))).toBe(false);
    const other = join(folder, 'other.key');
    writeFileSync(
      other,
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    );
    const leaf = join(folder, 'leaf.pem');
    writeFileSync(leaf, (await issue(await request(P256))).certificate);
    writeFileSync(join(folder, 'broken'), readFileSync(outside.certFile).subarray(0, 100));
    for (const [files, words] of [
      [{ ...outside, keyFile: other }, 'other.key is not the key'],
      [{ ...outside, certFile: leaf }, 'no certificate of an authority'],
      [{ ...outside, certFile: join(folder, 'broken') }, 'no certificate'],
      [{ ...outside, certFile: join(folder, 'nothing') }, 'cannot be read'],
      [{ ...outside, keyFile: leaf }, 'no private key'],
    ] as const)
      await expect(openAuthority({ folder, outside: files, wallMs: NOW })).rejects.toMatchObject({
        code: 'ca_files',
        message: expect.stringContaining(words),
      });
  });
});
