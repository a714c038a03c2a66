/** Inside the storm: the processes of a whole deployment, each of which can be killed, frozen and started again. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreConfig } from '../../cloud/store/open.ts';
import { type Child, startChild } from '../children.ts';
import type { Layout, Sabotage, WriterOptions } from '../storm.ts';
import { startSplit, startWhole } from './clouds.ts';
import type { Dice } from './dice.ts';
import { createParts, signal } from './parts.ts';
import type { Target } from './plan.ts';
import { type FaultProxy, startProxy } from './proxy.ts';

export interface WorldOptions {
  readonly folder: string;
  readonly rooms: number;
  readonly store: 'sqlite' | 'postgres';
  readonly layout: Layout;
  readonly sabotage: readonly Sabotage[];
  readonly dice: Dice;
  readonly onAccepted: (ticket: string) => void;
}

export interface World {
  /** What can be killed. */
  readonly targets: readonly Target[];
  readonly proxy: FaultProxy;
  /** Where each cloud that has a page listens. */
  readonly bases: readonly string[];
  readonly setupUrl: string;
  readonly store: StoreConfig;
  /**
   * SIGKILL to a living process, which is then started again in the background. Resolves when it is gone.
   * `at` commit: a worker is killed when what it stores next is committed and it has not heard so.
   */
  kill(target: Target, at?: 'commit'): Promise<void>;
  /** SIGSTOP now, SIGCONT after `forMs`; nothing where it is down. */
  freeze(target: Target, forMs: number): void;
  /** Rooms begin to accept events; one that is started again does so by itself. */
  startWriting(): void;
  /** Rooms accept nothing more. */
  stopWriting(): Promise<void>;
  /** Events that wait in the outboxes; infinite until every room has said that it stopped. */
  left(): number;
  /** Ends every process. */
  close(): Promise<void>;
}

/** Resolves when every part runs and every room is connected. Throws what the first one threw, with nothing left running. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { folder, store, rooms, layout, dice } = options;
  await mkdir(folder, { recursive: true });
  const parts = createParts();
  const { keep, close } = parts;
  const left = new Map<string, number>();
  try {
    const clouds = await (layout === 'split' ? startSplit : startWhole)({ folder, store, rooms }, parts);
    const { boxes, bases, setupUrl } = clouds;
    const proxy = await startProxy(clouds.brokerPort, dice);
    parts.ending.push(() => proxy.close());
    const writers: Child[] = [];
    for (const [index, box] of boxes.entries()) {
      let life = 0;
      const start = async () => {
        const child = await startChild({
          name: box.room,
          args: ['storm', 'writer'],
          env: {
            EVALROOM_STORM_WRITER: JSON.stringify({
              outbox: join(folder, box.device, 'outbox.db'),
              room: box.room,
              device: box.device,
              secret: box.secret,
              port: proxy.port,
              life: `r${index}-l${life}`,
              waits: life++ === 0,
              seed: dice.between(0, 2 ** 31),
              sabotage: options.sabotage,
            } satisfies WriterOptions),
          },
          onLine: (line) => {
            const [mark, , , , ticket] = line.split(' ');
            if (mark === '+' && ticket !== undefined) options.onAccepted(ticket);
          },
        });
        child.onSaid((said) => {
          if (typeof said.left === 'number') left.set(box.room, said.left);
        });
        writers[index] = child;
        return child;
      };
      await keep(`writer-${index}`, start);
    }
    return {
      // Workers twice: what they leave half done is what this layout is about.
      targets: [...parts.all.keys(), ...clouds.traps.keys()],
      proxy,
      bases,
      setupUrl,
      store: clouds.store,
      async kill(target, at) {
        const part = parts.all.get(target)!;
        await part.up;
        if (at === 'commit') await clouds.traps.get(target)!.sprung();
        await part.kill();
      },
      freeze(target, forMs) {
        const pid = parts.all.get(target)?.pid;
        if (pid === undefined || !signal(pid, 'SIGSTOP')) return;
        setTimeout(() => signal(pid, 'SIGCONT'), forMs);
      },
      startWriting() {
        for (const writer of writers) writer.send({ write: true });
      },
      async stopWriting() {
        for (const part of parts.all.values()) await part.up;
        for (const box of boxes) left.set(box.room, Number.POSITIVE_INFINITY);
        for (const writer of writers) writer.send({ stop: true });
      },
      left: () => [...left.values()].reduce((sum, events) => sum + events, 0),
      close,
    };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}
