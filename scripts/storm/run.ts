/** `evalroom storm`: starts the world, lets the faults loose, waits for calm, and judges what is left. */
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Unavailable } from '../../protocol/errors.ts';
import { openDesk } from '../stand.ts';
import type { StormOptions } from '../storm.ts';
import { createDice } from './dice.ts';
import { judge, readStored, type Verdict } from './oracle.ts';
import { openPage, type StormPage } from './page.ts';
import { type Fault, planStorm } from './plan.ts';
import { openScreen, type Screen } from './screen.ts';
import { startWorld, type World } from './world.ts';

/** How long the outboxes and the screens may take once nothing is in their way: longer than the longest back-off. */
const DRAIN_MS = 180_000;
/** Looks at the page, a second apart, that may find nothing new before it counts as standing still. */
const PAGE_IDLE = 60;

export interface StormResult extends Verdict {
  readonly kills: number;
  /** Those of them between a worker's COMMIT and its ack. */
  readonly atCommit: number;
  readonly quarantined: number;
  readonly rejected: number;
  readonly seed: number;
  readonly seconds: number;
}

/** Prints the line, and with --json one object as the last line; the process exits with 1 when a number is not 0. */
export async function storm(options: StormOptions): Promise<void> {
  const seed = options.seed ?? randomInt(2 ** 31);
  const say = options.quiet ? () => undefined : (text: string) => void process.stderr.write(`${text}\n`);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const result = await runStorm({ ...options, seed }, say, stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  if (!result) {
    console.log(`stopped, seed ${seed}`);
    process.exitCode = 130;
    return;
  }
  for (const fault of result.faults) process.stderr.write(`${fault}\n`);
  const { accepted, kills, lost, storedTwice, shownTwice, missingOnScreen, quarantined, rejected, seconds } = result;
  const { atCommit } = result;
  if (atCommit > 0) say(`${atCommit} of the kills fell between a worker's COMMIT and its ack`);
  console.log(
    `accepted ${accepted}, kills ${kills}, lost ${lost}, stored twice ${storedTwice}, shown twice ${shownTwice}, missing on screen ${missingOnScreen}, seed ${seed}`,
  );
  if (options.json)
    console.log(
      JSON.stringify({
        ...{ accepted, kills, lost, storedTwice, shownTwice, missingOnScreen, quarantined, seed, seconds, rejected },
        store: options.store,
        ...(options.layout === 'split' ? { layout: 'split', atCommit } : {}),
      }),
    );
  if (lost + storedTwice + shownTwice + missingOnScreen > 0) process.exitCode = 1;
}

/** The same without printing. Throws Unavailable where a part does not start, AbortError when stopped; nothing is left running. */
export async function runStorm(
  options: StormOptions & { readonly seed: number },
  say: (text: string) => void,
  stop: AbortSignal = new AbortController().signal,
): Promise<StormResult> {
  const { seed, kills, store, rooms, layout = 'whole' } = options;
  const sabotage = options.sabotage ?? [];
  const folder = await mkdtemp(join(tmpdir(), 'evalroom-storm-'));
  const beganMs = performance.now();
  const accepted = new Set<string>();
  let world: World | undefined;
  let page: StormPage | undefined;
  const screens: Screen[] = [];
  const until = async (holds: () => boolean, forMs: number) => {
    for (const deadline = performance.now() + forMs; !holds() && performance.now() < deadline; )
      await pause(50, undefined, { signal: stop });
  };
  try {
    say(`seed ${seed}: starting ${rooms} rooms on ${store}, the cloud ${layout} …`);
    world = await startWorld({
      folder,
      rooms,
      store,
      layout,
      sabotage,
      dice: createDice(seed ^ 0x5f0a1),
      onAccepted: (ticket) => accepted.add(ticket),
    });
    stop.throwIfAborted();
    const entered = await enter(world, options.browser === true);
    const { cookie } = entered;
    page = entered.page;
    const steady = world.bases.map((base) => openScreen([base], cookie, sabotage));
    // With several clouds this one goes from one to the next with the same cursor.
    const roaming = openScreen(world.bases, cookie, sabotage);
    const reloading = openScreen([...world.bases].reverse(), cookie, []);
    screens.push(...steady, roaming, reloading);
    await until(() => screens.every((screen) => screen.cursor() !== undefined), DRAIN_MS);
    world.startWriting();

    const plan = planStorm(seed, kills, world.targets);
    let done = 0;
    let atCommit = 0;
    for (const { afterMs, fault } of plan) {
      await pause(afterMs, undefined, { signal: stop });
      if (fault.kind === 'kill') done++;
      if (fault.kind === 'kill' && fault.at) atCommit++;
      say(
        `${fault.kind === 'kill' ? `kill ${done} of ${kills}` : fault.kind} ${words(fault)}, accepted ${accepted.size}`,
      );
      await strike(fault, { world, steady: [...steady, roaming], reloading });
    }
    say('calm: waiting for the outboxes …');
    world.proxy.rough(0);
    await world.stopWriting();
    await until(() => world!.left() === 0, DRAIN_MS);
    say(`the outboxes hold ${world.left()} events; waiting for the screens …`);
    const head = await headOf(world.bases[0]!, cookie);
    await until(() => screens.every((screen) => screen.cursor() === head), DRAIN_MS);
    for (const screen of screens) await screen.close();
    say(`on the line: ${JSON.stringify(world.proxy.counts())}`);
    const stored = await readStored(world.store);
    for (const refusal of stored.refusals.slice(0, 20)) say(refusal);
    const look = async () =>
      judge({
        accepted,
        stored: stored.events,
        steady: [...steady, roaming].map(({ shown }) => shown),
        reloaded: [reloading.episodes()],
        ...(page ? { page: await page.rows() } : {}),
      });
    let verdict = await look();
    // A page of thousands of rows draws long after its line has heard: waited for while it goes on.
    for (let idle = 0; page && verdict.missingOnScreen > 0 && idle < PAGE_IDLE; ) {
      await pause(1000, undefined, { signal: stop });
      const next = await look();
      idle = next.missingOnScreen < verdict.missingOnScreen ? 0 : idle + 1;
      verdict = next;
    }
    const faults = [...verdict.faults, ...screens.flatMap((screen) => screen.faults)];
    const { quarantined, rejected } = stored;
    const seconds = Math.round((performance.now() - beganMs) / 100) / 10;
    return { ...verdict, faults, kills, atCommit, quarantined, rejected, seed, seconds };
  } finally {
    for (const screen of screens) await screen.close();
    await page?.close();
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Struck {
  readonly world: World;
  readonly steady: readonly Screen[];
  readonly reloading: Screen;
}

async function strike(fault: Fault, { world, steady, reloading }: Struck): Promise<void> {
  switch (fault.kind) {
    case 'kill':
      return world.kill(fault.target, fault.at);
    case 'freeze':
      return world.freeze(fault.target, fault.forMs);
    case 'cut':
      return world.proxy.cut();
    case 'stall':
      return world.proxy.stall(fault.forMs);
    case 'rough':
      return world.proxy.rough(fault.forMs);
    case 'unplug':
      for (const screen of steady) screen.unplug();
      return;
    case 'reload':
      return reloading.reload();
  }
}

function words(fault: Fault): string {
  const target = 'target' in fault ? fault.target : '';
  if ('at' in fault) return `${target} at its commit`;
  return 'forMs' in fault ? `${target} for ${fault.forMs} ms`.trim() : target;
}

interface Entered {
  readonly cookie: string;
  readonly page?: StormPage;
}

/** Makes the first supervisor, in a real page or without one. */
async function enter(world: World, browser: boolean): Promise<Entered> {
  if (!browser) return { cookie: (await openDesk(world.setupUrl)).cookie };
  const password = randomBytes(12).toString('base64url');
  const page = await openPage(world.setupUrl, password);
  const base = new URL(world.setupUrl).origin;
  const answer = await fetch(`${base}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base },
    body: JSON.stringify({ name: page.userName, password }),
  });
  const cookies = answer.headers.getSetCookie().map((one) => one.split(';')[0]);
  return { cookie: cookies.join('; '), page };
}

/** The newest place of the feed, as a page that is loaded now would be told. */
async function headOf(base: string, cookie: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    try {
      const answer = await fetch(`${base}/api/overview`, { headers: { cookie } });
      if (answer.ok) return ((await answer.json()) as { cursor: string }).cursor;
    } catch {
      // It may still be on its way back.
    }
    if (tries > 60) throw new Unavailable('storm_no_cloud', `asking ${base} for its overview: no answer`);
    await pause(500);
  }
}
