/** One-time codes and certificates of devices as rows: what is done to an identity and its entry in the log commit together. */
import { InvalidInput } from '../../protocol/errors.ts';
import { appendLog } from './log.ts';
import { findDevice, upsertDevice } from './people.ts';
import type { Reader, Tx } from './sql.ts';

/** A certificate that was issued here. `serial` is lower-case hexadecimal without leading zeros. */
export interface CertificateRow {
  readonly serial: string;
  readonly deviceId: string;
  readonly roomId: string;
  /** SHA-256 of the DER bytes, hexadecimal. */
  readonly fingerprint: string;
  readonly issuedWallMs: number;
  readonly notAfterWallMs: number;
  readonly revokedWallMs?: number;
  /** Why it was revoked: `superseded`, `re_enrolled` or a supervisor's words. */
  readonly reason?: string;
}

export interface CodeRow {
  /** SHA-256 of the code, which is kept nowhere. */
  readonly codeId: string;
  readonly deviceId: string;
  readonly roomId: string;
  readonly expiresWallMs: number;
}

/** A device of whose certificate the log says that two machines use it. */
export interface CloneRow {
  readonly deviceId: string;
  readonly wallMs: number;
  readonly words: string;
}

/** Part of the Store; each method is one transaction. */
export interface IdentityStore {
  /** Throws InvalidInput `device_exists` when the id belongs to another room or was revoked. An older unused code ends. */
  offerCode(code: CodeRow, by: string, wallMs: number): Promise<void>;
  /** Unused and not expired, else undefined. */
  code(codeId: string, wallMs: number): Promise<CodeRow | undefined>;
  /** Uses the code up, makes the device known, revokes what it had before. False when somebody was faster. */
  enrol(codeId: string, certificate: CertificateRow, secretHash: string): Promise<boolean>;
  /** A further certificate; the older ones stay good until `confirm`. False when the device is not known any more. */
  renew(certificate: CertificateRow): Promise<boolean>;
  /** The box has stored `serial` and uses it: its other certificates are revoked. Returns how many. */
  confirm(certificate: CertificateRow, wallMs: number): Promise<number>;
  /** The device and all its certificates, for good. False when it is not known. */
  revokeDevice(deviceId: string, reason: string, by: string, wallMs: number): Promise<boolean>;
  certificate(serial: string): Promise<CertificateRow | undefined>;
  /** Those not expired at `wallMs`, revoked ones too, oldest first. */
  certificates(wallMs: number): Promise<readonly CertificateRow[]>;
  /** The last entry `certificate_cloned` of each device since then. */
  clones(sinceWallMs: number): Promise<readonly CloneRow[]>;
}

interface Columns {
  readonly serial: string;
  readonly device_id: string;
  readonly room_id: string;
  readonly fingerprint: string;
  readonly issued_wall_ms: number;
  readonly not_after_wall_ms: number;
  readonly revoked_wall_ms: number | null;
  readonly reason: string | null;
}

const SELECT =
  'select serial, device_id, room_id, fingerprint, issued_wall_ms, not_after_wall_ms, revoked_wall_ms, reason from certificates';

const view = (row: Columns): CertificateRow => ({
  serial: row.serial,
  deviceId: row.device_id,
  roomId: row.room_id,
  fingerprint: row.fingerprint,
  issuedWallMs: row.issued_wall_ms,
  notAfterWallMs: row.not_after_wall_ms,
  ...(row.revoked_wall_ms === null ? {} : { revokedWallMs: row.revoked_wall_ms }),
  ...(row.reason === null ? {} : { reason: row.reason }),
});

export async function findCertificate(reader: Reader, serial: string): Promise<CertificateRow | undefined> {
  return (await reader.all<Columns>(`${SELECT} where serial = $1`, serial)).map(view)[0];
}

export async function listCertificates(reader: Reader, wallMs: number): Promise<CertificateRow[]> {
  const rows = await reader.all<Columns>(
    `${SELECT} where not_after_wall_ms > $1 order by issued_wall_ms, serial`,
    Math.round(wallMs),
  );
  return rows.map(view);
}

export async function listClones(reader: Reader, sinceWallMs: number): Promise<CloneRow[]> {
  const rows = await reader.all<{ object: string; wall_ms: number }>(
    `select object, wall_ms from log where action = 'certificate_cloned' and wall_ms > $1 order by seq`,
    Math.round(sinceWallMs),
  );
  const found = rows.map(({ object, wall_ms: wallMs }) => {
    const at = object.indexOf(': ');
    return { deviceId: object.slice(0, at), wallMs, words: object.slice(at + 2) };
  });
  return [...new Map(found.map((one) => [one.deviceId, one])).values()];
}

export async function findCode(reader: Reader, codeId: string, wallMs: number): Promise<CodeRow | undefined> {
  const rows = await reader.all<{ code_id: string; device_id: string; room_id: string; expires_wall_ms: number }>(
    `select code_id, device_id, room_id, expires_wall_ms from enrol_codes
     where code_id = $1 and used_wall_ms is null and expires_wall_ms > $2`,
    codeId,
    Math.round(wallMs),
  );
  return rows.map((row) => ({
    codeId: row.code_id,
    deviceId: row.device_id,
    roomId: row.room_id,
    expiresWallMs: row.expires_wall_ms,
  }))[0];
}

/** See IdentityStore.offerCode. */
export async function addCode(tx: Tx, code: CodeRow, by: string, wallMs: number): Promise<void> {
  const { codeId, deviceId, roomId, expiresWallMs } = code;
  const rows = await tx.all<{ room_id: string; revoked_wall_ms: number | null }>(
    'select room_id, revoked_wall_ms from devices where device_id = $1',
    deviceId,
  );
  const known = rows[0];
  if (known && (known.room_id !== roomId || known.revoked_wall_ms !== null))
    throw new InvalidInput(
      'device_exists',
      `offering a code for device ${deviceId} in room ${roomId}: this id was given to another room or revoked; choose another id`,
    );
  await tx.all('delete from enrol_codes where device_id = $1 and used_wall_ms is null', deviceId);
  await tx.all(
    'insert into enrol_codes (code_id, device_id, room_id, expires_wall_ms) values ($1, $2, $3, $4)',
    codeId,
    deviceId,
    roomId,
    Math.round(expiresWallMs),
  );
  await appendLog(tx, { wallMs, actor: by, action: 'offer_code', object: `${deviceId} → ${roomId}` });
}

/** See IdentityStore.enrol. */
export async function enrolDevice(
  tx: Tx,
  codeId: string,
  certificate: CertificateRow,
  secretHash: string,
): Promise<boolean> {
  const { deviceId, roomId, issuedWallMs } = certificate;
  const used = await tx.all<{ code_id: string }>(
    `update enrol_codes set used_wall_ms = $1 where code_id = $2 and used_wall_ms is null and expires_wall_ms > $1
     returning code_id`,
    Math.round(issuedWallMs),
    codeId,
  );
  if (used.length === 0) return false;
  const device = { deviceId, roomId, secretHash, addedWallMs: Math.round(issuedWallMs) };
  await upsertDevice(tx, device, `device:${deviceId}`);
  await revokeOthers(tx, certificate, 're_enrolled', issuedWallMs);
  await insert(tx, certificate);
  await appendLog(tx, entry(certificate, 'enrol_device', issuedWallMs));
  return true;
}

/** See IdentityStore.renew. */
export async function addRenewal(tx: Tx, certificate: CertificateRow): Promise<boolean> {
  if (!(await findDevice(tx, certificate.deviceId))) return false;
  await insert(tx, certificate);
  await appendLog(tx, entry(certificate, 'renew_certificate', certificate.issuedWallMs));
  return true;
}

/** See IdentityStore.confirm. */
export async function confirmRenewal(tx: Tx, certificate: CertificateRow, wallMs: number): Promise<number> {
  const revoked = await revokeOthers(tx, certificate, 'superseded', wallMs);
  if (revoked > 0) await appendLog(tx, entry(certificate, 'confirm_certificate', wallMs));
  return revoked;
}

/** See IdentityStore.revokeDevice. */
export async function revokeDevice(
  tx: Tx,
  deviceId: string,
  reason: string,
  by: string,
  wallMs: number,
): Promise<boolean> {
  const at = Math.round(wallMs);
  const rows = await tx.all<{ device_id: string }>(
    'update devices set revoked_wall_ms = $1 where device_id = $2 and revoked_wall_ms is null returning device_id',
    at,
    deviceId,
  );
  if (rows.length === 0) return false;
  await tx.all(
    'update certificates set revoked_wall_ms = $1, reason = $2 where device_id = $3 and revoked_wall_ms is null',
    at,
    reason,
    deviceId,
  );
  await tx.all('delete from enrol_codes where device_id = $1 and used_wall_ms is null', deviceId);
  await appendLog(tx, { wallMs, actor: by, action: 'revoke_device', object: `${deviceId}: ${reason}` });
  return true;
}

async function revokeOthers(tx: Tx, keep: CertificateRow, reason: string, wallMs: number): Promise<number> {
  const rows = await tx.all<{ serial: string }>(
    `update certificates set revoked_wall_ms = $1, reason = $2
     where device_id = $3 and serial <> $4 and revoked_wall_ms is null returning serial`,
    Math.round(wallMs),
    reason,
    keep.deviceId,
    keep.serial,
  );
  for (const { serial } of rows)
    await appendLog(tx, {
      wallMs,
      actor: `device:${keep.deviceId}`,
      action: 'revoke_certificate',
      object: `${keep.deviceId} serial ${serial}: ${reason}`,
    });
  return rows.length;
}

const entry = ({ deviceId, serial }: CertificateRow, action: string, wallMs: number) => ({
  wallMs,
  actor: `device:${deviceId}`,
  action,
  object: `${deviceId} serial ${serial}`,
});

async function insert(tx: Tx, row: CertificateRow): Promise<void> {
  await tx.all(
    `insert into certificates (serial, device_id, room_id, fingerprint, issued_wall_ms, not_after_wall_ms)
     values ($1, $2, $3, $4, $5, $6)`,
    row.serial,
    row.deviceId,
    row.roomId,
    row.fingerprint,
    Math.round(row.issuedWallMs),
    Math.round(row.notAfterWallMs),
  );
}
