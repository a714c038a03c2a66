/** What the tests of camera faults stand on: a whole room whose camera misbehaves on order, with scripted sitting people. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { SEGMENT_NAME } from '../../../agent/record/ring.ts';
import type { OverviewView } from '../../../cloud/http/api.ts';
import { demoFilm } from '../../../hardware/fake/demo-film.ts';
import type { Fault } from '../../../hardware/fake/fault.ts';
import { type Box, bounds } from '../../../protocol/seat.ts';
import { processTree } from '../../../scripts/bench/processes.ts';
import { type Accepted, type Desk, openDesk, type Stand, startStand } from '../../../scripts/stand.ts';

export interface FaultRoom {
  readonly stand: Stand;
  readonly desk: Desk;
  /** Every connection, message and name that the agent itself has asked for since it began: `connect 127.0.0.1:1883`. */
  asked(): string[];
  /** Occupancy of every seat as the cloud shows it now. */
  occupancy(): Promise<string[]>;
  accepted(kind: string): Accepted[];
  /** When the newest recorded segment ends; 0 before the first. */
  recordedWallMs(): number;
  setFault(fault: Fault | null): void;
  until<T>(what: string, look: () => Promise<T | undefined> | T | undefined, limitMs: number): Promise<T>;
  close(): Promise<void>;
}

/** Where the script has them: one in each seat's zone. */
export function sitting(): Box[] {
  const room = parse(readFileSync(demoFilm().room, 'utf8')) as { seats: { views: { zone: [number, number][] }[] }[] };
  return room.seats.map(({ views }) => bounds(views[0]!.zone));
}

export interface FaultRoomOptions {
  /** Of room.yaml, over its own. */
  readonly keys?: Readonly<Record<string, unknown>>;
  /** Folder of models: then eyes and ears are real. */
  readonly models?: string;
}

/** Somebody sits at each seat of the demo's room for ever, for eyes that follow a script. */
export async function startFaultRoom({ keys = {}, models }: FaultRoomOptions = {}): Promise<FaultRoom> {
  const folder = await mkdtemp(join(tmpdir(), 'evalroom-faults-'));
  const persons = sitting().map((box) => ({ box, score: 0.9 }));
  const script = join(folder, 'script.json');
  await writeFile(script, JSON.stringify({ eyes: { steps: [{ from: 0, persons }] }, ears: [] }));
  const log: string[] = [];
  const onLine = (part: string, line: string) => void log.push(`${part}: ${line.slice(0, 300)}`);
  const asked = join(folder, 'connections');
  await writeFile(asked, '');
  const preload = new URL('./every-connection.ts', import.meta.url).href;
  const env = {
    ...{ NODE_OPTIONS: `--import=${preload}`, EVALROOM_TEST_CONNECTIONS: asked },
    ...(models === undefined ? {} : { EVALROOM_MODELS: models }),
  };
  const scripted = models === undefined ? { script, languages: [] } : {};
  const stand = await startStand({ data: join(folder, 'stand'), room: { ...scripted, ...keys }, onLine, env });
  const desk: Desk = await openDesk(stand.setupUrl);
  return {
    stand,
    desk,
    asked: () => [...new Set(readFileSync(asked, 'utf8').split('\n').filter(Boolean))],
    async occupancy() {
      const { rooms } = await desk.get<OverviewView>('/api/overview');
      return rooms[0]?.state?.seats.map(({ occupancy }) => occupancy) ?? [];
    },
    accepted: (kind) => stand.accepted.filter((one) => one.kind === kind),
    recordedWallMs() {
      const place = join(folder, 'stand', 'box', 'segments');
      const names = existsSync(place) ? readdirSync(place, { recursive: true }) : [];
      return Math.max(0, ...names.map((name) => Number(SEGMENT_NAME.exec(basename(String(name)))?.[3] ?? 0)));
    },
    setFault: (fault) => stand.camera.send({ fault }),
    async until(what, look, limitMs) {
      for (const endMs = performance.now() + limitMs; performance.now() < endMs; ) {
        const found = await look();
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      throw new Error(`${what}: not within ${limitMs / 1000} s\n${log.slice(-15).join('\n')}`);
    },
    async close() {
      await stand.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * One fault from begin to end: an event of the camera's fault, nobody presumed anywhere meanwhile, and within `backMs`
 * of the camera's return everybody in their seats again and the event over.
 */
export async function goThrough(
  room: FaultRoom,
  fault: Fault,
  limits: { seenMs: number; backMs: number },
): Promise<{ readonly seenS: number; readonly backS: number }> {
  const since = (ms: number) => Math.round((performance.now() - ms) / 100) / 10;
  const all = (word: string) => async () => {
    const seats = await room.occupancy();
    return seats.length > 0 && seats.every((one) => one === word) ? true : undefined;
  };
  const faults = (phase: string) =>
    room.accepted('episode').filter((one) => one.behaviour === 'camera_fault' && one.phase === phase);
  await room.until('everybody sits', all('yes'), 40_000);
  // A fault that comes back soon after it has ended goes on as an update of the same episode.
  const told = () => faults('begin').length + faults('update').length;
  const [begun, ended] = [told(), faults('end').length];
  const beganMs = performance.now();
  let seenS: number;
  room.setFault(fault);
  try {
    await room.until(`${fault}: presence is unknown`, all('unknown'), limits.seenMs);
    await room.until(`${fault}: an event`, () => told() > begun || undefined, limits.seenMs);
    seenS = since(beganMs);
  } finally {
    room.setFault(null);
  }
  const returnedMs = performance.now();
  await room.until(`${fault}: everybody sits again`, all('yes'), limits.backMs);
  const backS = since(returnedMs);
  // An end is told when the fault has stayed away for a while.
  await room.until(`${fault}: the event has ended`, () => faults('end').length > ended || undefined, limits.backMs);
  return { seenS, backS };
}

/** The ends that the room's agent is configured to talk to: its camera's, its cloud's. */
function configured({ stand: { camera, cloud, url } }: FaultRoom): string[] {
  const ports = [
    new URL(String(camera.ready.main)).port,
    String(camera.ready.onvif).split(':')[1],
    new URL(String(cloud.ready.mqttUrl)).port,
    new URL(url).port,
  ];
  return ports.map((port) => `127.0.0.1:${port}`);
}

/** Of these ends, those that the room is not configured to talk to. */
export function strangers(room: FaultRoom, peers: readonly string[]): string[] {
  const known = configured(room);
  return peers.filter((peer) => !known.includes(peer));
}

/** Of whatever the agent has asked for since it began, what is no connection to a configured end. */
export function strangersAsked(room: FaultRoom): string[] {
  const known = configured(room).map((end) => `connect ${end}`);
  return room.asked().filter((one) => !known.includes(one));
}

/** `address:port` of the other end of every socket of a process and its children, and what it listens on. */
export function connectionsOf(pid: number): { readonly peers: string[]; readonly listening: string[] } {
  const inodes = new Set(processTree(pid).flatMap((one) => socketsOf(one.pid)));
  const [peers, listening] = [new Set<string>(), new Set<string>()];
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6'])
    for (const line of readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (!fields[9] || !inodes.has(fields[9])) continue;
      const [local, remote, state] = [fields[1]!, fields[2]!, fields[3]!];
      if (table.startsWith('tcp') && state === '0A') listening.add(wordOf(local));
      else if (!/^0+:0+$/.test(remote)) peers.add(wordOf(remote));
    }
  return { peers: [...peers], listening: [...listening] };
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** The kernel writes addresses as words of four bytes, lowest first, and ports as they are. */
function wordOf(address: string): string {
  const [host, port] = address.split(':') as [string, string];
  const last = host.slice(-8);
  const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(last.slice(at, at + 2), 16));
  return `${bytes.join('.')}:${Number.parseInt(port, 16)}`;
}
