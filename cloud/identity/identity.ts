/** Who a device is: codes given, certificates signed, renewed and revoked, and every use of one checked; all of it in the log. */
import { createHash, randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { type EnrolAnswer, type EnrolRequest, formatCode, parseCode, type RenewAnswer } from '../../protocol/enrol.ts';
import { Forbidden, InvalidInput, Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { BrokerNotice } from '../broker/notices.ts';
import { hashSecret, newSecret } from '../broker/secret.ts';
import { CONSOLE, requireSupervisor, type Viewer } from '../review/access.ts';
import { checkDeviceId, type NewDevice } from '../review/devices.ts';
import type { CertificateRow } from '../store/identity.ts';
import type { Store } from '../store/store.ts';
import { createClones } from './clones.ts';
import { createRefusals } from './refusals.ts';
import type { Trust } from './trust.ts';
import { plainSerial } from './x509.ts';

/** How long a one-time code may wait for its box. */
export const CODE_MS = 24 * 3_600_000;
const CSR_CHARS = 16_384;
const REASON_CHARS = 200;

/** What the TLS line says of who is at its other end. `serial` is absent without a certificate. */
export interface Peer {
  readonly address: string;
  readonly serial?: string;
  readonly commonName?: string;
  /** The certificate is of a trusted authority and in its time; else why not, in OpenSSL's word. */
  readonly authorized: boolean;
  readonly reason?: string;
}

export interface EnrolCode extends NewDevice {
  readonly code: string;
  readonly expiresWallMs: number;
}

export interface Identity {
  readonly trust: Trust;
  /** A one-time code for this device in this room. Throws InvalidInput `bad_id`, `device_exists`; Unavailable `enrol_elsewhere`. */
  offer(device: NewDevice): Promise<EnrolCode>;
  /** The same for a person at the page. */
  offerBy(who: Viewer | undefined, device: NewDevice): Promise<EnrolCode>;
  /** Throws Forbidden `enrol_code_refused`, InvalidInput `csr_invalid`. The device may connect when it resolves. */
  enrol(request: EnrolRequest, address: string): Promise<Omit<EnrolAnswer, 'mqtt'>>;
  /** A further certificate for the device behind `peer`. */
  renew(peer: Peer, csr: string): Promise<RenewAnswer>;
  /** The device uses the certificate behind `peer` from now on: its older ones are revoked. */
  confirm(peer: Peer): Promise<void>;
  /** Ends a device for good. Throws InvalidInput `device_unknown`. */
  revokeBy(who: Viewer | undefined, deviceId: string, reason: string): Promise<void>;
  /** The device behind a certificate. Throws Forbidden `device_refused` for every other one, with an entry in the log. */
  deviceOf(peer: Peer): Promise<NewDevice>;
  /** What the broker saw. */
  onNotice(notice: BrokerNotice): void;
  /** The state of this device came from this boot. */
  heardBoot(deviceId: string, bootId: string): void;
  close(): Promise<void>;
}

export function createIdentity(parts: {
  readonly store: Store;
  readonly trust: Trust;
  readonly deviceMs: number;
  /** PEM that boxes check rule packs with. */
  readonly rulesKey: string;
  /** Devices or revocations have changed: resolves when the broker knows. */
  readonly onChange: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}): Identity {
  const { store, trust, deviceMs, rulesKey, onChange, clock, log } = parts;
  const refusals = createRefusals({ store, clock, log });
  const clones = createClones();
  const authority = () => {
    if (trust.authority) return trust.authority;
    throw new Unavailable(
      'enrol_elsewhere',
      'signing a certificate: this cloud trusts an outside authority and has not its key; ask there for the certificate',
    );
  };
  const offer = async (device: NewDevice, by: string): Promise<EnrolCode> => {
    checkDeviceId(device);
    const code = formatCode(randomBytes(10), authority() && trust.fingerprint);
    const wallMs = clock.wallMs();
    const expiresWallMs = wallMs + CODE_MS;
    await store.identity.offerCode({ codeId: codeId(code), ...device, expiresWallMs }, by, wallMs);
    return { ...device, code, expiresWallMs };
  };
  const sign = async (csr: unknown, { deviceId, roomId }: NewDevice) => {
    if (typeof csr !== 'string' || csr.length > CSR_CHARS)
      throw new InvalidInput('csr_invalid', `signing for device ${deviceId}: csr must be PKCS #10 in PEM`);
    const wallMs = clock.wallMs();
    const place = trust.listUrl === undefined ? {} : { listUrl: trust.listUrl };
    const issued = await authority().issueDevice({ csr, deviceId, roomId, wallMs, lifetimeMs: deviceMs, ...place });
    const { certificate, ...known } = issued;
    const row: CertificateRow = { ...known, deviceId, roomId, issuedWallMs: wallMs };
    return { certificate, row };
  };
  const refuse = (peer: Peer, why: string): never => {
    const actor = peer.commonName === undefined ? 'unknown' : `claims:${peer.commonName.slice(0, 64)}`;
    refusals.add({ actor, action: 'refuse_device', object: `https from ${peer.address}: ${why}` });
    throw new Forbidden('device_refused', `taking in a device from ${peer.address}: ${why}; enrol the box again`);
  };
  /** The certificate as it was issued here, or, where another authority issues, as far as its name tells. */
  const known = async (peer: Peer): Promise<{ device: NewDevice; row?: CertificateRow }> => {
    if (peer.serial === undefined) return refuse(peer, 'no certificate');
    if (!peer.authorized) return refuse(peer, REASONS[peer.reason ?? ''] ?? 'certificate not accepted');
    const row = await store.identity.certificate(plainSerial(peer.serial));
    if (!row && trust.authority) return refuse(peer, 'certificate not issued here');
    if (row && row.revokedWallMs !== undefined) return refuse(peer, `certificate revoked (${row.reason})`);
    const device = await store.device(row?.deviceId ?? peer.commonName ?? '');
    if (!device) return refuse(peer, 'device not known or revoked');
    return { device: { deviceId: device.deviceId, roomId: device.roomId }, ...(row ? { row } : {}) };
  };
  const cloned = (deviceId: string, words: string | undefined) => {
    if (words === undefined) return;
    log.error({ deviceId, words }, 'one certificate is used by two machines');
    const entry = { wallMs: clock.wallMs(), actor: 'cloud', action: 'certificate_cloned' };
    store.appendLog({ ...entry, object: `${deviceId}: ${words}` }).catch((error: unknown) => {
      log.error({ err: error, deviceId }, 'a cloned certificate could not be logged');
    });
  };

  return {
    trust,
    offer: (device) => offer(device, CONSOLE),
    async offerBy(who, device) {
      const { user } = requireSupervisor(who);
      return offer(device, user.name);
    },
    async enrol({ code, csr }, address) {
      const parsed = typeof code === 'string' ? parseCode(code) : undefined;
      const offered = parsed && (await store.identity.code(codeId(parsed.code), clock.wallMs()));
      const refused = (): never => {
        refusals.add({ actor: 'unknown', action: 'refuse_code', object: `from ${address}` });
        throw new Forbidden(
          'enrol_code_refused',
          `enrolling a box from ${address}: the code is wrong, used or expired; ask a supervisor for a new one`,
        );
      };
      if (!offered) return refused();
      const { certificate, row } = await sign(csr, offered);
      if (!(await store.identity.enrol(offered.codeId, row, hashSecret(newSecret())))) return refused();
      await onChange();
      return { deviceId: row.deviceId, roomId: row.roomId, certificate, ca: trust.caPem, rulesKey };
    },
    async renew(peer, csr) {
      const { device } = await known(peer);
      const { certificate, row } = await sign(csr, device);
      if (!(await store.identity.renew(row))) return refuse(peer, 'device not known or revoked');
      return { certificate, ca: trust.caPem, rulesKey };
    },
    async confirm(peer) {
      const { row } = await known(peer);
      if (row) await store.identity.confirm(row, clock.wallMs());
    },
    async revokeBy(who, deviceId, reason) {
      const { user } = requireSupervisor(who);
      const words = reason.replaceAll(/[^\P{C}]/gu, ' ').slice(0, REASON_CHARS) || 'no reason given';
      if (!(await store.identity.revokeDevice(deviceId, words, user.name, clock.wallMs())))
        throw new InvalidInput('device_unknown', `revoking device ${deviceId.slice(0, 64)}: no such device`);
      await onChange();
    },
    async deviceOf(peer) {
      return (await known(peer)).device;
    },
    onNotice(notice) {
      if (notice.kind === 'refused') {
        const from = notice.address === undefined ? '' : ` from ${notice.address}`;
        refusals.add({ actor: 'unknown', action: 'refuse_connection', object: `mqtt${from}: ${notice.reason}` });
      } else if (notice.kind === 'denied') {
        const { deviceId, verb, topic } = notice;
        refusals.add({ actor: `device:${deviceId}`, action: 'refuse_topic', object: `${verb} ${topic}` });
      } else cloned(notice.deviceId, clones.entered(notice.deviceId, notice, clock.monoMs()));
    },
    heardBoot(deviceId, bootId) {
      cloned(deviceId, clones.booted(deviceId, bootId, clock.monoMs()));
    },
    close: () => refusals.close(),
  };
}

const codeId = (code: string): string => createHash('sha256').update(code).digest('hex');

/** OpenSSL's words in ours; they go into the log, so none of the other side's own may be in them. */
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate expired',
  CERT_NOT_YET_VALID: 'certificate not yet valid',
  CERT_REVOKED: 'certificate revoked',
  INVALID_PURPOSE: 'certificate is not for a device',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate of another authority',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate of another authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate of another authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate of another authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate of another authority',
};
