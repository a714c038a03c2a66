/** People of the desk as rows: invited, let in by a one-time link, disabled; each with its entry in the log, or not at all. */
import { InvalidInput } from '../../protocol/errors.ts';
import type { UserView } from '../http/api.ts';
import type { PersonView } from '../http/people-api.ts';
import { appendLog } from './log.ts';
import type { Reader, Tx } from './sql.ts';

/** `tokenId` is the SHA-256 of the token, which is kept nowhere. */
export interface LinkRow {
  readonly tokenId: string;
  readonly expiresWallMs: number;
}

/** Who does it, and when. */
export interface StaffBy {
  readonly actor: string;
  readonly wallMs: number;
}

/** Part of the Store; each method is one transaction. */
export interface StaffStore {
  list(wallMs: number): Promise<readonly PersonView[]>;
  /** Throws InvalidInput `name_taken`. */
  invite(user: UserView, link: LinkRow, by: StaffBy): Promise<PersonView>;
  /** Replaces every older link of the person. Throws InvalidInput `person_unknown`, `person_disabled`. */
  offerLink(userId: string, link: LinkRow, by: StaffBy): Promise<PersonView>;
  /** Whose link it is, while it is good. */
  link(tokenId: string, wallMs: number): Promise<UserView | undefined>;
  /** Uses the link up, sets the password, ends all sessions of the person. Undefined when the link is not good. */
  accept(
    tokenId: string,
    password: string,
    wallMs: number,
  ): Promise<{ user: UserView; ended: readonly string[] } | undefined>;
  /** Ends every session of the person but `keep`. Returns those. */
  setPassword(userId: string, password: string, keep: string, by: StaffBy): Promise<readonly string[]>;
  /** Ends all sessions and links. Throws InvalidInput `person_unknown`, `last_supervisor`. Returns the sessions. */
  disable(userId: string, by: StaffBy): Promise<{ person: PersonView; ended: readonly string[] }>;
  enable(userId: string, by: StaffBy): Promise<PersonView>;
}

interface Row {
  readonly user_id: string;
  readonly name: string;
  readonly role: UserView['role'];
  readonly password: string;
  readonly added_wall_ms: number;
  readonly last_login_wall_ms: number | null;
  readonly disabled_wall_ms: number | null;
  readonly link_until: number | null;
}

const SELECT = `select u.user_id, u.name, u.role, u.password, u.added_wall_ms, u.last_login_wall_ms, u.disabled_wall_ms,
  (select max(t.expires_wall_ms) from tokens t
   where t.user_id = u.user_id and t.used_wall_ms is null and t.expires_wall_ms > $1) as link_until
  from users u`;

const view = (row: Row): PersonView => ({
  userId: row.user_id,
  name: row.name,
  role: row.role,
  addedWallMs: row.added_wall_ms,
  invited: row.password === '',
  ...(row.last_login_wall_ms === null ? {} : { lastLoginWallMs: row.last_login_wall_ms }),
  ...(row.disabled_wall_ms === null ? {} : { disabledWallMs: row.disabled_wall_ms }),
  ...(row.link_until === null ? {} : { linkExpiresWallMs: row.link_until }),
});

/** See StaffStore.list. */
export async function listStaff(reader: Reader, wallMs: number): Promise<PersonView[]> {
  return (await reader.all<Row>(`${SELECT} order by u.added_wall_ms, u.user_id`, wallMs)).map(view);
}

async function person(tx: Tx, userId: string, wallMs: number): Promise<PersonView> {
  const row = (await tx.all<Row>(`${SELECT} where u.user_id = $2`, wallMs, userId))[0];
  if (!row) throw new InvalidInput('person_unknown', `looking for person ${userId}: there is none`);
  return view(row);
}

async function putLink(tx: Tx, userId: string, { tokenId, expiresWallMs }: LinkRow): Promise<void> {
  await tx.all('delete from tokens where user_id = $1 and used_wall_ms is null', userId);
  await tx.all(
    "insert into tokens (token_id, purpose, expires_wall_ms, user_id) values ($1, 'password', $2, $3)",
    tokenId,
    expiresWallMs,
    userId,
  );
}

async function endSessions(tx: Tx, userId: string, keep = ''): Promise<string[]> {
  const rows = await tx.all<{ session_id: string }>(
    'delete from sessions where user_id = $1 and session_id <> $2 returning session_id',
    userId,
    keep,
  );
  return rows.map((row) => row.session_id);
}

/** See StaffStore.invite. */
export async function inviteStaff(
  tx: Tx,
  user: UserView,
  link: LinkRow,
  { actor, wallMs }: StaffBy,
): Promise<PersonView> {
  const added = await tx.all<{ user_id: string }>(
    `insert into users (user_id, name, role, password, added_wall_ms) values ($1, $2, $3, '', $4)
     on conflict do nothing returning user_id`,
    user.userId,
    user.name,
    user.role,
    wallMs,
  );
  if (added.length === 0)
    throw new InvalidInput(
      'name_taken',
      'inviting a person: somebody of this name is known already; choose another name',
    );
  await putLink(tx, user.userId, link);
  await appendLog(tx, { wallMs, actor, action: 'invite_person', object: `${user.name} (${user.role})` });
  return person(tx, user.userId, wallMs);
}

/** See StaffStore.offerLink. */
export async function offerStaffLink(
  tx: Tx,
  userId: string,
  link: LinkRow,
  { actor, wallMs }: StaffBy,
): Promise<PersonView> {
  const { name, disabledWallMs } = await person(tx, userId, wallMs);
  if (disabledWallMs !== undefined)
    throw new InvalidInput('person_disabled', `giving a link to ${userId}: the person is disabled; enable them first`);
  await putLink(tx, userId, link);
  await appendLog(tx, { wallMs, actor, action: 'password_link', object: name });
  return person(tx, userId, wallMs);
}

/** See StaffStore.link. */
export async function findStaffLink(reader: Reader, tokenId: string, wallMs: number): Promise<UserView | undefined> {
  const rows = await reader.all<{ user_id: string; name: string; role: UserView['role'] }>(
    `select u.user_id, u.name, u.role from tokens t join users u on u.user_id = t.user_id
     where t.token_id = $1 and t.purpose = 'password' and t.used_wall_ms is null and t.expires_wall_ms > $2
       and u.disabled_wall_ms is null`,
    tokenId,
    wallMs,
  );
  return rows[0] && { userId: rows[0].user_id, name: rows[0].name, role: rows[0].role };
}

/** See StaffStore.accept. */
export async function acceptStaffLink(
  tx: Tx,
  tokenId: string,
  password: string,
  wallMs: number,
): Promise<{ user: UserView; ended: readonly string[] } | undefined> {
  const user = await findStaffLink(tx, tokenId, wallMs);
  if (!user) return undefined;
  const used = await tx.all<{ token_id: string }>(
    'update tokens set used_wall_ms = $2 where token_id = $1 and used_wall_ms is null returning token_id',
    tokenId,
    wallMs,
  );
  if (used.length === 0) return undefined;
  await tx.all('update users set password = $2 where user_id = $1', user.userId, password);
  const ended = await endSessions(tx, user.userId);
  await appendLog(tx, { wallMs, actor: user.name, action: 'accept_link', object: user.userId });
  return { user, ended };
}

/** See StaffStore.setPassword. */
export async function setStaffPassword(
  tx: Tx,
  userId: string,
  password: string,
  keep: string,
  { actor, wallMs }: StaffBy,
): Promise<readonly string[]> {
  await tx.all('update users set password = $2 where user_id = $1', userId, password);
  await tx.all('delete from tokens where user_id = $1 and used_wall_ms is null', userId);
  await appendLog(tx, { wallMs, actor, action: 'change_password', object: userId });
  return endSessions(tx, userId, keep);
}

/** See StaffStore.disable. */
export async function disableStaff(
  tx: Tx,
  userId: string,
  { actor, wallMs }: StaffBy,
): Promise<{ person: PersonView; ended: readonly string[] }> {
  // Locked in one order: two supervisors who disable each other at once must not both succeed.
  const able = await tx.all<{ user_id: string }>(
    `select user_id from users where role = 'supervisor' and disabled_wall_ms is null and password <> ''
     order by user_id${tx.forUpdate}`,
  );
  const before = await person(tx, userId, wallMs);
  if (able.every((one) => one.user_id === userId) && able.length > 0)
    throw new InvalidInput(
      'last_supervisor',
      `disabling ${userId}: nobody else could administer; add another one first`,
    );
  await tx.all(
    'update users set disabled_wall_ms = $2 where user_id = $1 and disabled_wall_ms is null',
    userId,
    wallMs,
  );
  await tx.all('delete from tokens where user_id = $1 and used_wall_ms is null', userId);
  const ended = await endSessions(tx, userId);
  await appendLog(tx, { wallMs, actor, action: 'disable_person', object: before.name });
  return { person: await person(tx, userId, wallMs), ended };
}

/** See StaffStore.enable. */
export async function enableStaff(tx: Tx, userId: string, { actor, wallMs }: StaffBy): Promise<PersonView> {
  const { name } = await person(tx, userId, wallMs);
  await tx.all('update users set disabled_wall_ms = null where user_id = $1', userId);
  await appendLog(tx, { wallMs, actor, action: 'enable_person', object: name });
  return person(tx, userId, wallMs);
}
