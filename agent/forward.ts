/** Towards the cloud: outbox -> MQTT. Publishes only while connected, resends what is not acked, deletes on the ack alone. */
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import { Forbidden, isRetryable } from '../protocol/errors.ts';
import { answerBytes, type PictureAnswer, type PictureAsk, readAsk } from '../protocol/picture.ts';
import { LIMITS, type RoomState, refusesMqtt5, topics } from '../protocol/stream.ts';
import type { Clock } from '../protocol/time.ts';
import { leaveBacklog, takeAck } from './ack.ts';
import { withoutCredentials } from './log.ts';
import type { Outbox } from './store/outbox.ts';
import { createWindows } from './window.ts';

export interface BrokerConnection {
  /** `mqtt://` on this machine, `mqtts://` beyond it. */
  readonly url: string;
  readonly clientId: string;
  readonly username: string;
  /** Absent where the certificate says who it is. */
  readonly password?: string;
  /** PEM contents, asked for at each connection. The broker's certificate is always checked. */
  readonly tls?: () => { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

export interface ForwardParts {
  readonly outbox: Outbox;
  readonly connection: BrokerConnection;
  readonly roomId: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ForwardHealth {
  readonly state: 'connecting' | 'connected' | 'down';
  /** Monotonic ms at which the state began. */
  readonly sinceMonoMs: number;
  readonly reason?: string;
  readonly publishedEvents: number;
  readonly resentEvents: number;
  readonly acks: number;
  /** Acks that named events never sent, or could not be read: refused, nothing was deleted. */
  readonly refusedAcks: number;
  readonly quarantines: number;
}

export interface Forward {
  /** Connects and keeps connected until `close` or `signal`; resolves at once. */
  start(signal: AbortSignal): Promise<void>;
  /** New events are in the outbox. */
  poke(): void;
  /** Newest wins; sent at most once a second and made only then, dropped while not connected. */
  publishState(make: () => RoomState): void;
  publishSnapshot(cameraId: string, jpeg: Uint8Array): void;
  /** Called when somebody at the desk asks for a larger picture; one listener. */
  onPictureAsk(listener: (ask: PictureAsk) => void): void;
  /** Dropped while not connected: whoever asked is told that nothing came. */
  publishPicture(cameraId: string, answer: PictureAnswer): void;
  /** Leaves the broker and comes back with the credentials of this moment; events wait in the outbox meanwhile. */
  reconnect(): void;
  health(): ForwardHealth;
  close(): Promise<void>;
}

/** Wait before attempt 1, 2, 3 … to connect; the last holds on. */
const CONNECT_WAITS_MS = [200, 500, 1000, 2000, 5000, 10_000, 20_000] as const;
const JITTER = 0.3;
/** A connection that held this long was a good one: the next failure begins at the first wait. */
const STABLE_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_S = 15;
const STATE_EVERY_MS = 1000;
/** Unanswered publishes beyond which none is added; a broker may ask for fewer. */
const MAX_UNANSWERED = 32;
/** Volatile payloads are dropped while this many bytes wait in the socket. */
const SOCKET_BYTES = 1024 * 1024;
/** Pause after a quarantine, by their number on this connection. */
const QUARANTINE_WAITS_MS = [0, 1000, 5000, 30_000] as const;
const QUARANTINE_LAST_MS = 60_000;

/** The forwarder of one room. Nothing is kept here that the outbox does not have: a crash loses nothing. */
export function createForward({ outbox, connection, roomId, clock, log }: ForwardParts): Forward {
  const ending = new AbortController();
  const counts = { publishedEvents: 0, resentEvents: 0, acks: 0, refusedAcks: 0, quarantines: 0 };
  let state: ForwardHealth['state'] = 'connecting';
  let sinceMonoMs = 0;
  let reason: string | undefined;
  let client: MqttClient | undefined;
  let version: 4 | 5 = 5;
  let running: Promise<void> | undefined;
  let wake: () => void = () => {};
  let woken = false;
  let leave: () => void = () => {};
  let newestState: (() => RoomState) | undefined;
  let hearAsk: (ask: PictureAsk) => void = () => {};
  let stateMonoMs = Number.NEGATIVE_INFINITY;

  const poke = (): void => {
    woken = true;
    wake();
  };
  const become = (next: ForwardHealth['state'], why?: string): void => {
    reason = why;
    if (next === state) return;
    // One line for each change, however many attempts fail in between.
    if (next === 'down') log.warn({ roomId, reason: why }, 'no connection to the broker: events wait in the outbox');
    if (next === 'connected') log.info({ roomId, events: outbox.stats().events }, 'connected to the broker');
    state = next;
    sinceMonoMs = clock.monoMs();
  };

  /** Waits until poked or until `ms` have passed. */
  const rest = async (ms: number): Promise<void> => {
    if (woken || ms <= 0) {
      woken = false;
      return;
    }
    const slept = new AbortController();
    const stop = () => slept.abort();
    ending.signal.addEventListener('abort', stop, { once: true });
    wake = stop;
    await clock.sleep(ms, slept.signal);
    ending.signal.removeEventListener('abort', stop);
    wake = () => {};
    woken = false;
  };

  /** One connection from CONNECT to its end. Returns the reason of the end. */
  const session = async (): Promise<string> => {
    const own = connect(connection.url, optionsOf(connection, version));
    let ended: string | undefined;
    let failure = 'the broker closed the connection';
    let unanswered = 0;
    let quarantines = 0;
    let pausedUntilMonoMs = 0;
    let fault: unknown;
    const windows = createWindows({ outbox, clock });
    const end = (why: string) => {
      ended ??= why;
      poke();
    };
    own.on('error', (error) => {
      if (refusesMqtt5(error)) version = 4;
      failure = withoutCredentials(error.message || (error as NodeJS.ErrnoException).code || error.name);
    });
    own.on('close', () => end(failure));
    own.on('disconnect', (packet) => {
      failure = `the broker ended the connection (reason code ${packet.reasonCode ?? 0})`;
    });
    const hearAck = (payload: Uint8Array): void => {
      const ask = readAsk(payload);
      if (ask) {
        hearAsk(ask);
        return;
      }
      const taken = takeAck(payload, outbox, windows);
      if (taken.kind !== 'taken') {
        counts.refusedAcks += 1;
        if (taken.kind === 'unreadable') return;
        const { streamId, through } = taken;
        log.error({ streamId, through }, 'an ack named events that were never sent: refused, nothing deleted');
        return;
      }
      counts.acks += 1;
      if (taken.quarantined) {
        counts.quarantines += 1;
        // Should the ingest refuse every stream, it must not become a storm.
        pausedUntilMonoMs = clock.monoMs() + (QUARANTINE_WAITS_MS[quarantines++] ?? QUARANTINE_LAST_MS);
      }
      poke();
    };
    own.on('message', (topic, payload) => {
      if (topic !== topics.ack(roomId)) return;
      try {
        hearAck(payload);
      } catch (error) {
        // Thrown into the session's own loop: here it would end the process from inside the client.
        fault = error;
        poke();
      }
    });

    // A peer that takes the connection and is silent must not hold up the end of the agent.
    const giveUp = () => own.end(true);
    ending.signal.addEventListener('abort', giveUp, { once: true });
    const receiveMaximum = await new Promise<number | undefined>((resolve) => {
      own.once('connect', (packet) => resolve(packet.properties?.receiveMaximum ?? MAX_UNANSWERED));
      own.once('close', () => resolve(undefined));
      if (ending.signal.aborted) giveUp();
    });
    ending.signal.removeEventListener('abort', giveUp);
    if (receiveMaximum === undefined || ending.signal.aborted) {
      own.end(true);
      return failure;
    }
    try {
      const granted = await own.subscribeAsync(topics.ack(roomId), { qos: 1 });
      if (granted.some(({ qos }) => qos >= 128))
        throw new Forbidden(
          'ack_topic_refused',
          `the broker refuses ${topics.ack(roomId)} to this device: enrol the box again`,
        );
    } catch (error) {
      own.end(true);
      return failure === 'the broker closed the connection'
        ? withoutCredentials(error instanceof Error ? error.message : String(error))
        : failure;
    }
    try {
      leaveBacklog(outbox);
      client = own;
      leave = () => end('new credentials');
      become('connected');
      while (ended === undefined && !ending.signal.aborted) {
        if (fault !== undefined) throw fault;
        const paused = clock.monoMs() < pausedUntilMonoMs;
        const most = Math.min(receiveMaximum, MAX_UNANSWERED);
        while (!paused && ended === undefined && unanswered < most) {
          const batch = windows.next();
          if (!batch) break;
          unanswered += 1;
          counts.publishedEvents += batch.payload.events;
          counts.resentEvents += batch.resent;
          own.publish(topics.events(roomId, batch.lane), batch.payload.json, { qos: 1 }, (error, packet) => {
            unanswered -= 1;
            const code = (packet as { reasonCode?: number } | undefined)?.reasonCode ?? 0;
            // 0x10: nobody subscribes at this moment; the resend finds the ingest when it is back.
            if (code >= 0x80) failure = `the broker refuses this device's events (reason code ${code})`;
            if (error && code >= 0x80) end(failure);
            poke();
          });
        }
        sendState(own);
        const waits = [60_000];
        if (paused) waits.push(pausedUntilMonoMs - clock.monoMs());
        else if (unanswered < most) waits.push(windows.resendInMs());
        if (newestState) waits.push(stateMonoMs + STATE_EVERY_MS - clock.monoMs());
        await rest(Math.max(1, Math.min(...waits)));
      }
    } finally {
      client = undefined;
      leave = () => {};
      if (ended === undefined && ending.signal.aborted) await own.endAsync().catch(() => own.end(true));
      else own.end(true);
    }
    return ended ?? 'closed';
  };

  const sendState = (own: MqttClient): void => {
    if (!newestState || clock.monoMs() - stateMonoMs < STATE_EVERY_MS) return;
    const json = JSON.stringify(newestState());
    newestState = undefined;
    stateMonoMs = clock.monoMs();
    publishVolatile(own, topics.state(roomId), Buffer.from(json), LIMITS.stateBytes);
  };
  const publishVolatile = (own: MqttClient, topic: string, payload: Buffer, limit: number): void => {
    const waiting = (own.stream as { writableLength?: number } | undefined)?.writableLength ?? 0;
    if (payload.length > limit || waiting > SOCKET_BYTES) return;
    own.publish(topic, payload, { qos: 0 }, () => {});
  };

  const run = async (): Promise<void> => {
    for (let attempt = 0; !ending.signal.aborted; ) {
      const why = await session().catch((error: unknown) => {
        if (!isRetryable(error)) throw error;
        return `the outbox could not be written (${error instanceof Error ? error.message : String(error)})`;
      });
      if (ending.signal.aborted) break;
      const held = state === 'connected' && clock.monoMs() - sinceMonoMs >= STABLE_MS;
      attempt = held ? 0 : attempt;
      become('down', why);
      const waitMs = CONNECT_WAITS_MS[Math.min(attempt++, CONNECT_WAITS_MS.length - 1)]!;
      await clock.sleep(waitMs * (1 + JITTER * (2 * Math.random() - 1)), ending.signal);
    }
  };

  return {
    async start(signal) {
      sinceMonoMs = clock.monoMs();
      if (signal.aborted) ending.abort();
      signal.addEventListener('abort', () => ending.abort(), { once: true });
      // Nobody awaits it before close(): what rejects here is no fault of the network and must end the agent.
      running ??= run().catch((error: unknown) => {
        log.fatal({ err: error }, 'forwarding ended by a fault of its own');
        become('down', 'forwarding ended by a fault of its own');
        throw error;
      });
    },
    poke,
    publishState(next) {
      if (!client) return;
      const waits = newestState !== undefined;
      newestState = next;
      // The session knows already that one is to go out.
      if (!waits) poke();
    },
    publishSnapshot(cameraId, jpeg) {
      if (client) publishVolatile(client, topics.snapshot(roomId, cameraId), Buffer.from(jpeg), LIMITS.snapshotBytes);
    },
    onPictureAsk(listener) {
      hearAsk = listener;
    },
    publishPicture(cameraId, answer) {
      if (client) publishVolatile(client, topics.snapshot(roomId, cameraId), answerBytes(answer), LIMITS.snapshotBytes);
    },
    reconnect: () => leave(),
    health: () => ({ state, sinceMonoMs, ...(reason === undefined ? {} : { reason }), ...counts }),
    async close() {
      ending.abort();
      poke();
      await running;
    },
  };
}

function optionsOf(
  { clientId, username, password, tls: credentials }: BrokerConnection,
  version: 4 | 5,
): IClientOptions {
  const tls = credentials?.();
  return {
    protocolVersion: version,
    clientId,
    username,
    ...(password === undefined ? {} : { password }),
    clean: true,
    keepalive: KEEPALIVE_S,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Every connection is a new client with an empty store: the outbox alone knows what is to be sent.
    reconnectPeriod: 0,
    queueQoSZero: false,
    rejectUnauthorized: true,
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
  };
}
