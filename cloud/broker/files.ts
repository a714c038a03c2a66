/** The child broker's files: its configuration, who may connect, and who may read or write which topic. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { LANES, topics } from '../../protocol/stream.ts';
import type { BrokerDevice } from './broker.ts';

/** Users of the cloud itself; no device may have such a name. */
export const INGEST_USER = 'evalroom-ingest';
export const PROBE_USER = 'evalroom-probe';

export interface Listener {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

/**
 * Content of mosquitto.conf. Nothing is persisted: the truth is the room's outbox and the store. `innerPort` is a second
 * listener on 127.0.0.1 for the cloud itself, where the first one speaks TLS under a name that this machine may not know.
 */
export function brokerConf(folder: string, listener: Listener, innerPort: number | undefined): string {
  return [
    ...(innerPort === undefined ? [] : [`listener ${innerPort} 127.0.0.1`]),
    `listener ${listener.port} ${listener.host}`,
    ...(listener.tls ? [`certfile ${listener.tls.certFile}`, `keyfile ${listener.tls.keyFile}`] : []),
    'persistence false',
    'allow_anonymous false',
    `password_file ${join(folder, 'passwords')}`,
    `acl_file ${join(folder, 'acl')}`,
    // As root Mosquitto would become another user, who may not read this folder.
    `user ${userInfo().username}`,
    // A burst after an outage waits here for the ingest; what does not fit is sent again by its agent.
    'max_inflight_messages 500',
    'max_queued_messages 50000',
    'max_queued_bytes 268435456',
    'message_size_limit 1200000',
    'retain_available false',
    'set_tcp_nodelay true',
    'sys_interval 0',
    'connection_messages false',
    'log_dest stderr',
    'log_type error',
    'log_type warning',
    '',
  ].join('\n');
}

/** Content of the ACL file. A device writes to its own room and hears its own ack; only the ingest writes acks. */
export function brokerAcl(devices: readonly BrokerDevice[]): string {
  return [
    `user ${INGEST_USER}`,
    ...LANES.map((lane) => `topic read ${topics.events('+', lane)}`),
    `topic read ${topics.state('+')}`,
    `topic read ${topics.snapshot('+', '+')}`,
    `topic write ${topics.ack('+')}`,
    '',
    ...devices.flatMap(({ deviceId, roomId }) => [
      `user ${deviceId}`,
      ...LANES.map((lane) => `topic write ${topics.events(roomId, lane)}`),
      `topic write ${topics.state(roomId)}`,
      `topic write ${topics.snapshot(roomId, '+')}`,
      `topic read ${topics.ack(roomId)}`,
      '',
    ]),
  ].join('\n');
}

/** Writes a file whole or not at all, readable by nobody else. */
export function writeWhole(folder: string, name: string, content: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
