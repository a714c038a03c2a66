/** What the cloud's servers show and whom they trust: certificates of its own, the authority's chain, and the revocation list. */
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../../protocol/time.ts';
import type { IdentityConfig, Tls, TlsChoice } from '../config.ts';
import type { IdentityStore } from '../store/identity.ts';
import { type Authority, certificatesIn, openAuthority } from './authority.ts';
import { writeSecret } from './files.ts';

const SERVED = 'revoked-served.pem';
const SERVER_MS = 90 * 86_400_000;
/** A list is written at each revocation, and after so long anyway: superseded certificates come into it then. */
const LIST_MS = 86_400_000;
/** The list is dated back: a broker whose clock is behind must not find it in its future, and lists are told apart by the second. */
const LIST_BACKDATE_MS = 3_600_000;

export interface Trust {
  readonly caPem: string;
  /** SHA-256 of the topmost certificate, hexadecimal. */
  readonly fingerprint: string;
  /** Absent where an outside authority issues and its key is not here. */
  readonly authority?: Authority;
  /** For the broker, which reads files. */
  readonly caFile: string;
  readonly listFile: string;
  /** The list as others fetch it; it names the place where they do. */
  readonly servedListFile: string;
  readonly listUrl?: string;
  /** The files of a server: those that were configured, or for `auto` a certificate of our own, made or renewed when due. */
  server(choice: TlsChoice): Promise<Tls>;
  /** Writes the revocation list of our own authority into `listFile`. */
  writeList(): Promise<void>;
  /** What a TLS server needs to know of clients. */
  clients(): { readonly ca: string; readonly crl?: string };
  /** True when the servers have to read their files again: own certificates renewed, the list a day old, or changed outside. */
  refresh(choices: readonly (TlsChoice | undefined)[]): Promise<boolean>;
}

/** Throws InvalidInput `ca_files` when a configured file does not fit. */
export async function openTrust(parts: {
  readonly config: IdentityConfig;
  readonly store: IdentityStore;
  readonly clock: Clock;
}): Promise<Trust> {
  const { config, store, clock } = parts;
  const { folder, names, ca, listUrl } = config;
  const authority =
    ca && ca.keyFile === undefined
      ? undefined
      : await openAuthority({
          folder,
          wallMs: clock.wallMs(),
          ...(ca?.keyFile === undefined ? {} : { outside: { certFile: ca.certFile, keyFile: ca.keyFile } }),
        });
  const caFile = ca?.certFile ?? join(folder, 'ca.pem');
  const caPem = readFileSync(caFile, 'utf8');
  const chain = certificatesIn(caPem, caFile);
  let listedWallMs = 0;

  let listedMonoMs = Number.NEGATIVE_INFINITY;
  let lastWatched: string | undefined;
  const listFile = ca?.listFile ?? join(folder, 'revoked.pem');
  const writeList = async () => {
    if (!authority) return;
    const nowWallMs = clock.wallMs();
    const revoked = (await store.certificates(nowWallMs)).flatMap(({ serial, revokedWallMs }) =>
      revokedWallMs === undefined ? [] : [{ serial, wallMs: revokedWallMs }],
    );
    listedWallMs = Math.max(listedWallMs + 1000, nowWallMs - LIST_BACKDATE_MS);
    listedMonoMs = clock.monoMs();
    writeSecret(folder, 'revoked.pem', await authority.revocationList(revoked, listedWallMs));
    // A list that names its place counts for no certificate without one: the broker beside us has to take both.
    if (listUrl !== undefined)
      writeSecret(folder, SERVED, await authority.revocationList(revoked, listedWallMs, listUrl));
  };
  const watched = (choices: readonly (TlsChoice | undefined)[]): string => {
    const files = choices.flatMap((choice) =>
      choice === undefined ? [] : choice === 'auto' ? [join(folder, 'server.pem')] : [choice.certFile],
    );
    return [...files, ...(authority ? [] : [listFile])].map((path) => bytesOf(path)).join();
  };
  const serverFile = async (): Promise<Tls> => {
    const path = join(folder, 'server.pem');
    // Key and certificate in one file, so that they are exchanged together.
    const files = { certFile: path, keyFile: path };
    if (!authority || stillGood(path, chain[0]!, { names, wallMs: clock.wallMs() })) return files;
    // Processes of one cloud share the file, and each may be called otherwise: none takes a name from the others.
    const all = [...new Set([...names, ...namesIn(path, chain[0]!)])];
    const made = await authority.issueServer({ names: all, wallMs: clock.wallMs(), lifetimeMs: SERVER_MS });
    writeSecret(folder, 'server.pem', `${made.certificate}${made.key}`);
    return files;
  };

  return {
    caPem,
    fingerprint: createHash('sha256').update(chain.at(-1)!.raw).digest('hex'),
    ...(authority ? { authority } : {}),
    caFile,
    listFile,
    servedListFile: listUrl === undefined || !authority ? listFile : join(folder, SERVED),
    ...(listUrl === undefined ? {} : { listUrl }),
    server: async (choice) => (choice === 'auto' ? serverFile() : choice),
    writeList,
    clients: () => ({ ca: caPem, ...(authority || ca?.listFile === undefined ? {} : { crl: bytesOf(ca.listFile) }) }),
    async refresh(choices) {
      const before = watched(choices);
      if (choices.includes('auto')) await serverFile();
      if (authority && clock.monoMs() - listedMonoMs > LIST_MS) await writeList();
      const now = watched(choices);
      const changed = before !== now || (lastWatched !== undefined && lastWatched !== now);
      lastWatched = now;
      return changed;
    },
  };
}

/** Empty while the file is being exchanged. */
function bytesOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Names of the certificate in the file, where this authority has signed it. */
function namesIn(path: string, issuer: X509Certificate): string[] {
  try {
    const certificate = new X509Certificate(readFileSync(path));
    if (!certificate.verify(issuer.publicKey)) return [];
    return (certificate.subjectAltName ?? '')
      .split(', ')
      .map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
      .filter((name) => name !== '' && !name.includes(':0:'));
  } catch {
    return [];
  }
}

/** The certificate in the file is of this authority, has all names, and more than a third of its life before it. */
function stillGood(
  path: string,
  issuer: X509Certificate,
  { names, wallMs }: { readonly names: readonly string[]; readonly wallMs: number },
): boolean {
  if (!existsSync(path)) return false;
  try {
    const certificate = new X509Certificate(readFileSync(path));
    return (
      certificate.checkIssued(issuer) &&
      certificate.verify(issuer.publicKey) &&
      names.every((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name))) &&
      certificate.validFromDate.getTime() <= wallMs &&
      certificate.validToDate.getTime() - wallMs > SERVER_MS / 3
    );
  } catch {
    // Cut or foreign bytes: a new one takes their place.
    return false;
  }
}
