/** What the cloud knows of its broker, be it the child or an outside one. */
import { readFileSync } from 'node:fs';
import { InvalidInput } from '../../protocol/errors.ts';
import type { BrokerConfig } from '../config.ts';

/** How the ingest connects. */
export interface BrokerLogin {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly ca?: Buffer;
  /** PEM of a certificate with its key, where the broker takes those instead of a password. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** False where the broker has no shared subscriptions. */
  readonly shared?: boolean;
}

/** A device as the broker needs it: `secretHash` as `hashSecret` makes it. */
export interface BrokerDevice {
  readonly deviceId: string;
  readonly roomId: string;
  readonly secretHash: string;
}

export interface Broker {
  /** Where agents connect. */
  readonly url: string;
  readonly login: BrokerLogin;
  /**
   * Resolves when exactly these devices may connect and the revocation list has been read anew. An outside broker has
   * its own lists: then nothing happens.
   */
  setDevices(devices: readonly BrokerDevice[]): Promise<void>;
  /** Ends the connection that a device may have; it comes back when it still may. Nothing happens outside. */
  drop(deviceId: string): Promise<void>;
  state(): { readonly running: boolean; readonly restarts: number; readonly reason?: string };
  close(): Promise<void>;
}

/** A broker that somebody else runs, with the ACL of docs/protocol.md. */
export function outsideBroker(config: Omit<BrokerConfig & { kind: 'outside' }, 'kind'>): Broker {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new InvalidInput(
        'broker_file',
        `reading ${path} for the broker's login: ${(cause as Error).message}`,
        cause,
      );
    }
  };
  return {
    url: config.boxesUrl ?? config.url,
    login: {
      url: config.url,
      ...(config.user === undefined ? {} : { username: config.user }),
      ...(config.passwordFile === undefined ? {} : { password: read(config.passwordFile).toString('utf8').trim() }),
      ...(config.caFile === undefined ? {} : { ca: read(config.caFile) }),
      ...(config.certFile === undefined ? {} : { cert: read(config.certFile) }),
      ...(config.keyFile === undefined ? {} : { key: read(config.keyFile) }),
      ...(config.shared === undefined ? {} : { shared: config.shared }),
    },
    setDevices: async () => undefined,
    drop: async () => undefined,
    state: () => ({ running: true, restarts: 0 }),
    close: async () => undefined,
  };
}

/**
 * The broker's address for a box that found the cloud at `host`: our child at `url` listens wherever this request found us. Undefined
 * where it is not known: the cloud's own login by certificate may be a port that boxes must not reach.
 */
export function boxesUrl(config: BrokerConfig, url: string, host: string): string | undefined {
  if (config.kind === 'outside') {
    if (config.boxesUrl !== undefined) return config.boxesUrl;
    return config.certFile === undefined && url.startsWith('mqtts:') ? url : undefined;
  }
  if (!config.tls) return undefined;
  return `mqtts://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${new URL(url).port}`;
}
