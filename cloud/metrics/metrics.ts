/** Beside the path: everything this process counts, and what the rooms say of themselves, gathered when it is asked for. */
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import type { FeedCounts } from '../alerts/feed.ts';
import type { HealthView } from '../http/api.ts';
import type { UploadCounts } from '../http/upload.ts';
import type { IngestCounts } from '../ingest/ingest.ts';
import type { Rooms } from '../ingest/rooms.ts';
import type { PictureCounts } from '../review/pictures.ts';
import type { Store } from '../store/store.ts';
import { createExposition, type Exposition } from './exposition.ts';
import { writeRooms } from './rooms.ts';

/** A database that is away must not hold up the figures that say so. */
const STORE_MS = 2000;

/** What the process is asked; a part is absent where its role does not run here. */
export interface MetricsParts {
  readonly store: Pick<Store, 'toJudge'>;
  readonly health: () => Promise<HealthView>;
  readonly ingest: (() => IngestCounts) | undefined;
  readonly web:
    | {
        readonly rooms: Pick<Rooms, 'cards'>;
        readonly feed: () => FeedCounts;
        readonly uploads: () => UploadCounts;
        readonly pictures: () => PictureCounts;
        /** False: sums over all rooms only. */
        readonly perRoom: boolean;
      }
    | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Metrics {
  /** The text of this moment; who asks while it is being gathered gets the same. */
  read(): Promise<string>;
}

export function createMetrics({ store, health, ingest, web, clock, log }: MetricsParts): Metrics {
  const startedWallMs = clock.wallMs();
  let running: Promise<string> | undefined;
  let failing = false;

  const gather = async () => {
    const out = createExposition();
    writeProcess(out, startedWallMs);
    const toJudge = await asked();
    out.metric('evalroom_store_up', 'gauge', 'Whether the database answered within two seconds.')(toJudge ? 1 : 0);
    const alerts = out.metric('evalroom_alerts_to_judge', 'gauge', 'Alerts that nobody has closed yet.');
    for (const [state, n] of Object.entries(toJudge ?? {})) alerts(n, { state });
    const view = await health();
    const broker = out.metric('evalroom_broker_up', 'gauge', 'Whether the broker that this process looks after runs.');
    broker(view.broker.running ? 1 : 0);
    out.metric(
      'evalroom_broker_restarts_total',
      'counter',
      'How often it had to be started anew.',
    )(view.broker.restarts);
    if (ingest) writeIngest(out, ingest());
    if (web) {
      writeFeed(out, web.feed());
      writeUploads(out, web.uploads());
      writePictures(out, web.pictures());
      const { orders } = view;
      if (orders) {
        out.metric('evalroom_orders_waiting', 'gauge', 'Boxes that wait for orders.')(orders.waiting);
        out.metric(
          'evalroom_orders_turned_away_total',
          'counter',
          'Boxes that were told to come back since too many waited.',
        )(orders.turnedAway);
      }
      await writeRooms(out, web.rooms.cards([]), { nowWallMs: clock.wallMs(), perRoom: web.perRoom });
    }
    return out.text();
  };

  /** Undefined while the database does not answer. */
  const asked = async () => {
    const over = new AbortController();
    try {
      const found = await Promise.race([store.toJudge(), clock.sleep(STORE_MS, over.signal)]);
      failing = false;
      return found ?? undefined;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'counting the alerts for /metrics failed');
      failing = true;
      return undefined;
    } finally {
      over.abort();
    }
  };

  return {
    read() {
      running ??= gather().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

function writeProcess(out: Exposition, startedWallMs: number): void {
  const { user, system } = process.cpuUsage();
  out.metric('process_cpu_seconds_total', 'counter', 'Processor time of this process.')((user + system) / 1e6);
  out.metric('process_resident_memory_bytes', 'gauge', 'Memory of this process.')(process.memoryUsage.rss());
  out.metric('process_start_time_seconds', 'gauge', 'When this process began to serve.')(startedWallMs / 1000);
}

function writeIngest(out: Exposition, counts: IngestCounts): void {
  const { stored, repeated, rejected, unreadable, droppedFull, failed } = counts;
  out.metric('evalroom_ingest_connected', 'gauge', 'Whether rooms can be heard.')(counts.connected ? 1 : 0);
  out.metric('evalroom_ingest_queued_payloads', 'gauge', 'Payloads that wait for the database.')(counts.queued);
  const events = out.metric('evalroom_ingest_events_total', 'counter', 'Events by what became of them.');
  for (const [result, n] of Object.entries({ stored, repeated, rejected })) events(n, { result });
  out.metric(
    'evalroom_ingest_quarantined_total',
    'counter',
    'Streams that were put into quarantine.',
  )(counts.quarantined);
  const refused = out.metric(
    'evalroom_ingest_payloads_refused_total',
    'counter',
    'Payloads that could not be read (states and pictures too), found the queue full, or lay in a transaction that failed.',
  );
  refused(unreadable, { reason: 'unreadable' });
  refused(droppedFull, { reason: 'queue_full' });
  refused(failed, { reason: 'transaction_failed' });
  out.metric(
    'evalroom_ingest_unreadable_not_kept_total',
    'counter',
    'Unreadable payloads that were only counted: their room sent too many.',
  )(counts.unreadableNotKept);
}

function writeFeed(out: Exposition, { lines, rows, closed }: FeedCounts): void {
  out.metric('evalroom_feed_lines', 'gauge', 'Browsers that are connected live.')(lines);
  out.metric('evalroom_feed_rows_total', 'counter', 'Rows given to browsers, each browser counted.')(rows);
  const ended = out.metric('evalroom_feed_lines_closed_total', 'counter', 'Lines that were cut: too slow, or failed.');
  ended(closed.slow, { reason: 'slow' });
  ended(closed.failed, { reason: 'failed' });
}

function writeUploads(out: Exposition, { stored, bytes, refused, failed }: UploadCounts): void {
  const files = out.metric('evalroom_uploads_total', 'counter', 'Files of clips by what became of them.');
  for (const [result, n] of Object.entries({ stored, refused, failed })) files(n, { result });
  out.metric('evalroom_upload_bytes_total', 'counter', 'Bytes of the files that were stored.')(bytes);
}

function writePictures(out: Exposition, { given, failed, tooOften }: PictureCounts): void {
  const pictures = out.metric(
    'evalroom_pictures_total',
    'counter',
    'Large pictures that were asked of boxes, by what became of them.',
  );
  for (const [result, n] of Object.entries({ given, failed, too_often: tooOften })) pictures(n, { result });
}
