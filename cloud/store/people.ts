/** Users, sessions, one-time tokens and devices as rows; only hashes of secrets are kept. */
import { InvalidInput } from '../../protocol/errors.ts';
import type { UserView } from '../http/api.ts';
import { appendLog } from './log.ts';
import type { Reader, Tx } from './sql.ts';
import type { DeviceRow, UserRow } from './store.ts';

/** Who may log in at all. */
const ENABLED = 'disabled_wall_ms is null';

export async function countUsers(reader: Reader): Promise<number> {
  const rows = await reader.all<{ n: number }>('select count(*) as n from users');
  return rows[0]?.n ?? 0;
}

export async function findUser(reader: Reader, name: string): Promise<UserRow | undefined> {
  const rows = await reader.all<{ user_id: string; name: string; role: UserView['role']; password: string }>(
    `select user_id, name, role, password from users where name = $1 and ${ENABLED}`,
    name,
  );
  const row = rows[0];
  return row && { userId: row.user_id, name: row.name, role: row.role, password: row.password };
}

/** See Store.setUpFirstUser. */
export async function addFirstUser(
  tx: Tx,
  user: UserRow,
  tokenId: string,
  wallMs: number,
): Promise<'done' | 'token_invalid' | 'already_set_up'> {
  if ((await countUsers(tx)) > 0) return 'already_set_up';
  const used = await tx.all<{ token_id: string }>(
    `update tokens set used_wall_ms = $1 where token_id = $2 and purpose = 'setup' and used_wall_ms is null
     and expires_wall_ms > $1 returning token_id`,
    wallMs,
    tokenId,
  );
  if (used.length === 0) return 'token_invalid';
  await tx.all(
    'insert into users (user_id, name, role, password, added_wall_ms) values ($1, $2, $3, $4, $5)',
    user.userId,
    user.name,
    user.role,
    user.password,
    wallMs,
  );
  await appendLog(tx, { wallMs, actor: user.name, action: 'setup', object: user.userId });
  return 'done';
}

export async function replaceSetupToken(tx: Tx, tokenId: string, expiresWallMs: number): Promise<void> {
  await tx.all("delete from tokens where purpose = 'setup' and used_wall_ms is null");
  await tx.all(
    "insert into tokens (token_id, purpose, expires_wall_ms) values ($1, 'setup', $2)",
    tokenId,
    expiresWallMs,
  );
}

export async function addSession(
  tx: Tx,
  session: { sessionId: string; userId: string; begunWallMs: number; expiresWallMs: number },
): Promise<void> {
  // Here, where a session begins, the old ones go: a table that only grows is a leak.
  await tx.all('delete from sessions where expires_wall_ms <= $1', session.begunWallMs);
  await tx.all(
    'insert into sessions (session_id, user_id, begun_wall_ms, expires_wall_ms) values ($1, $2, $3, $4)',
    session.sessionId,
    session.userId,
    session.begunWallMs,
    session.expiresWallMs,
  );
  await tx.all('update users set last_login_wall_ms = $2 where user_id = $1', session.userId, session.begunWallMs);
}

export async function findSession(reader: Reader, sessionId: string, wallMs: number): Promise<UserView | undefined> {
  const rows = await reader.all<{ user_id: string; name: string; role: UserView['role'] }>(
    `select u.user_id, u.name, u.role from sessions s join users u on u.user_id = s.user_id
     where s.session_id = $1 and s.expires_wall_ms > $2 and u.${ENABLED}`,
    sessionId,
    wallMs,
  );
  const row = rows[0];
  return row && { userId: row.user_id, name: row.name, role: row.role };
}

interface DeviceColumns {
  readonly device_id: string;
  readonly room_id: string;
  readonly secret_hash: string;
  readonly added_wall_ms: number;
}

const view = (row: DeviceColumns): DeviceRow => ({
  deviceId: row.device_id,
  roomId: row.room_id,
  secretHash: row.secret_hash,
  addedWallMs: row.added_wall_ms,
});
const SELECT = 'select device_id, room_id, secret_hash, added_wall_ms from devices where revoked_wall_ms is null';

export async function listDevices(reader: Reader): Promise<DeviceRow[]> {
  return (await reader.all<DeviceColumns>(`${SELECT} order by device_id`)).map(view);
}

export async function findDevice(reader: Reader, deviceId: string): Promise<DeviceRow | undefined> {
  return (await reader.all<DeviceColumns>(`${SELECT} and device_id = $1`, deviceId)).map(view)[0];
}

/** See Store.putDevice. */
export async function upsertDevice(tx: Tx, device: DeviceRow, by: string): Promise<void> {
  const rows = await tx.all<{ device_id: string }>(
    `insert into devices (device_id, room_id, secret_hash, added_wall_ms) values ($1, $2, $3, $4)
     on conflict (device_id) do update set secret_hash = excluded.secret_hash
     where devices.room_id = excluded.room_id and devices.revoked_wall_ms is null returning device_id`,
    device.deviceId,
    device.roomId,
    device.secretHash,
    device.addedWallMs,
  );
  if (rows.length === 0)
    throw new InvalidInput(
      'device_exists',
      `adding device ${device.deviceId} to room ${device.roomId}: this id was given to another room or revoked; choose another id`,
    );
  await appendLog(tx, {
    wallMs: device.addedWallMs,
    actor: by,
    action: 'add_device',
    object: `${device.deviceId} → ${device.roomId}`,
  });
}
