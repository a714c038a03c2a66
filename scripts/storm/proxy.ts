/** Inside the storm: the line between rooms and broker, which cuts, stalls, drops, doubles and reorders. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Dice } from './dice.ts';
import { type Packet, PUBACK, PUBLISH, packetReader, puback, withId } from './packets.ts';

const DROP = 0.2;
const DOUBLE = 0.2;
const REORDER = 0.4;
/** Payloads held back at once on one connection. */
const WINDOW = 1000;
const HELD_MAX_MS = 800;

export interface FaultProxy {
  readonly port: number;
  /** Drops, doubles and reorders payloads for so long from now; 0 ends it. */
  rough(forMs: number): void;
  /** Ends every connection. */
  cut(): void;
  /** Carries nothing for so long; connections stay. */
  stall(forMs: number): void;
  counts(): { readonly dropped: number; readonly doubled: number; readonly reordered: number; readonly cuts: number };
  close(): Promise<void>;
}

/** Listens on a free port of the loopback; every connection goes on to `target`. */
export async function startProxy(target: number, dice: Dice): Promise<FaultProxy> {
  const counts = { dropped: 0, doubled: 0, reordered: 0, cuts: 0 };
  const pairs = new Set<Pair>();
  let roughUntil = 0;
  let stalledUntil = 0;
  const server = createServer((room) => {
    const pair = join(room, connect(target, '127.0.0.1'), {
      dice,
      counts,
      rough: () => performance.now() < roughUntil,
    });
    pairs.add(pair);
    if (stalledUntil > performance.now()) pair.hold(true);
    pair.onGone(() => pairs.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const cut = () => {
    for (const pair of pairs) pair.cut();
  };
  return {
    port: (server.address() as AddressInfo).port,
    rough: (forMs) => {
      roughUntil = performance.now() + forMs;
    },
    cut: () => {
      counts.cuts += pairs.size;
      cut();
    },
    stall: (forMs) => {
      stalledUntil = performance.now() + forMs;
      for (const pair of pairs) pair.hold(true);
      setTimeout(() => {
        if (performance.now() >= stalledUntil - 1) for (const pair of pairs) pair.hold(false);
      }, forMs);
    },
    counts: () => counts,
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Pair {
  hold(on: boolean): void;
  cut(): void;
  onGone(listener: () => void): void;
}

interface Weather {
  readonly dice: Dice;
  readonly counts: { dropped: number; doubled: number; reordered: number };
  rough(): boolean;
}

function join(room: Socket, broker: Socket, weather: Weather): Pair {
  const { dice, counts } = weather;
  /** Identifiers on the broker's side: those of the room, or none where nobody waits for the answer. */
  const ids = new Map<number, number | undefined>();
  let lastId = 0;
  let held = 0;
  let gone: () => void = () => {};
  const write = (socket: Socket, bytes: Buffer) => {
    if (!socket.destroyed && socket.writable) socket.write(bytes);
  };
  const send = (packet: Packet, roomId: number | undefined) => {
    do lastId = (lastId % 65_535) + 1;
    while (ids.has(lastId) && ids.size < 65_535);
    ids.set(lastId, roomId);
    write(broker, withId(packet, lastId));
  };
  const later = (work: () => void) => {
    held++;
    setTimeout(
      () => {
        held--;
        work();
      },
      dice.between(1, HELD_MAX_MS),
    );
  };
  /** Does with a payload what the weather does; `deliver` carries it on. */
  const through = (deliver: () => void) => {
    if (dice.chance(DROP)) {
      counts.dropped++;
      return;
    }
    if (dice.chance(DOUBLE)) {
      counts.doubled++;
      later(deliver);
    }
    if (held < WINDOW && dice.chance(REORDER)) {
      counts.reordered++;
      later(deliver);
    } else deliver();
  };

  const up = packetReader();
  room.on('data', (chunk: Buffer) => {
    for (const packet of up(chunk)) {
      if (packet.type !== PUBLISH || packet.idAt === undefined) write(broker, packet.bytes);
      else if (!weather.rough()) send(packet, packet.bytes.readUInt16BE(packet.idAt));
      else {
        // The room is told at once that all is well, whatever happens next: as a broker does that dies a moment later.
        write(room, puback(packet.bytes.readUInt16BE(packet.idAt)));
        through(() => send(packet, undefined));
      }
    }
  });
  const down = packetReader();
  broker.on('data', (chunk: Buffer) => {
    for (const packet of down(chunk)) {
      if (packet.type === PUBACK && packet.idAt !== undefined) {
        const id = packet.bytes.readUInt16BE(packet.idAt);
        const roomId = ids.get(id);
        if (roomId !== undefined) write(room, withId(packet, roomId));
        ids.delete(id);
      } else if (packet.type === PUBLISH && packet.qos === 0 && weather.rough()) {
        through(() => write(room, packet.bytes));
      } else write(room, packet.bytes);
    }
  });
  const end = () => {
    room.destroy();
    broker.destroy();
    gone();
  };
  for (const socket of [room, broker]) {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', end);
  }
  return {
    hold: (on) => {
      for (const socket of [room, broker])
        if (on) socket.pause();
        else socket.resume();
    },
    cut: end,
    onGone: (listener) => {
      gone = listener;
    },
  };
}
