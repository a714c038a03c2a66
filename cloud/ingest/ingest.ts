/** From the broker into the store: queue, one transaction for what has gathered, ack after the commit. */
import { randomBytes } from 'node:crypto';
import { connect, type MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import { askBytes, isAnswer, isJpeg, type PictureAsk, readAnswer } from '../../protocol/picture.ts';
import { parseRoomState } from '../../protocol/schema.ts';
import { LANES, type Lane, LIMITS, parseTopic, refusesMqtt5, topics } from '../../protocol/stream.ts';
import type { Clock } from '../../protocol/time.ts';
import type { BrokerLogin } from '../broker/broker.ts';
import type { Delivery, Store } from '../store/store.ts';
import { COMMIT_EVENTS, createQueue } from './queue.ts';
import type { Rooms } from './rooms.ts';
import { createUnreadable } from './unreadable.ts';

/** Transactions that follow each other begin at least so far apart, unless a full one waits: fewer and fuller commits. */
const GATHER_MS = 20;
/** While the database works on one full transaction the next one is made ready and sent. */
const SIDE_BY_SIDE = 2;
/** As many full payloads fill a transaction; to look at each of many small ones would cost more than it gains. */
const WAKE_PAYLOADS = COMMIT_EVENTS / LIMITS.batchEvents;
/** How often the store is asked how far other workers have got with streams whose next events wait here. */
const ASK_MS = 10;
/** Wait after a failed transaction, so that a database that is away is not hammered. */
const FAILED_MS = 500;
const START_MS = 3000;
/** Events are shared between the workers; states and pictures go to every process that shows rooms. */
const ROOMS = { [topics.stateFilter]: { qos: 0 }, [topics.snapshotFilter]: { qos: 0 } } as const;
export type Hears = 'events' | 'rooms' | 'both';

/** The events are the worker's share, or all of them where the broker cannot share; either is stored once. */
function filters({ hears = 'both', shared = true }: IngestParts['login']): Record<string, { qos: 0 | 1 }> {
  const events = { [shared ? topics.ingestFilter : topics.eventsFilter]: { qos: 1 } } as const;
  return { ...(hears === 'rooms' ? {} : events), ...(hears === 'events' ? {} : ROOMS) };
}

export interface IngestParts {
  readonly login: BrokerLogin & { readonly hears?: Hears };
  readonly store: Pick<Store, 'ingest' | 'reached' | 'keepUnreadable'>;
  readonly rooms: Rooms;
  /** Called after each commit that may have added to the feed. */
  readonly onCommit: () => void;
  readonly log: Logger;
  readonly clock: Clock;
}

export interface IngestCounts {
  /** Subscribed at the broker: rooms can be heard. */
  readonly connected: boolean;
  /** Payloads that wait for the store. */
  readonly queued: number;
  readonly stored: number;
  readonly repeated: number;
  readonly rejected: number;
  readonly quarantined: number;
  readonly unreadable: number;
  /** Of these, payloads on events topics that were only counted: their room sent too many. */
  readonly unreadableNotKept: number;
  /** Payloads dropped unacked because the queue was full; their agents send them again. */
  readonly droppedFull: number;
  /** Payloads whose transaction failed; unacked, so they come again too. */
  readonly failed: number;
}

export interface Ingest {
  /** Resolves when subscribed; or after 3 s without a broker, which it goes on trying, and `counts()` says so. */
  start(): Promise<void>;
  counts(): IngestCounts;
  /** Asks a box for a larger picture; false without a broker. The answer comes by `rooms.onPicture`. */
  askPicture(roomId: string, ask: Pick<PictureAsk, 'askId' | 'cameraId'>): boolean;
  /** Commits and acks what is queued, then leaves. */
  close(): Promise<void>;
}

/**
 * The broker's PUBACK is given at once and means nothing: the agent deletes only what our own ack covers. Policy of the
 * queue when full: the payload is dropped unacked and counted, since its agent sends it again.
 */
export function createIngest({ login, store, rooms, onCommit, log, clock }: IngestParts): Ingest {
  const counts = { stored: 0, repeated: 0, rejected: 0, quarantined: 0, unreadable: 0, droppedFull: 0, failed: 0 };
  const closing = new AbortController();
  let subscribed = false;
  let begunMonoMs = Number.NEGATIVE_INFINITY;
  let askedMonoMs = Number.NEGATIVE_INFINITY;
  let client: MqttClient | undefined;
  let working: Promise<void> | undefined;

  const garbage = createUnreadable({ store, clock, log });
  const queue = createQueue(garbage.keep);
  let arrivals = 0;
  /** Wakes `work` where it waits for more. */
  let arrived = Promise.withResolvers<void>();

  const onEvents = (roomId: string, lane: Lane, payload: Uint8Array) => {
    if (!queue.offer({ roomId, lane, payload })) {
      if (counts.droppedFull++ % 1000 === 0)
        log.warn(
          { dropped: counts.droppedFull, queued: queue.length },
          'the ingest queue is full: payloads are left to be resent',
        );
      return;
    }
    if (++arrivals % WAKE_PAYLOADS === 0) arrived.resolve();
    working ??= work().finally(() => {
      working = undefined;
    });
  };

  /** Alone a batch goes at once; those that follow each other go together, up to 500 events or 20 ms of them. */
  const work = async () => {
    const running = new Set<Promise<void>>();
    while (queue.length > 0 || running.size > 0) {
      const now = clock.monoMs();
      const full = running.size < SIDE_BY_SIDE && queue.ready(now) >= COMMIT_EVENTS;
      if (!full && (await ask(now))) continue;
      if (!full && running.size > 0) {
        arrived = Promise.withResolvers();
        await Promise.race([...running, ...(running.size < SIDE_BY_SIDE ? [arrived.promise] : [])]);
        continue;
      }
      const early = begunMonoMs + GATHER_MS - now;
      if (!full && early > 0) await clock.sleep(early, closing.signal);
      const taken = queue.take(closing.signal.aborted ? Number.POSITIVE_INFINITY : clock.monoMs());
      if (taken.length === 0) {
        // All of it waits for events that another worker has.
        if (queue.length > 0) await clock.sleep(ASK_MS, closing.signal);
        continue;
      }
      begunMonoMs = clock.monoMs();
      const one = commit(taken).finally(() => running.delete(one));
      running.add(one);
    }
  };

  /** Asks how far the streams of waiting events have got. False when there was nothing to ask, or it is too soon. */
  const ask = async (now: number): Promise<boolean> => {
    if (now < askedMonoMs + ASK_MS) return false;
    const streams = queue.doubtful();
    if (streams.length === 0) return false;
    askedMonoMs = now;
    try {
      for (const [streamId, through] of await store.reached(streams)) queue.reached(streamId, through);
    } catch {
      // Only an advantage is lost: they wait until their patience ends. A database that is away is reported by `commit`.
    }
    return true;
  };

  const commit = async (taken: readonly Delivery[]) => {
    try {
      const outcome = await store.ingest(taken, clock.wallMs());
      for (const { ack } of outcome.acks)
        queue.reached(ack.streamId, ack.quarantined === undefined ? ack.through : Number.POSITIVE_INFINITY);
      queue.done(taken);
      counts.stored += outcome.stored;
      counts.repeated += outcome.repeated;
      counts.rejected += outcome.rejected;
      counts.quarantined += outcome.quarantined.length;
      for (const stream of outcome.quarantined) log.warn(stream, 'a stream is in quarantine');
      publish(outcome.acks);
      onCommit();
    } catch (error) {
      queue.done(taken);
      if (counts.failed === 0 || counts.failed % 100 === 0)
        log.error({ err: error, payloads: taken.length }, 'storing events failed: unacked, they will be sent again');
      counts.failed += taken.length;
      await clock.sleep(FAILED_MS, closing.signal);
    }
  };

  const publish = (acks: readonly { readonly roomId: string; readonly ack: object }[]) => {
    // Not connected: a lost ack costs one resend, an ack kept for later would be a second truth.
    if (!client?.connected) return;
    for (const { roomId, ack } of acks) client.publish(topics.ack(roomId), JSON.stringify(ack), { qos: 0 });
  };

  const onPayload = (topic: string, payload: Uint8Array) => {
    const parts = parseTopic(topic);
    if (!parts) return;
    const { roomId, kind, rest } = parts;
    if (kind === 'events' && (LANES as readonly (string | undefined)[]).includes(rest)) {
      onEvents(roomId, rest as Lane, payload);
    } else if (kind === 'state') {
      const parsed = parseRoomState(payload, roomId);
      if (parsed.ok) rooms.heardState(roomId, parsed.state, clock.wallMs());
      else counts.unreadable++;
    } else if (kind === 'snapshot' && rest !== undefined) {
      const answer = isAnswer(payload) ? readAnswer(payload) : undefined;
      if (answer) rooms.heardPicture(roomId, rest, answer, clock.wallMs());
      else if (isJpeg(payload) && payload.length <= LIMITS.snapshotBytes)
        rooms.heardSnapshot(roomId, rest, payload, clock.wallMs());
      else counts.unreadable++;
    }
  };

  return {
    async start() {
      const connection = connect(login.url, {
        protocolVersion: 5,
        clean: true,
        // Not to be guessed: a second connection with the same id would throw this one out.
        clientId: `ingest-${randomBytes(9).toString('base64url')}`,
        keepalive: 15,
        reconnectPeriod: 500,
        // A broker that is starting refuses for a while; the client's default would take its first no for the last word.
        reconnectOnConnackError: true,
        connectTimeout: 5000,
        queueQoSZero: false,
        resubscribe: false,
        ...(login.username === undefined ? {} : { username: login.username }),
        ...(login.password === undefined ? {} : { password: login.password }),
        ...(login.ca === undefined ? {} : { ca: login.ca }),
        ...(login.cert === undefined ? {} : { cert: login.cert }),
        ...(login.key === undefined ? {} : { key: login.key }),
      });
      client = connection;
      connection.on('message', onPayload);
      let reported = '';
      connection.on('error', (error) => {
        if (refusesMqtt5(error)) connection.options.protocolVersion = 4;
        // Once for each kind of failure: it tries again twice a second.
        if (error.message !== reported)
          log.error({ err: error, broker: login.url }, 'the line to the broker failed; trying on');
        reported = error.message;
      });
      const first = new AbortController();
      connection.on('connect', () => {
        connection.subscribe(filters(login), (error, granted) => {
          const refused = granted?.some(({ qos }) => qos > 2);
          subscribed = !error && !refused;
          if (!subscribed)
            log.error({ err: error, granted }, 'the broker refused the ingest its topics; check its ACL');
          else reported = '';
          first.abort();
        });
      });
      connection.on('close', () => {
        subscribed = false;
      });
      await clock.sleep(START_MS, first.signal);
      if (!subscribed)
        log.error({ broker: login.url }, 'started without a broker: no room can be heard until it answers');
    },
    askPicture(roomId, ask) {
      if (!client?.connected || !subscribed) return false;
      client.publish(topics.ack(roomId), askBytes(ask), { qos: 0 });
      return true;
    },
    counts: () => {
      const { unreadable, ...kept } = garbage.counts();
      return {
        connected: subscribed,
        queued: queue.length,
        ...counts,
        ...kept,
        unreadable: counts.unreadable + unreadable,
      };
    },
    async close() {
      client?.off('message', onPayload);
      closing.abort();
      await working;
      await client?.endAsync();
    },
  };
}
