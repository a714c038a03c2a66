/** Inside the storm: a room without cameras, as a process of its own: the real outbox and the real forwarder, and a word for each accepted event. */
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../agent/clock.ts';
import { createForward } from '../../agent/forward.ts';
import { createLog } from '../../agent/log.ts';
import type { Outbox } from '../../agent/store/outbox.ts';
import { openOutbox } from '../../agent/store/sqlite.ts';
import { Full } from '../../protocol/errors.ts';
import type { DraftEvent } from '../../protocol/event.ts';
import { runPart } from '../part.ts';
import type { Sabotage, WriterOptions } from '../storm.ts';
import { createDice } from './dice.ts';
import { episodeDraft, gapDraft, ticketOf } from './tickets.ts';

/** Of one episode: few and long ones, so that a page can show them all. */
const EPISODE_EVENTS = 400;
const QUOTA_EVENTS = 200_000;

/** Runs until SIGTERM. Prints `+ eventId streamId seq ticket` for each event, after its commit and not before. */
export async function runWriter(options: WriterOptions): Promise<void> {
  const clock = systemClock();
  const log = createLog({ name: options.room, level: 'error' });
  await runPart(async (signal) => {
    const real = openOutbox({
      path: options.outbox,
      roomId: options.room,
      clock,
      log,
      quotaEvents: QUOTA_EVENTS,
      ballastBytes: 1024 * 1024,
    });
    const outbox = sabotaged(real, options.sabotage);
    const forward = createForward({
      outbox,
      connection: {
        url: `mqtt://127.0.0.1:${options.port}`,
        clientId: options.device,
        username: options.device,
        password: options.secret,
      },
      roomId: options.room,
      clock,
      log,
    });
    const stop = new AbortController();
    await forward.start(signal);
    const pen = { life: options.life, seed: options.seed, poke: forward.poke, stop: stop.signal };
    let writing: Promise<void> | undefined = options.waits ? undefined : write(outbox, pen);
    let stopped = false;
    const telling = setInterval(() => {
      // Before it has stopped a count tells of a moment that is over.
      if (stopped) process.send?.({ left: outbox.stats().events });
    }, 100);
    return {
      ready: {},
      onOrder: (order) => {
        if (order.write === true) writing ??= write(outbox, pen);
        if (order.stop !== true) return;
        stop.abort();
        void Promise.resolve(writing).then(() => {
          stopped = true;
        });
      },
      close: async () => {
        clearInterval(telling);
        stop.abort();
        await writing;
        await forward.close();
        outbox.close();
      },
    };
  });
}

interface Pen {
  readonly life: string;
  readonly seed: number;
  readonly poke: () => void;
  readonly stop: AbortSignal;
}

async function write(outbox: Outbox, { life, seed, poke, stop }: Pen): Promise<void> {
  const clock = systemClock();
  const dice = createDice(seed);
  let count = 0;
  const draft = (): DraftEvent => {
    const number = count++;
    if (number % 5 === 4) return gapDraft(clock.now(), `${life}-g${number}`);
    const index = number % EPISODE_EVENTS;
    return episodeDraft(clock.now(), `${life}-e${Math.floor(number / EPISODE_EVENTS)}`, index, EPISODE_EVENTS - 2);
  };
  while (!stop.aborted) {
    const drafts = Array.from({ length: dice.chance(0.05) ? 60 : dice.between(1, 4) }, draft);
    try {
      const events = outbox.accept(drafts);
      writeSync(1, events.map((one) => `+ ${one.eventId} ${one.streamId} ${one.seq} ${ticketOf(one)}\n`).join(''));
      poke();
    } catch (error) {
      if (!(error instanceof Full)) throw error;
    }
    await pause(dice.between(5, 60), undefined, { signal: stop }).catch(() => undefined);
  }
}

/** The outbox as it must not be, so that the storm can be seen to notice. */
function sabotaged(outbox: Outbox, sabotage: readonly Sabotage[]): Outbox {
  if (sabotage.includes('accept_twice')) {
    let batches = 0;
    // As when a commit is tried again that had succeeded.
    const accept: Outbox['accept'] = (drafts) => {
      if (batches++ % 20 === 0) outbox.accept(drafts);
      return outbox.accept(drafts);
    };
    return { ...outbox, accept };
  }
  if (sabotage.includes('delete_when_sent'))
    return {
      ...outbox,
      sent: (streamId, seq) => {
        outbox.sent(streamId, seq);
        // As with a client that trusts the broker's PUBACK, which comes within milliseconds.
        setTimeout(() => outbox.ack({ streamId, through: seq }), 10);
      },
    };
  return outbox;
}
