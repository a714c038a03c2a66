/** The whole path in one process without time, network or disk of its own: two rooms, two ingest workers, three screens. */
import { pino } from 'pino';
import { leaveBacklog, takeAck } from '../../../agent/ack.ts';
import { type VirtualClock, virtualClock } from '../../../agent/clock.ts';
import { type MemoryDisk, memoryOutbox } from '../../../agent/store/memory.ts';
import type { Outbox } from '../../../agent/store/outbox.ts';
import { createWindows, type Windows } from '../../../agent/window.ts';
import { createFeed, type Feed } from '../../../cloud/alerts/feed.ts';
import { readDelivery } from '../../../cloud/ingest/read.ts';
import type { Delivery, FeedItem, Position, Store } from '../../../cloud/store/store.ts';
import { KnownIds } from '../../../cloud/web/state/feed.ts';
import { Full } from '../../../protocol/errors.ts';
import { type Lane, LIMITS } from '../../../protocol/stream.ts';
import type { Clock } from '../../../protocol/time.ts';
import { episodeDraft, gapDraft, ticketOf } from '../../../scripts/storm/tickets.ts';
import { Audit, Broken, heldBy } from './audit.ts';

/** Ways to break the path, to see that the simulation notices. */
export type Break = 'delete_when_sent' | 'ack_before_commit' | 'forget_cursor' | 'ignore_left_acks' | 'ignore_ack_ids';

export interface Room {
  readonly roomId: string;
  readonly clock: Clock;
  /** Adds to the room's wall clock alone. */
  stepMs: number;
  disk: MemoryDisk;
  outbox: Outbox;
  /** Of the connection; none while it is down. */
  windows: Windows | undefined;
  /** An image of the disk, and the tickets accepted before it was taken. */
  image: { readonly disk: MemoryDisk; readonly accepted: ReadonlySet<string> } | undefined;
}

interface Worker {
  queue: Delivery[];
}

interface Screen {
  position: Position;
  leave: (() => void) | undefined;
  known: KnownIds;
  readonly shown: Map<string, number>;
}

const QUOTA_EVENTS = 400;
/** Copies of running machines in one world. */
const TWINS_MAX = 2;
/** Items of a page as the feed gets it: so few that catching up takes several, and ends inside a row. */
const PAGE_ITEMS = 20;
const log = pino({ level: 'silent' });

/** Everything that can happen, one step each. Numbers choose among what is there, so that any sequence means something. */
export class SimWorld {
  readonly rooms: Room[];
  /** What moved, without ids: equal for equal sequences. */
  readonly trace: string[] = [];
  private readonly clock: VirtualClock;
  private readonly workers: Worker[] = [{ queue: [] }, { queue: [] }];
  private readonly screens: Screen[] = [];
  private readonly store: Store;
  private readonly broken: Break | undefined;
  /** In flight to the broker and behind it, in no order that holds. */
  private up: { room: Room; lane: Lane; json: string }[] = [];
  private down: { room: Room; json: string }[] = [];
  private feed: Feed | undefined;
  private cloudStepMs = 0;
  private ids = 0;
  private tickets = 0;
  private readonly prefix: string;
  private readonly run: number;
  private readonly audit: Audit;

  private constructor(store: Store, run: number, broken: Break | undefined, head: Position) {
    const prefix = `sim${run}`;
    this.store = store;
    this.run = run;
    this.prefix = prefix;
    this.broken = broken;
    this.audit = new Audit(store, head);
    this.clock = virtualClock();
    this.rooms = [0, 1].map((index) => this.newRoom(`${prefix}-${index}`));
  }

  /** `run` gives rooms and ids of its own, so that runs may share a store. */
  static async start(store: Store, run: number, broken?: Break): Promise<SimWorld> {
    const position = await store.head();
    const world = new SimWorld(store, run, broken, position);
    await world.startWeb();
    for (let index = 0; index < 3; index++)
      world.screens.push({ position, leave: undefined, known: new KnownIds(20_000), shown: new Map() });
    for (const index of world.screens.keys()) await world.plug(index);
    return world;
  }

  private newRoom(roomId: string): Room {
    const base = this.clock;
    const room = { roomId, stepMs: 0, windows: undefined, image: undefined } as unknown as Room & { clock: Clock };
    room.clock = {
      ...base,
      wallMs: () => base.wallMs() + room.stepMs,
      now: () => ({ ...base.now(), wallMs: base.wallMs() + room.stepMs }),
    };
    room.disk = { streams: new Map() };
    room.outbox = this.openOutbox(room);
    return room;
  }

  /** The machine is copied while it runs, memory and all, and both go on in the same streams and with the same name. */
  copyRunning(room: Room): void {
    if (this.rooms.length >= 2 + TWINS_MAX) return;
    const twin: Room = { ...room, disk: structuredClone(room.disk), windows: undefined, image: undefined };
    twin.outbox = this.openOutbox(twin, true);
    this.rooms.push(twin);
    this.trace.push('copy');
  }

  private openOutbox(room: Room, running = false): Outbox {
    const { roomId, clock, disk } = room;
    const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
    const newId = () => `${hex(this.run, 8)}-0000-4000-8000-${hex(this.ids++, 12)}`;
    return memoryOutbox({ roomId, clock, quotaEvents: QUOTA_EVENTS, disk, newId, ...(running ? { running } : {}) });
  }

  // The room.

  /** Decides and accepts. `told` false: killed after the commit and before anybody heard of it. */
  accept(room: Room, count: number, told = true): void {
    const drafts = Array.from({ length: count }, () => {
      const number = this.tickets++;
      const at = room.clock.now();
      return number % 4 === 3
        ? gapDraft(at, `${this.prefix}-g${number}`)
        : episodeDraft(at, `${room.roomId}-e${number >> 5}`, number, -1);
    });
    try {
      const events = room.outbox.accept(drafts);
      if (told) for (const event of events) this.audit.accepted.set(ticketOf(event), room);
      this.trace.push(`accept ${events.length}`);
    } catch (error) {
      if (!(error instanceof Full)) throw error;
      this.trace.push('full');
    }
    if (!told) this.crash(room);
  }

  /** One turn of the forwarder. */
  publish(room: Room): boolean {
    const batch = room.windows?.next();
    if (!batch) return false;
    const { json } = batch.payload;
    this.up.push({ room, lane: batch.lane, json });
    const { streamId, events } = JSON.parse(json) as { streamId: string; events: { seq: number }[] };
    const stream = room.outbox.streams().find((each) => each.streamId === streamId)!;
    this.audit.check(events.at(-1)!.seq - stream.through <= LIMITS.windowEvents, 'more than a window is unacked');
    if (this.broken === 'delete_when_sent') room.outbox.ack({ streamId, through: events.at(-1)!.seq });
    this.trace.push(`publish ${events.length}`);
    return true;
  }

  connect(room: Room): void {
    if (room.windows) return;
    leaveBacklog(room.outbox);
    room.windows = createWindows({ outbox: room.outbox, clock: room.clock, random: () => 0.5 });
  }

  /** The line breaks: what the broker has goes on, acks on their way are gone (clean session). */
  disconnect(room: Room): void {
    room.windows = undefined;
    this.down = this.down.filter((packet) => packet.room !== room);
  }

  crash(room: Room): void {
    this.disconnect(room);
    room.outbox = this.openOutbox(room);
    this.trace.push('crash');
  }

  takeImage(room: Room): void {
    const mine = [...this.audit.accepted].filter(([, owner]) => owner === room).map(([ticket]) => ticket);
    room.image = { disk: structuredClone(room.disk), accepted: new Set(mine) };
  }

  /** The image is put back: what was accepted after it and is not in the cloud is gone with the newer disk. */
  putImageBack(room: Room): void {
    if (!room.image) return;
    const { disk, accepted } = room.image;
    for (const [ticket, owner] of this.audit.accepted)
      if (owner === room && !accepted.has(ticket) && !this.audit.visible.has(ticket))
        this.audit.accepted.delete(ticket);
    room.disk = structuredClone(disk);
    this.crash(room);
  }

  /** An ack arrives. What it deletes must be visible to everybody already. */
  private takeAck(room: Room, json: string): void {
    if (!room.windows) return;
    const { streamId, through } = JSON.parse(json) as { streamId: string; through: number };
    const before = room.outbox.events(streamId, 0, Number.MAX_SAFE_INTEGER);
    if (this.broken === 'ignore_left_acks' && through > (before.at(-1)?.seq ?? through)) return;
    const { eventId: _, chain: __, ...unnamed } = JSON.parse(json) as { eventId?: string; chain?: number };
    const payload = this.broken === 'ignore_ack_ids' ? JSON.stringify(unnamed) : json;
    const taken = takeAck(Buffer.from(payload), room.outbox, room.windows);
    if (taken.kind === 'taken' && taken.quarantined) this.audit.quarantines++;
    const after = new Set(heldBy(room).map(({ eventId }) => eventId));
    for (const event of before)
      if (!after.has(event.eventId))
        this.audit.check(this.audit.visible.has(ticketOf(event)), `seq ${event.seq} was deleted and is not stored`);
    this.audit.check(taken.kind !== 'unreadable', 'the ingest sent an ack that the agent can not read');
    this.trace.push(`ack ${taken.kind === 'taken' ? taken.result : taken.kind}`);
  }

  // The network.

  deliver(which: number, worker: number): void {
    const [packet] = this.up.splice(which % Math.max(1, this.up.length), 1);
    if (!packet) return;
    const read = readDelivery(Buffer.from(packet.json), packet.room.roomId, packet.lane);
    if ('unreadable' in read || read.delivery.bad.length > 0)
      throw new Broken('the ingest refuses what the outbox took');
    this.workers[worker % 2]!.queue.push(read.delivery);
    this.trace.push(`deliver ${read.delivery.good.length}`);
  }

  drop(which: number): void {
    this.up.splice(which % Math.max(1, this.up.length), 1);
  }

  double(which: number): void {
    const packet = this.up[which % Math.max(1, this.up.length)];
    if (packet && this.up.length < 1000) this.up.push(packet);
  }

  deliverAck(which: number, twice: boolean): void {
    const at = which % Math.max(1, this.down.length);
    const packet = this.down[at];
    if (!packet) return;
    if (!twice) this.down.splice(at, 1);
    this.takeAck(packet.room, packet.json);
  }

  dropAck(which: number): void {
    this.down.splice(which % Math.max(1, this.down.length), 1);
  }

  wipeBroker(): void {
    this.up = [];
    this.down = [];
    for (const room of this.rooms) this.disconnect(room);
    this.trace.push('broker wiped');
  }

  // The cloud.

  /** One transaction of a worker. `fails`: rolled back. `dies`: killed between the commit and everything after it. */
  async commit(index: number, deliveries: number, end: 'well' | 'fails' | 'dies'): Promise<void> {
    const worker = this.workers[index % 2]!;
    const taken = worker.queue.splice(0, deliveries);
    if (taken.length === 0) return;
    if (end === 'fails') {
      if (this.broken === 'ack_before_commit')
        for (const { streamId, roomId, good } of taken)
          this.send(roomId, { v: 1, streamId, through: good.at(-1)!.seq });
      return;
    }
    const outcome = await this.store.ingest(taken, this.clock.wallMs() + this.cloudStepMs);
    const { acks, rejected, quarantined, stored } = outcome;
    this.audit.quarantines += quarantined.length;
    // After a quarantine the same event may come again under another place, and is refused there.
    this.audit.check(rejected === 0 || this.audit.quarantines > 0, 'an honest event was refused');
    this.trace.push(`commit ${taken.length}, stored ${stored}, rejected ${rejected}`);
    await this.audit.read();
    if (end === 'dies') worker.queue = [];
    else {
      for (const { roomId, ack } of acks) this.send(roomId, ack);
      this.feed?.poke();
    }
    await settle();
  }

  private send(roomId: string, ack: object): void {
    for (const room of this.rooms)
      if (room.roomId === roomId && room.windows) this.down.push({ room, json: JSON.stringify(ack) });
  }

  killWorker(index: number): void {
    this.workers[index % 2]!.queue = [];
  }

  async startWeb(): Promise<void> {
    for (const screen of this.screens) this.unplug(screen);
    await this.feed?.close();
    this.feed = createFeed({ store: this.slowReader(), log, clock: this.clock });
    await this.feed.start();
  }

  /** The store as a busy one: short pages, each a turn later, so that commits fall between reading and showing. */
  private slowReader(): Pick<Store, 'since' | 'head' | 'watchFeed'> {
    const { store } = this;
    return {
      head: () => store.head(),
      watchFeed: (heard) => store.watchFeed(heard),
      async since(position) {
        await settle();
        const page = await store.since(position);
        const last = page.items[PAGE_ITEMS - 1];
        if (!last || page.items.length === PAGE_ITEMS) return page;
        return { items: page.items.slice(0, PAGE_ITEMS), position: last.position, more: true };
      },
    };
  }

  // The screens.

  private unplug(screen: Screen): void {
    screen.leave?.();
    screen.leave = undefined;
  }

  unplugScreen(index: number): void {
    this.unplug(this.screens[index % this.screens.length]!);
  }

  async plug(index: number): Promise<void> {
    const screen = this.screens[index % this.screens.length]!;
    if (screen.leave) return;
    if (this.broken === 'forget_cursor') screen.position = await this.store.head();
    const take = (item: FeedItem) => {
      screen.position = item.position;
      if (item.kind !== 'event' || !item.event.roomId.startsWith(this.prefix)) return;
      this.audit.check(screen.known.add(item.event.eventId), 'the feed sent an event twice to one cursor');
      const ticket = ticketOf(item.event);
      screen.shown.set(ticket, (screen.shown.get(ticket) ?? 0) + 1);
      this.audit.check(screen.shown.get(ticket) === 1, 'shown twice');
    };
    screen.leave = await this.feed!.subscribe(screen.position, {
      send: (items) => {
        for (const item of items) take(item);
        return true;
      },
      drained: async () => undefined,
      end: () => {
        screen.leave = undefined;
      },
    });
    await settle();
  }

  // Time.

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await settle();
  }

  stepCloud(ms: number): void {
    this.cloudStepMs = ms;
  }

  /** Every accepted event is in its outbox or visible: the first invariant of docs/durability.md. */
  nothingLost(): void {
    this.audit.nothingLost(this.rooms);
  }

  /** All faults end; then everything must arrive, in bounded time, everywhere. */
  async heal(): Promise<void> {
    for (let round = 0; round < 200; round++) {
      for (const room of this.rooms) this.connect(room);
      for (const room of this.rooms) while (this.publish(room)) if (this.up.length > 500) break;
      while (this.up.length > 0) this.deliver(0, round);
      for (const index of [0, 1]) await this.commit(index, 1000, 'well');
      while (this.down.length > 0) this.deliverAck(0, false);
      if (this.rooms.every((room) => room.outbox.stats().events === 0)) break;
      await this.pass(40_000);
    }
    for (const room of this.rooms) this.audit.check(room.outbox.stats().events === 0, 'an outbox does not drain');
    this.nothingLost();
    for (const index of this.screens.keys()) await this.plug(index);
    // The feed of a worker that died before its poke looks by itself within a second.
    await this.pass(2000);
    for (
      let turn = 0;
      turn < 2000 && !this.screens.every(({ shown }) => shown.size === this.audit.visible.size);
      turn++
    )
      await settle();
    for (const ticket of this.audit.accepted.keys())
      this.audit.check(this.audit.visible.has(ticket), 'accepted and not stored');
    for (const screen of this.screens)
      for (const ticket of this.audit.visible.keys()) this.audit.check(screen.shown.has(ticket), 'missing on a screen');
    this.trace.push(`accepted ${this.audit.accepted.size}, visible ${this.audit.visible.size}`);
  }

  async close(): Promise<void> {
    await this.feed?.close();
  }
}

/** SQLite answers within a turn, so one turn of the loop lets everything run that can. */
const settle = () => new Promise((resolve) => setImmediate(resolve));
