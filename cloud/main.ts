/** The cloud's list of parts: store, broker, ingest, feed, desk and HTTP, started in order and ended in reverse. */
import { join } from 'node:path';
import type { Server } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { Unavailable } from '../protocol/errors.ts';
import type { Clock } from '../protocol/time.ts';
import { createFeed } from './alerts/feed.ts';
import { type Broker, boxesUrl, outsideBroker } from './broker/broker.ts';
import { startMosquitto } from './broker/mosquitto.ts';
import { sharedSecret } from './broker/secret.ts';
import type { CloudConfig, Role } from './config.ts';
import { makeFolder } from './folder.ts';
import { createApp, tlsOptions } from './http/app.ts';
import { createHealthApp } from './http/health.ts';
import { listen } from './http/main.ts';
import { createMetricsApp } from './http/metrics.ts';
import { createUpload } from './http/upload.ts';
import { createFollower } from './identity/follow.ts';
import { createIdentity, type EnrolCode, type Identity } from './identity/identity.ts';
import { openTrust } from './identity/trust.ts';
import { createIngest } from './ingest/ingest.ts';
import { createRooms } from './ingest/rooms.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createRetention } from './retention.ts';
import { type ClipFiles, localClipFiles } from './review/clip-files.ts';
import { createDesk } from './review/desk.ts';
import { createDevices } from './review/devices.ts';
import { createEvaluations } from './review/evaluations.ts';
import { createExports } from './review/export.ts';
import { createLayouts } from './review/layout.ts';
import { createOrders } from './review/orders.ts';
import { createOverlayWords } from './review/overlay-words.ts';
import { createPeople } from './review/people.ts';
import { createPictures } from './review/pictures.ts';
import { createRules } from './review/rules.ts';
import { createRulesBench } from './review/rules-bench.ts';
import { openRulesKey } from './review/rules-key.ts';
import { createSessions } from './review/sessions.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';

const CLEAN_UP_MS = 3_600_000;
/** How often the certificates of the servers are looked at. */
const REFRESH_MS = 60_000;
const PAGE = fileURLToPath(new URL('./web/dist', import.meta.url));

export interface Cloud {
  /** The page, and where boxes upload their clips; without the role web only /healthz answers there. */
  readonly url: string;
  /** Where boxes connect. */
  readonly mqttUrl: string;
  /** Where figures are read, where cloud.yaml has `metrics`. */
  readonly metricsUrl?: string;
  /** The page with the one-time token, only while no supervisor exists. */
  readonly setupUrl?: string;
  /** Adds a box, or gives it a new secret, or with `secret` lets it keep its own; resolves when it may connect. */
  addDevice(device: { readonly deviceId: string; readonly roomId: string; readonly secret?: string }): Promise<string>;
  /** A one-time code for `evalroom enroll`. Throws Unavailable `identity_off` where nothing leaves this machine. */
  offerCode(device: { readonly deviceId: string; readonly roomId: string }): Promise<EnrolCode>;
  /** PEM of the public key that signs rule packs: for boxes that get it by file. */
  readonly rulesKey: string;
  /** Reads certificates and revocation lists that were exchanged on the disk; happens once a minute anyway. */
  refresh(): Promise<void>;
  /** Ends every part even when one of them fails, and leaves no process; throws an AggregateError afterwards. */
  close(): Promise<void>;
}

/** Resolves when it listens. Throws what the first part that could not start threw, with nothing left running. */
export async function startCloud(
  config: CloudConfig,
  machine: { readonly log: Logger; readonly clock: Clock; readonly searchPath?: string; readonly page?: string },
): Promise<Cloud> {
  const { log, clock } = machine;
  const does = (role: Role) => config.roles.includes(role);
  const ending: (() => Promise<void>)[] = [];
  const closing = new AbortController();
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= endAll(ending, closing);
    return closed;
  };
  try {
    makeFolder(config.data, 'data of cloud.yaml');
    const store = await openStore(config.store, (words) => log.warn(words));
    ending.push(() => store.close());
    const trust = config.identity && (await openTrust({ config: config.identity, store: store.identity, clock }));
    await trust?.writeList();
    const rulesKey = openRulesKey(config.identity?.folder ?? join(config.data, 'identity'));
    const identity =
      trust &&
      createIdentity({
        store,
        trust,
        deviceMs: config.identity!.deviceMs,
        rulesKey: rulesKey.publicPem,
        onChange: () => follower.check(),
        clock,
        log: log.child({ part: 'identity' }),
      });
    if (identity) ending.push(() => identity.close());
    const broker = await startBroker(config, { store, identity }, machine);
    ending.push(() => broker.close());
    const follower = createFollower({ store, trust, broker, clock, log: log.child({ part: 'broker' }) });

    const rooms = createRooms();
    const feed = createFeed({ store, log: log.child({ part: 'feed' }), clock });
    const onCommit = () => feed.poke();
    const ingest = createIngest({
      login: { ...broker.login, hears: does('web') ? (does('ingest') ? 'both' : 'rooms') : 'events' },
      store,
      rooms,
      onCommit,
      log: log.child({ part: 'ingest' }),
      clock,
    });
    const files = await openClipFiles(config, clock, closing.signal);
    const devices = createDevices({ store, broker, clock, ...(identity ? { identity } : {}) });
    const sessions = createSessions({ store, clock });
    const orders = createOrders({ store, clock, log: log.child({ part: 'orders' }) });
    ending.push(() => orders.close());
    const upload = createUpload({
      store,
      files,
      folder: join(config.data, 'uploads'),
      onCommit,
      log: log.child({ part: 'upload' }),
      clock,
    });
    if (does('web')) {
      await feed.start();
      ending.push(() => feed.close());
    }
    if (does('web') || does('ingest')) {
      await ingest.start();
      ending.push(() => ingest.close());
    }
    const health = async () => {
      const { connected, ...counts } = ingest.counts();
      const { running, restarts } = broker.state();
      return {
        ok: (connected || !(does('web') || does('ingest'))) && running,
        broker: { running, restarts },
        ingest: { connected, ...counts },
        feedLines: feed.subscribers(),
        orders: orders.counts(),
      };
    };

    const startRules = async () => {
      const bench = createRulesBench({ clock, log: log.child({ part: 'rules' }) });
      ending.push(() => bench.close());
      const { models: modelsFolder, provinces } = config;
      const provinceOf = (centre: string) => provinces?.get(centre);
      const rulesMachine = { clock, log: log.child({ part: 'rules' }), modelsFolder, provinceOf };
      const rules = createRules({ store, rooms, orders, bench, key: rulesKey, machine: rulesMachine });
      ending.push(() => rules.close());
      await rules.start();
      return rules;
    };
    const exports = createExports({ store, files, clock });
    const pictures = createPictures({ store, rooms, ingest, clock });
    const tls = config.http.tls && { ...(await trust!.server(config.http.tls)), ...trust!.clients() };
    const { tls: _choice, ...http } = config.http;
    const app = does('web')
      ? await createApp({
          people: {
            sessions,
            devices,
            desk: createDesk({ store, files, rooms, onCommit, clock }),
            orders,
            evaluations: createEvaluations({ store, rooms, orders, clock }),
            staff: createPeople({ store, sessions, clock }),
            layouts: createLayouts({ orders, rooms }),
            exports,
            pictures,
            rules: await startRules(),
            ...(identity ? { identity } : {}),
            mqttFor: (host) => boxesUrl(config.mqtt, broker.url, host),
          },
          live: { feed, rooms },
          upload,
          health,
          options: { ...http, ...(tls ? { tls } : {}), page: machine.page ?? PAGE },
          machine: { log: log.child({ part: 'http' }), clock },
        })
      : createHealthApp(health, log.child({ part: 'http' }), tls);
    ending.push(() => app.close());
    // Before the app, which waits for requests that are being answered.
    ending.push(() => exports.close());
    ending.push(() => pictures.close());
    const url = await listen(app, config.http);
    const metrics = config.metrics;
    const metricsTls = metrics?.tls && { ...(await trust!.server(metrics.tls)) };
    const metricsApp =
      metrics &&
      createMetricsApp({
        metrics: createMetrics({
          store,
          health,
          ingest: does('web') || does('ingest') ? ingest.counts : undefined,
          web: does('web')
            ? {
                rooms,
                feed: feed.counts,
                uploads: upload.counts,
                pictures: pictures.counts,
                perRoom: metrics.perRoom,
              }
            : undefined,
          clock,
          log: log.child({ part: 'metrics' }),
        }),
        token: metrics.token,
        tls: metricsTls,
        log: log.child({ part: 'metrics' }),
      });
    if (metricsApp) ending.push(() => metricsApp.close());
    const metricsUrl = metricsApp && `${await listen(metricsApp, metrics!)}/metrics`;
    const { signal } = closing;
    if (does('web'))
      void every(CLEAN_UP_MS, { work: upload.cleanUp, what: 'removing given-up uploads', log, clock }, signal);
    if (does('web') && (config.retentionMs !== undefined || config.wordDays)) {
      const overlays = createOverlayWords({ store, files, folder: join(config.data, 'uploads') });
      const part = log.child({ part: 'retention' });
      const retention = createRetention({ store, files, overlays, clock, log: part, kept: config });
      void every(
        CLEAN_UP_MS,
        { work: retention.look, what: 'letting go of what is older than the retention', log, clock },
        signal,
      );
    }
    if (does('broker') || does('web')) void follower.run(signal);
    const choices = [config.http.tls, config.mqtt.kind === 'child' ? config.mqtt.tls : undefined, metrics?.tls];
    const refresh = async () => {
      if (!(await trust?.refresh(choices))) return;
      if (metricsTls) (metricsApp!.server as unknown as Server).setSecureContext(tlsOptions(metricsTls));
      if (tls) (app.server as unknown as Server).setSecureContext(tlsOptions({ ...tls, ...trust?.clients() }));
      await broker.setDevices(await store.devices());
    };
    if (trust) void every(REFRESH_MS, { work: refresh, what: 'looking at the certificates', log, clock }, signal);
    // Two machines with one certificate are also seen in what they send: each has its own boot.
    if (identity)
      rooms.onChange((change) => {
        const deviceId = change.kind === 'state' ? follower.onlyDevice(change.roomId) : undefined;
        if (deviceId !== undefined && change.kind === 'state') identity.heardBoot(deviceId, change.state.at.bootId);
      });
    const token = does('web') ? await sessions.offerSetup() : undefined;
    const shown = config.http.publicUrl ?? called(config, url);
    return {
      url: shown,
      mqttUrl: called(config, broker.url),
      ...(metricsUrl === undefined ? {} : { metricsUrl: called(config, metricsUrl) }),
      ...(token === undefined ? {} : { setupUrl: `${shown}/#token=${token}` }),
      addDevice: devices.add,
      async offerCode(device) {
        if (!identity)
          throw new Unavailable(
            'identity_off',
            'offering a code: this cloud speaks on its own machine alone; set http.tls and mqtt.tls to auto in cloud.yaml',
          );
        return identity.offer(device);
      },
      rulesKey: rulesKey.publicPem,
      refresh,
      close,
    };
  } catch (error) {
    // The first failure is what the caller has to know; what fails while ending belongs into the log.
    await close().catch((ended: unknown) => log.error({ err: ended }, 'ending the parts that had started failed'));
    throw error;
  }
}

/** The SDK is loaded only where it is used. */
async function openClipFiles({ clips, data }: CloudConfig, clock: Clock, closing: AbortSignal): Promise<ClipFiles> {
  if (!clips) return localClipFiles(join(data, 'clips'));
  const { s3ClipFiles } = await import('./review/s3-clip-files.ts');
  return s3ClipFiles({ config: clips, aside: join(data, 'clips', 'aside'), clock, closing });
}

async function startBroker(
  config: CloudConfig,
  { store, identity }: { readonly store: Store; readonly identity: Identity | undefined },
  machine: { readonly log: Logger; readonly clock: Clock; readonly searchPath?: string },
): Promise<Broker> {
  if (config.mqtt.kind === 'outside') return outsideBroker(config.mqtt);
  const { passwordFile, ingestPort, workersPort, tls, ...at } = config.mqtt;
  return startMosquitto({
    listener: {
      ...at,
      ...(tls && identity
        ? {
            tls: {
              ...(await identity.trust.server(tls)),
              caFile: identity.trust.caFile,
              listFile: identity.trust.listFile,
              onNotice: identity.onNotice,
              ...(workersPort === undefined ? {} : { workersPort }),
            },
          }
        : {}),
    },
    ...(passwordFile === undefined ? {} : { ingestSecret: sharedSecret(passwordFile) }),
    ...(ingestPort === undefined ? {} : { ingestPort }),
    folder: join(config.data, 'broker'),
    devices: await store.devices(),
    log: machine.log.child({ part: 'broker' }),
    clock: machine.clock,
    searchPath: machine.searchPath ?? '/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/sbin',
  });
}

/** An address that others can use, where the cloud listens on all of its own. */
function called(config: CloudConfig, url: string): string {
  const name = config.identity?.names[0] ?? 'localhost';
  return url.replace(/^(\w+:\/\/)(?:0\.0\.0\.0|\[::\])/, `$1${name.includes(':') ? `[${name}]` : name}`);
}

/** Work that may fail now and then, until the signal. */
async function every(
  ms: number,
  parts: { readonly work: () => Promise<void>; readonly what: string; readonly log: Logger; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const { work, what, log, clock } = parts;
  while (!signal.aborted) {
    await work().catch((error: unknown) => log.warn({ err: error }, `${what} failed; trying again later`));
    await clock.sleep(ms, signal);
  }
}

async function endAll(ending: readonly (() => Promise<void>)[], closing: AbortController): Promise<void> {
  closing.abort();
  const faults: unknown[] = [];
  for (const end of [...ending].reverse()) await end().catch((error: unknown) => faults.push(error));
  if (faults.length > 0) throw new AggregateError(faults, 'ending the cloud: some parts failed to end');
}
