/** Does what `evalroom certify` says, on the machine that holds the authority's key. */
import { resolve } from 'node:path';
import { askWithNewKey } from '../agent/identity.ts';
import { INGEST_USER } from '../cloud/broker/files.ts';
import { systemClock } from '../cloud/clock.ts';
import { loadCloudConfig } from '../cloud/config.ts';
import { openAuthority } from '../cloud/identity/authority.ts';
import { writeSecret } from '../cloud/identity/files.ts';
import { InvalidInput } from '../protocol/errors.ts';
import type { CertifyOptions } from './certify.ts';

/** Resolves when the files are written. Throws InvalidInput `certify_option`, `identity_off`, `ca_files`. */
export async function certify(options: CertifyOptions): Promise<void> {
  const names = options.server?.split(',').map((name) => name.trim());
  if ((names === undefined) === (options.ingest === undefined) || !(options.days >= 1))
    throw new InvalidInput('certify_option', 'certifying: give either --server NAMES or --ingest, and --days from 1');
  const { identity } = loadCloudConfig(options.config);
  if (!identity || (identity.ca && identity.ca.keyFile === undefined))
    throw new InvalidInput(
      'certify_option',
      `certifying: ${options.config} has no authority that signs here; set http.tls or mqtt.tls to auto, or add identity: {}`,
    );
  const { folder, ca } = identity;
  const wallMs = systemClock().wallMs();
  const authority = await openAuthority({
    folder,
    wallMs,
    ...(ca?.keyFile === undefined ? {} : { outside: { certFile: ca.certFile, keyFile: ca.keyFile } }),
  });
  const lifetimeMs = options.days * 86_400_000;
  const out = resolve(options.out);
  const write = (name: string, made: { certificate: string; key: string }) => {
    writeSecret(out, 'ca.pem', authority.caPem);
    writeSecret(out, `${name}.key`, made.key);
    console.log(writeSecret(out, `${name}.pem`, made.certificate));
  };
  if (names) {
    write('server', await authority.issueServer({ names, wallMs, lifetimeMs }));
    return;
  }
  const { key, csr } = await askWithNewKey();
  const { certificate } = await authority.issueDevice({ csr, deviceId: INGEST_USER, wallMs, lifetimeMs });
  write('ingest', { certificate, key });
}
