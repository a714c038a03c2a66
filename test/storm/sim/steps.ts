/** What can happen in the simulated world, as values that fast-check draws and shrinks. */
import fc from 'fast-check';
import type { Store } from '../../../cloud/store/store.ts';
import { type Break, SimWorld } from './world.ts';

/** A kind of step, and two numbers that choose among what is there. */
export type SimStep = readonly [kind: keyof typeof STEPS, a: number, b: number];

type Act = (world: SimWorld, a: number, b: number) => void | Promise<void>;

const room = (world: SimWorld, a: number) => world.rooms[a % world.rooms.length]!;
const JUMPS_MS = [3_600_000, -3_600_000, 86_400_000, -86_400_000, -1_800_000_000_000, 0];

const STEPS = {
  accept: (world, a, b) => world.accept(room(world, a), 1 + (b % 5)),
  acceptMany: (world, a, b) => world.accept(room(world, a), 40 + (b % 80)),
  acceptUntold: (world, a, b) => world.accept(room(world, a), 1 + (b % 3), false),
  connect: (world, a) => world.connect(room(world, a)),
  disconnect: (world, a) => world.disconnect(room(world, a)),
  publish: (world, a, b) => {
    for (let turn = 0; turn <= b % 8; turn++) world.publish(room(world, a));
  },
  deliver: (world, a, b) => {
    for (let turn = 0; turn <= b % 8; turn++) world.deliver(a + turn * 31, b);
  },
  drop: (world, a) => world.drop(a),
  double: (world, a) => world.double(a),
  commit: (world, a, b) => world.commit(a, 1 + (b % 6), 'well'),
  commitFails: (world, a, b) => world.commit(a, 1 + (b % 6), 'fails'),
  commitDies: (world, a, b) => world.commit(a, 1 + (b % 6), 'dies'),
  killWorker: (world, a) => world.killWorker(a),
  ack: (world, a, b) => {
    for (let turn = 0; turn <= b % 8; turn++) world.deliverAck(a + turn * 17, b % 5 === 4);
  },
  dropAck: (world, a) => world.dropAck(a),
  wipeBroker: (world) => world.wipeBroker(),
  crash: (world, a) => world.crash(room(world, a)),
  takeImage: (world, a) => world.takeImage(room(world, a)),
  putImageBack: (world, a) => world.putImageBack(room(world, a)),
  copyRunning: (world, a) => world.copyRunning(room(world, a)),
  pass: (world, a) => world.pass([50, 400, 2600, 9000, 40_000][a % 5]!),
  stepRoom: (world, a, b) => {
    room(world, a).stepMs = JUMPS_MS[b % JUMPS_MS.length]!;
  },
  stepCloud: (world, a) => world.stepCloud(JUMPS_MS[a % JUMPS_MS.length]!),
  unplug: (world, a) => world.unplugScreen(a),
  plug: (world, a) => world.plug(a),
  restartWeb: (world) => world.startWeb(),
} satisfies Record<string, Act>;

/** The path moves more often than it breaks, or nothing would ever be under way when it does. */
const WEIGHTS: Partial<Record<keyof typeof STEPS, number>> = {
  accept: 8,
  connect: 8,
  publish: 12,
  deliver: 12,
  commit: 10,
  ack: 10,
  plug: 3,
  takeImage: 2,
  putImageBack: 2,
  pass: 3,
};

const number = fc.nat({ max: 1000 });

/** Sequences of up to `maxLength` steps. */
export const simSteps = (maxLength: number) =>
  fc.array(
    fc.oneof(
      ...Object.keys(STEPS).map((kind) => ({
        weight: WEIGHTS[kind as keyof typeof STEPS] ?? 1,
        arbitrary: fc.tuple(fc.constant(kind as keyof typeof STEPS), number, number) as fc.Arbitrary<SimStep>,
      })),
    ),
    { minLength: 5, maxLength, size: 'max' },
  );

let runs = 0;

/** Runs a sequence from an empty world, heals it, and gives the trace. Throws Broken where an invariant does not hold. */
export async function simulate(store: Store, steps: readonly SimStep[], broken?: Break): Promise<readonly string[]> {
  // Rooms of its own in a store that all runs share: a run can not see what others left.
  const world = await SimWorld.start(store, runs++, broken);
  try {
    for (const [kind, a, b] of steps) {
      const act: Act = STEPS[kind];
      await act(world, a, b);
      world.nothingLost();
    }
    await world.heal();
    return world.trace;
  } finally {
    await world.close();
  }
}
