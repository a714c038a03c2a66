/** cloud.yaml: parsed once, every fault with its path and reason, defaults for one machine; and the refusal of plaintext beyond it. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { InvalidInput } from '../protocol/errors.ts';
import { clipsOf, clipsShape, type S3Config } from './config-clips.ts';
import { type MetricsConfig, metricsOf, metricsShape } from './config-metrics.ts';
import { type PlacesConfig, provincesOf, provincesShape } from './config-places.ts';
import { type RetentionConfig, retentionOf, retentionShape } from './config-retention.ts';
import type { StoreConfig } from './store/open.ts';

export interface Tls {
  readonly certFile: string;
  readonly keyFile: string;
}

/** `auto`: of the cloud's own authority, made and renewed by itself. */
export type TlsChoice = Tls | 'auto';

/** Who signs, and what the cloud's own servers are called; present wherever something leaves this machine. */
export interface IdentityConfig {
  /** Keys, certificates, the revocation list: absolute. The same for all processes of one cloud. */
  readonly folder: string;
  /** Host names and addresses under which boxes and browsers reach this cloud. */
  readonly names: readonly string[];
  /** Life of a device's certificate; it is renewed after two thirds. */
  readonly deviceMs: number;
  /** Where outside brokers fetch the revocation list; it is written into the certificates. */
  readonly listUrl?: string;
  /** An outside authority: with its key it signs here, without it only trusts. */
  readonly ca?: { readonly certFile: string; readonly keyFile?: string; readonly listFile?: string };
}

export type BrokerConfig =
  | {
      /** A Mosquitto that the cloud starts as its child. `port` 0: the one used last, else a free one. */
      readonly kind: 'child';
      readonly host: string;
      readonly port: number;
      /** With it devices need a certificate; the cloud itself stays on a second listener of this machine. */
      readonly tls?: TlsChoice;
      /** Where the ingest's password lies for other processes; made when absent. */
      readonly passwordFile?: string;
      /** Beside TLS: port on 127.0.0.1 for the other processes of this machine. */
      readonly ingestPort?: number;
      /** Beside TLS: port on `host` for ingest workers and web processes of other machines, by their certificate. */
      readonly workersPort?: number;
    }
  | {
      readonly kind: 'outside';
      /** Where this process connects. */
      readonly url: string;
      /** Where boxes do, where that differs: what a box that is enrolled is told. */
      readonly boxesUrl?: string;
      readonly user?: string;
      readonly passwordFile?: string;
      readonly caFile?: string;
      /** Certificate and key of the ingest, where the broker asks for them. */
      readonly certFile?: string;
      readonly keyFile?: string;
      /** False for a broker without shared subscriptions: then one ingest worker has all the work. */
      readonly shared?: boolean;
    };

/** What one process does; several processes on one database and one broker share the work. */
export const ROLES = ['ingest', 'web', 'broker'] as const;
export type Role = (typeof ROLES)[number];

export interface CloudConfig extends RetentionConfig, PlacesConfig {
  readonly roles: readonly Role[];
  /** Folder of the store, the clips, the broker's files: absolute. */
  readonly data: string;
  readonly http: {
    readonly host: string;
    /** 0: a free one. */
    readonly port: number;
    /** How browsers reach it when that differs from host and port (a proxy): origin without path. */
    readonly publicUrl?: string;
    readonly tls?: TlsChoice;
  };
  readonly mqtt: BrokerConfig;
  /** Where figures are read; nowhere where absent. */
  readonly metrics?: MetricsConfig;
  readonly identity?: IdentityConfig;
  readonly store: StoreConfig;
  /** Where clips lie: under `data` where absent. */
  readonly clips?: S3Config;
  /** Folder of fetched models: the rule page tries recordings with the ear in it. Need not exist. */
  readonly models: string;
}

/** What a command line may put above the file. */
export interface CloudOverrides {
  readonly data?: string;
  readonly port?: number;
  /** Counts where the file names no folder of models. */
  readonly models?: string;
}

const port = z.int().min(0).max(65535);
const tls = z.union([z.literal('auto'), z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) })]);
const DAY_MS = 86_400_000;
const shape = z.strictObject({
  roles: z.array(z.enum(ROLES)).min(1).exactOptional(),
  data: z.string().min(1).default('.data/cloud'),
  http: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.default(8080),
      publicUrl: z.string().exactOptional(),
      tls: tls.exactOptional(),
    })
    .prefault({}),
  mqtt: z
    .strictObject({
      broker: z.string().min(1).default('child'),
      host: z.string().min(1).exactOptional(),
      port: port.exactOptional(),
      tls: tls.exactOptional(),
      ingestPort: z.int().min(1).max(65535).exactOptional(),
      workersPort: z.int().min(1).max(65535).exactOptional(),
      user: z.string().min(1).exactOptional(),
      passwordFile: z.string().min(1).exactOptional(),
      caFile: z.string().min(1).exactOptional(),
      certFile: z.string().min(1).exactOptional(),
      keyFile: z.string().min(1).exactOptional(),
      shared: z.boolean().exactOptional(),
      boxesUrl: z
        .string()
        .regex(/^mqtts:\/\/[A-Za-z0-9.:[\]-]{1,260}$/, 'a url such as mqtts://broker.example:8883')
        .exactOptional(),
    })
    .prefault({}),
  identity: z
    .strictObject({
      folder: z.string().min(1).exactOptional(),
      names: z
        .array(z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'a host name or an IP address'))
        .max(32)
        .default([]),
      listUrl: z
        .string()
        .regex(/^https?:\/\/[^\s?#]{1,300}$/, 'http:// or https:// with host and path')
        .exactOptional(),
      deviceDays: z.number().min(1).max(3650).default(90),
      ca: z
        .strictObject({
          certFile: z.string().min(1),
          keyFile: z.string().min(1).exactOptional(),
          listFile: z.string().min(1).exactOptional(),
        })
        .exactOptional(),
    })
    .exactOptional(),
  store: z.string().min(1).default('sqlite'),
  clips: clipsShape.exactOptional(),
  models: z.string().min(1).exactOptional(),
  retention: retentionShape.exactOptional(),
  provinces: provincesShape.exactOptional(),
  metrics: metricsShape.exactOptional(),
});
type Shape = z.output<typeof shape>;

/** True for addresses that never leave this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * Reads the file (none: all defaults). Relative paths are relative to the file, else to the working folder.
 * Throws InvalidInput `cloud_config` that lists every fault as `path: reason`.
 */
export function loadCloudConfig(path?: string, overrides: CloudOverrides = {}): CloudConfig {
  if (path === undefined) return parseCloudConfig('', process.cwd(), overrides);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new InvalidInput('cloud_config', `reading ${path}: ${(cause as Error).message}`, cause);
  }
  return parseCloudConfig(text, dirname(resolve(path)), overrides, path);
}

/** The same from text; `folder` is what relative paths are relative to. */
export function parseCloudConfig(
  text: string,
  folder: string,
  overrides: CloudOverrides = {},
  name = 'cloud.yaml',
): CloudConfig {
  const document = parseDocument(text);
  if (document.errors.length > 0)
    fail(
      name,
      document.errors.map((error) => error.message),
    );
  const parsed = shape.safeParse(document.toJS() ?? {});
  if (!parsed.success)
    fail(
      name,
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`),
    );
  const config = parsed.data as Shape;
  if (overrides.port !== undefined) config.http.port = overrides.port;
  const at = (file: string) => resolve(folder, file);
  const data = overrides.data === undefined ? at(config.data) : resolve(overrides.data);
  const files = (choice: TlsChoice): TlsChoice =>
    choice === 'auto' ? choice : { certFile: at(choice.certFile), keyFile: at(choice.keyFile) };
  const faults: string[] = [];
  const http = httpOf(config, files, faults);
  const mqtt = brokerOf(config, files, at, faults);
  const roles = rolesOf(config, mqtt, faults);
  const clips = clipsOf(config.clips, { days: config.retention?.days, at, isLoopback, faults });
  const metrics = metricsOf(config.metrics, { at, files, isLoopback, faults });
  const identity = identityOf(config, { http, mqtt, metrics, data, at, faults });
  const store = storeOf(config.store, data, at, faults);
  const retention = retentionOf(config.retention, faults);
  const provinces = provincesOf(config.provinces, faults);
  if (faults.length > 0) fail(name, faults);
  return Object.freeze({
    roles,
    data,
    http,
    mqtt,
    ...(metrics ? { metrics } : {}),
    ...(identity ? { identity } : {}),
    store,
    ...(clips ? { clips } : {}),
    models: config.models === undefined ? (overrides.models ?? join(data, 'models')) : at(config.models),
    ...retention,
    ...(provinces ? { provinces } : {}),
  });
}

function fail(name: string, faults: readonly string[]): never {
  throw new InvalidInput('cloud_config', `reading ${name}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
}

function rolesOf({ roles }: Shape, { kind }: BrokerConfig, faults: string[]): readonly Role[] {
  if (roles === undefined) return kind === 'child' ? ROLES : ROLES.filter((role) => role !== 'broker');
  if (kind === 'child' && !roles.includes('broker'))
    faults.push('roles: without broker, mqtt.broker must be the url of the one that another process or machine runs');
  if (kind === 'outside' && roles.includes('broker'))
    faults.push('roles: broker is only for mqtt.broker: child; an outside broker runs by itself');
  return [...new Set(roles)];
}

function httpOf({ http }: Shape, files: (choice: TlsChoice) => TlsChoice, faults: string[]): CloudConfig['http'] {
  if (!isLoopback(http.host) && !http.tls)
    faults.push(
      `http.host: ${http.host} is reachable from other machines and needs http.tls (auto, or certFile and keyFile); or keep 127.0.0.1 and put a proxy with TLS in front`,
    );
  const url = http.publicUrl === undefined ? undefined : URL.parse(http.publicUrl);
  if (http.publicUrl !== undefined && (url?.pathname !== '/' || url.search !== '' || !/^https?:$/.test(url.protocol)))
    faults.push('http.publicUrl: must be an origin such as https://supervision.example');
  else if (url && url.protocol === 'http:' && !isLoopback(url.hostname))
    faults.push('http.publicUrl: must be https:// beyond this machine');
  return {
    host: http.host,
    port: http.port,
    ...(url ? { publicUrl: url.origin } : {}),
    ...(http.tls ? { tls: files(http.tls) } : {}),
  };
}

function brokerOf(
  { mqtt }: Shape,
  files: (choice: TlsChoice) => TlsChoice,
  at: (file: string) => string,
  faults: string[],
): BrokerConfig {
  if (mqtt.broker === 'child') {
    for (const key of ['user', 'caFile', 'certFile', 'keyFile', 'shared', 'boxesUrl'] as const)
      if (mqtt[key] !== undefined) faults.push(`mqtt.${key}: only for an outside broker (mqtt.broker: mqtts://…)`);
    const host = mqtt.host ?? '127.0.0.1';
    if (!isLoopback(host) && !mqtt.tls)
      faults.push(
        `mqtt.host: ${host} is reachable from other machines and needs mqtt.tls (auto, or certFile and keyFile)`,
      );
    if (mqtt.workersPort !== undefined && !mqtt.tls)
      faults.push('mqtt.workersPort: needs mqtt.tls (auto, or certFile and keyFile)');
    return {
      kind: 'child',
      host,
      port: mqtt.port ?? 0,
      ...(mqtt.tls ? { tls: files(mqtt.tls) } : {}),
      ...(mqtt.passwordFile === undefined ? {} : { passwordFile: at(mqtt.passwordFile) }),
      ...(mqtt.ingestPort === undefined ? {} : { ingestPort: mqtt.ingestPort }),
      ...(mqtt.workersPort === undefined ? {} : { workersPort: mqtt.workersPort }),
    };
  }
  for (const key of ['host', 'port', 'tls', 'ingestPort', 'workersPort'] as const)
    if (mqtt[key] !== undefined) faults.push(`mqtt.${key}: only for mqtt.broker: child`);
  const url = URL.parse(mqtt.broker);
  if (!url || !/^mqtts?:$/.test(url.protocol))
    faults.push('mqtt.broker: must be "child" or the url of an outside broker such as mqtts://broker.example:8883');
  else if (url.protocol === 'mqtt:' && !isLoopback(url.hostname))
    faults.push('mqtt.broker: must be mqtts:// beyond this machine');
  if (url && (url.username !== '' || url.password !== ''))
    faults.push('mqtt.broker: credentials do not belong into the url; use mqtt.user and mqtt.passwordFile');
  return {
    kind: 'outside',
    url: mqtt.broker,
    ...(mqtt.user === undefined ? {} : { user: mqtt.user }),
    ...(mqtt.passwordFile === undefined ? {} : { passwordFile: at(mqtt.passwordFile) }),
    ...(mqtt.caFile === undefined ? {} : { caFile: at(mqtt.caFile) }),
    ...(mqtt.certFile === undefined ? {} : { certFile: at(mqtt.certFile) }),
    ...(mqtt.keyFile === undefined ? {} : { keyFile: at(mqtt.keyFile) }),
    ...(mqtt.shared === undefined ? {} : { shared: mqtt.shared }),
    ...(mqtt.boxesUrl === undefined ? {} : { boxesUrl: mqtt.boxesUrl }),
  };
}

/** Undefined where nothing leaves this machine and nothing was asked for. */
function identityOf(
  { identity }: Shape,
  parts: {
    readonly http: CloudConfig['http'];
    readonly mqtt: BrokerConfig;
    readonly metrics: MetricsConfig | undefined;
    readonly data: string;
    readonly at: (file: string) => string;
    readonly faults: string[];
  },
): IdentityConfig | undefined {
  const { http, mqtt, metrics, data, at, faults } = parts;
  const childTls = mqtt.kind === 'child' ? mqtt.tls : undefined;
  if (!identity && !http.tls && !childTls && !metrics?.tls) return undefined;
  const { folder, names = [], deviceDays = 90, listUrl, ca } = identity ?? {};
  if (ca && ca.keyFile === undefined && (http.tls === 'auto' || childTls === 'auto'))
    faults.push('identity.ca: without its keyFile nothing can be signed here; give http.tls and mqtt.tls their files');
  if (ca && ca.keyFile === undefined && childTls && ca.listFile === undefined)
    faults.push('identity.ca.listFile: the broker needs the revocation list of this authority');
  const own = [http.publicUrl === undefined ? undefined : URL.parse(http.publicUrl)?.hostname, http.host];
  if (mqtt.kind === 'child') own.push(mqtt.host);
  if (metrics?.tls) own.push(metrics.host);
  const called = own.filter((name) => name !== undefined && !['0.0.0.0', '::', '[::]'].includes(name)) as string[];
  return {
    folder: folder === undefined ? join(data, 'identity') : at(folder),
    names: [...new Set([...names, ...called, 'localhost', '127.0.0.1', '::1'])],
    deviceMs: deviceDays * DAY_MS,
    ...(listUrl === undefined ? {} : { listUrl }),
    ...(ca
      ? {
          ca: {
            certFile: at(ca.certFile),
            ...(ca.keyFile === undefined ? {} : { keyFile: at(ca.keyFile) }),
            ...(ca.listFile === undefined ? {} : { listFile: at(ca.listFile) }),
          },
        }
      : {}),
  };
}

function storeOf(store: string, data: string, at: (file: string) => string, faults: string[]): StoreConfig {
  if (store === 'sqlite') return { kind: 'sqlite', path: join(data, 'cloud.db') };
  if (!store.includes('://')) return { kind: 'sqlite', path: at(store) };
  const url = URL.parse(store);
  const secure = ['require', 'verify-ca', 'verify-full'].includes(url?.searchParams.get('sslmode') ?? '');
  if (!url || !/^postgres(?:ql)?:$/.test(url.protocol))
    faults.push(
      'store: must be "sqlite", a file path, or postgres://user@host/database (password in PGPASSWORD or ~/.pgpass)',
    );
  else if (!secure && !isLoopback(url.hostname) && url.hostname !== '')
    faults.push('store: add ?sslmode=verify-full: plaintext is refused beyond this machine');
  return { kind: 'postgres', url: store };
}
