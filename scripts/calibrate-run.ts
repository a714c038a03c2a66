/** Inside calibrate.ts: the cameras and the eyes of a room.yaml, for some minutes, without anything else of the agent. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createSeatFinder, type SeatProposal } from '../agent/calibrate.ts';
import { systemClock } from '../agent/clock.ts';
import { loadRoomConfig } from '../agent/config.ts';
import { createLog } from '../agent/log.ts';
import { createPerceive } from '../agent/perceive.ts';
import { cameraPlans } from '../agent/sources.ts';
import { detectBox } from '../hardware/box/detect.ts';
import { createEyes } from '../models/pose/eyes.ts';
import { Unavailable } from '../protocol/errors.ts';
import { checkFloor, type FloorCheck } from '../protocol/floor.ts';
import type { CalibrateOptions } from './calibrate.ts';

interface Watched {
  readonly cameraId: string;
  readonly frames: number;
  readonly seats: readonly SeatProposal[];
}

/** Prints YAML to be pasted into room.yaml. Throws Unavailable `nothing_seen` when no camera gave a picture. */
export async function calibrate({ room, minutes, json }: CalibrateOptions): Promise<void> {
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const config = loadRoomConfig(room);
  // Its own folder: an agent of this room may be running, and what it records is not ours to clear away.
  const folder = await mkdtemp(join(tmpdir(), 'evalroom-calibrate-'));
  const [clock, log] = [systemClock(), createLog({ name: 'calibrate', level: 'warn' })];
  const eyes = createEyes({ modelsFolder: config.modelsFolder, dataFolder: config.dataFolder, clock, log });
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  try {
    await eyes.start(stop.signal);
    const { hwaccel } = await detectBox();
    const plans = cameraPlans({ ...config, dataFolder: folder }, hwaccel, { clock, log });
    say(`watching ${plans.map(({ cameraId }) => cameraId).join(', ')} for ${minutes} min; Ctrl-C ends it early …`);
    void clock.sleep(minutes * 60_000, stop.signal).then(() => stop.abort());
    const watched = await Promise.all(
      plans.map(async (plan): Promise<Watched> => {
        const finder = createSeatFinder();
        const camera = await plan.open(stop.signal);
        await camera.start(stop.signal);
        const perceive = createPerceive({ camera, eyes, layout: config.layout, clock, log });
        stop.signal.addEventListener('abort', () => void camera.close(), { once: true });
        const segments = drain(camera.segments());
        for await (const { persons } of perceive.observations()) finder.see(persons);
        await Promise.all([perceive.close(), camera.close(), segments]);
        return { cameraId: plan.cameraId, frames: finder.frames(), seats: finder.proposals() };
      }),
    );
    if (watched.every(({ frames }) => frames === 0))
      throw new Unavailable('nothing_seen', `no camera of ${room} gave a picture: evalroom doctor --room ${room}`);
    const floor = config.layout.floor.map(checkFloor);
    for (const line of words(watched, floor)) console.log(line);
    if (json) console.log(JSON.stringify({ cameras: watched, floor }));
  } finally {
    stop.abort();
    await eyes.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Recorded files are not wanted here, but a lane that nobody reads would hold them for ever. */
async function drain(segments: AsyncIterable<{ readonly path: string }>): Promise<void> {
  for await (const { path } of segments) await rm(path, { force: true });
}

function words(watched: readonly Watched[], floor: readonly FloorCheck[]): string[] {
  return [
    ...watched.flatMap(({ cameraId, frames, seats }) => [
      `# ${cameraId}: ${seats.length} places where people sat, in ${frames} frames, from left to right`,
      ...seats.map(({ share }, i) => `#   ${i + 1}: seen in ${Math.round(100 * share)} % of them`),
    ]),
    '# With several cameras: put the views of one seat together under one id.',
    stringify({
      seats: watched.flatMap(({ cameraId, seats }, c) =>
        seats.map(({ zone }, i) => ({
          id: watched.length === 1 ? `${i + 1}` : `${c + 1}-${i + 1}`,
          name: `${i + 1}号席`,
          views: [{ camera: cameraId, zone }],
        })),
      ),
    }).trimEnd(),
    ...floor.map(({ cameraId, points, state, errorsM }) => {
      const off = errorsM.map((error) => (Number.isFinite(error) ? error.toFixed(2) : '–')).join(', ');
      if (state === 'unusable')
        return `# floor of ${cameraId}: its ${points} points lie on no floor: measure them anew`;
      if (state === 'unproved')
        return `# floor of ${cameraId}: four points always fit; measure a fifth one to know whether they are right`;
      return `# floor of ${cameraId}: ${state}; each point against the others, metres off: ${off}`;
    }),
  ];
}
