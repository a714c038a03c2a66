/** The child broker's files: its configuration, who may connect, and who may read or write which topic. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { LANES, topics } from '../../protocol/stream.ts';
import type { BrokerDevice } from './broker.ts';
import type { BrokerNotice } from './notices.ts';

/** Users of the cloud itself; no device may have such a name. */
export const INGEST_USER = 'evalroom-ingest';
export const PROBE_USER = 'evalroom-probe';

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Beyond this machine: devices come in by certificate alone, and their certificate's name is who they are. */
  readonly tls?: {
    readonly certFile: string;
    readonly keyFile: string;
    /** Authorities of the devices, and what they have revoked; read again by every `setDevices`. */
    readonly caFile: string;
    readonly listFile: string;
    /** A further port for the cloud's own processes on other machines: their certificate says who they are, their client id is their own. */
    readonly workersPort?: number;
    /** Told of who comes in and who is refused. */
    readonly onNotice: (notice: BrokerNotice) => void;
  };
}

/**
 * Content of mosquitto.conf. Nothing is persisted: the truth is the room's outbox and the store. `innerPort` is a second
 * listener on 127.0.0.1 for the cloud itself, where the first one speaks TLS under a name that this machine may not know.
 */
export function brokerConf(folder: string, listener: Listener, innerPort: number | undefined): string {
  return [
    ...(innerPort === undefined ? [] : [`listener ${innerPort} 127.0.0.1`]),
    `listener ${listener.port} ${listener.host}`,
    ...(listener.tls
      ? [
          ...tlsLines(listener.tls),
          // One connection per certificate: a copy of it throws the first one out, and both are seen.
          'use_username_as_clientid true',
          ...(listener.tls.workersPort === undefined
            ? []
            : [`listener ${listener.tls.workersPort} ${listener.host}`, ...tlsLines(listener.tls)]),
        ]
      : []),
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
    `connection_messages ${listener.tls !== undefined}`,
    'log_timestamp false',
    'log_dest stderr',
    'log_type error',
    'log_type warning',
    // Who enters, who asks for which topic, who is refused one; what is traffic is dropped outside (notices.ts).
    ...(listener.tls ? ['log_type notice', 'log_type subscribe', 'log_type debug'] : []),
    '',
  ].join('\n');
}

function tlsLines({ certFile, keyFile, caFile, listFile }: NonNullable<Listener['tls']>): string[] {
  return [
    `certfile ${certFile}`,
    `keyfile ${keyFile}`,
    `cafile ${caFile}`,
    `crlfile ${listFile}`,
    'require_certificate true',
    'use_identity_as_username true',
    'tls_version tlsv1.2',
  ];
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
