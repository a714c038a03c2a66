/** The cloud's list of parts: store, broker, ingest, feed, desk and HTTP, started in order and ended in reverse. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Clock } from '../protocol/time.ts';
import { createFeed } from './alerts/feed.ts';
import { type Broker, outsideBroker } from './broker/broker.ts';
import { startMosquitto } from './broker/mosquitto.ts';
import { sharedSecret } from './broker/secret.ts';
import type { CloudConfig, Role } from './config.ts';
import { createApp } from './http/app.ts';
import { createHealthApp } from './http/health.ts';
import { listen } from './http/main.ts';
import { createUpload } from './http/upload.ts';
import { createIngest } from './ingest/ingest.ts';
import { createRooms } from './ingest/rooms.ts';
import { localClipFiles } from './review/clip-files.ts';
import { createDesk } from './review/desk.ts';
import { createDevices } from './review/devices.ts';
import { createSessions } from './review/sessions.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';

const CLEAN_UP_MS = 3_600_000;
/** How soon the child broker knows of a device that another process has added. */
const DEVICES_MS = 2000;
const PAGE = fileURLToPath(new URL('./web/dist', import.meta.url));

export interface Cloud {
  /** The page, and where boxes upload their clips; without the role web only /healthz answers there. */
  readonly url: string;
  /** Where boxes connect. */
  readonly mqttUrl: string;
  /** The page with the one-time token, only while no supervisor exists. */
  readonly setupUrl?: string;
  /** Adds a box or gives it a new secret; resolves when it may connect. */
  addDevice(device: { readonly deviceId: string; readonly roomId: string }): Promise<string>;
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
    mkdirSync(config.data, { recursive: true, mode: 0o700 });
    const store = await openStore(config.store);
    ending.push(() => store.close());
    const broker = await startBroker(config, store, machine);
    ending.push(() => broker.close());

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
    const files = localClipFiles(join(config.data, 'clips'));
    const devices = createDevices({ store, broker, clock });
    const sessions = createSessions({ store, clock });
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
      };
    };

    const app = does('web')
      ? await createApp({
          people: { sessions, devices, desk: createDesk({ store, files, rooms, onCommit, clock }) },
          live: { feed, rooms },
          upload,
          health,
          options: { ...config.http, page: machine.page ?? PAGE },
          machine: { log: log.child({ part: 'http' }), clock },
        })
      : createHealthApp(health, log.child({ part: 'http' }), config.http.tls);
    ending.push(() => app.close());
    const url = await listen(app, config.http);
    if (does('web')) void cleanUp(upload.cleanUp, { log, clock, signal: closing.signal });
    if (does('broker')) void followDevices(store, broker, { log, clock, signal: closing.signal });
    const token = does('web') ? await sessions.offerSetup() : undefined;
    const shown = config.http.publicUrl ?? url;
    return {
      url: shown,
      mqttUrl: broker.url,
      ...(token === undefined ? {} : { setupUrl: `${shown}/#token=${token}` }),
      addDevice: devices.add,
      close,
    };
  } catch (error) {
    // The first failure is what the caller has to know; what fails while ending belongs into the log.
    await close().catch((ended: unknown) => log.error({ err: ended }, 'ending the parts that had started failed'));
    throw error;
  }
}

async function startBroker(
  config: CloudConfig,
  store: Store,
  machine: { readonly log: Logger; readonly clock: Clock; readonly searchPath?: string },
): Promise<Broker> {
  if (config.mqtt.kind === 'outside') return outsideBroker(config.mqtt);
  const { passwordFile } = config.mqtt;
  return startMosquitto({
    listener: config.mqtt,
    ...(passwordFile === undefined ? {} : { ingestSecret: sharedSecret(passwordFile) }),
    folder: join(config.data, 'broker'),
    devices: await store.devices(),
    log: machine.log.child({ part: 'broker' }),
    clock: machine.clock,
    searchPath: machine.searchPath ?? '/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/sbin',
  });
}

/** The broker runs here, and another process may have added a device to the store, or taken one away. */
async function followDevices(
  store: Store,
  broker: Broker,
  { log, clock, signal }: { readonly log: Logger; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  let known = JSON.stringify(await store.devices().catch(() => []));
  while (!signal.aborted) {
    await clock.sleep(DEVICES_MS, signal);
    if (signal.aborted) return;
    try {
      const devices = await store.devices();
      const now = JSON.stringify(devices);
      if (now !== known) await broker.setDevices(devices);
      known = now;
    } catch (error) {
      log.warn({ err: error }, 'the broker could not be told of its devices; trying again');
    }
  }
}

async function cleanUp(
  work: () => Promise<void>,
  { log, clock, signal }: { readonly log: Logger; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await work().catch((error: unknown) => log.warn({ err: error }, 'removing given-up uploads failed'));
    await clock.sleep(CLEAN_UP_MS, signal);
  }
}

async function endAll(ending: readonly (() => Promise<void>)[], closing: AbortController): Promise<void> {
  closing.abort();
  const faults: unknown[] = [];
  for (const end of [...ending].reverse()) await end().catch((error: unknown) => faults.push(error));
  if (faults.length > 0) throw new AggregateError(faults, 'ending the cloud: some parts failed to end');
}
