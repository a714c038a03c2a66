/** Starts a whole cloud for a test, and gives a browser's and a box's way in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { type Logger, pino } from 'pino';
import { expect } from 'vitest';
import { systemClock } from '../../../cloud/clock.ts';
import { type CloudConfig, parseCloudConfig } from '../../../cloud/config.ts';
import { type Cloud, startCloud } from '../../../cloud/main.ts';
import type { Ack } from '../../../protocol/stream.ts';
import { topics } from '../../../protocol/stream.ts';

/** Waits for what will be true: long, since the machine may be busy, and often, since it mostly is soon. */
export const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 30_000, interval: 20 });

export interface TestCloud {
  readonly folder: string;
  /** The running cloud; another one after `restart`. */
  cloud(): Cloud;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestCloud(
  store = 'sqlite',
  page?: string,
  log: Logger = pino({ level: 'silent' }),
): Promise<TestCloud> {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-cloud-'));
  const config: CloudConfig = parseCloudConfig(`{ data: ${folder}, http: { port: 0 }, store: '${store}' }`, folder);
  const start = () =>
    startCloud(config, {
      log,
      clock: systemClock(),
      ...(page === undefined ? {} : { page }),
    });
  let cloud = await start();
  return {
    folder,
    cloud: () => cloud,
    async restart() {
      await cloud.close();
      cloud = await start();
    },
    async stop() {
      await cloud.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A browser's requests: keeps the cookie, sends JSON. */
export class Browser {
  cookie = '';
  readonly base: string;
  constructor(base: string) {
    this.base = base;
  }

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(this.base + path, {
      method,
      headers: {
        ...(this.cookie === '' ? {} : { cookie: this.cookie }),
        ...(method === 'GET' ? {} : { origin: this.base }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const set = response.headers.getSetCookie()[0];
    if (set !== undefined) this.cookie = set.split(';')[0]!;
    return response;
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.send(method, path, body);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** The first supervisor, by the token in the set-up address. */
  async setUp(setupUrl: string): Promise<void> {
    const token = setupUrl.split('#token=')[1]!;
    await this.json('POST', '/api/setup', { token, name: '王监督', password: 'correct horse' });
  }

  /** Lines of the feed as they come; `stop` ends the connection. */
  async feed(cursor: string, header = false): Promise<FeedReader> {
    const abort = new AbortController();
    const response = await fetch(`${this.base}/api/feed${header ? '' : `?cursor=${cursor}`}`, {
      headers: { cookie: this.cookie, ...(header ? { 'last-event-id': cursor } : {}) },
      signal: abort.signal,
    });
    if (!response.ok || !response.body) throw new Error(`feed: ${response.status}`);
    return new FeedReader(response.body, abort);
  }
}

export interface FeedLine {
  readonly id?: string;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: lines of every kind, as a browser gets them
  readonly data: any;
}

export class FeedReader {
  readonly lines: FeedLine[] = [];
  readonly ended: Promise<void>;
  private readonly abort: AbortController;

  constructor(body: ReadableStream<Uint8Array>, abort: AbortController) {
    this.abort = abort;
    this.ended = this.read(body).catch(() => undefined);
  }

  /** Lines of stored rows. */
  stored(): FeedLine[] {
    return this.lines.filter(({ id }) => id !== undefined);
  }

  stop(): Promise<void> {
    this.abort.abort();
    return this.ended;
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = '';
    for await (const chunk of body.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
      rest += chunk;
      const blocks = rest.split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map((line) => {
            const at = line.indexOf(':');
            return [line.slice(0, at), line.slice(at + 2)] as const;
          }),
        );
        const id = fields.get('id');
        this.lines.push({
          event: fields.get('event')!,
          data: JSON.parse(fields.get('data')!),
          ...(id === undefined ? {} : { id }),
        });
      }
    }
  }
}

/** A box on the wire: publishes and hears its acks. */
export class Box {
  readonly acks: Ack[] = [];
  readonly client: MqttClient;
  readonly roomId: string;
  private constructor(client: MqttClient, roomId: string) {
    this.client = client;
    this.roomId = roomId;
  }

  static async enter(cloud: Pick<Cloud, 'mqttUrl'>, deviceId: string, roomId: string, secret: string): Promise<Box> {
    const client = await connectAsync(cloud.mqttUrl, {
      protocolVersion: 5,
      username: deviceId,
      password: secret,
      reconnectPeriod: 0,
    });
    const box = new Box(client, roomId);
    client.on('message', (_topic, payload) => box.acks.push(JSON.parse(payload.toString()) as Ack));
    await client.subscribeAsync(topics.ack(roomId), { qos: 1 });
    return box;
  }

  async publish(payload: Uint8Array, lane: 'alert' | 'routine' = 'alert'): Promise<void> {
    await this.client.publishAsync(topics.events(this.roomId, lane), Buffer.from(payload), { qos: 1 });
  }

  leave(): void {
    this.client.end(true);
  }
}
