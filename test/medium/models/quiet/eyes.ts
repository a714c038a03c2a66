/** Opens the eyes, looks a few times, closes them; prints what they were. Run with the trap in every thread. */
import pino from 'pino';
import { systemClock } from '../../../../agent/clock.ts';
import { createEyes } from '../../../../models/pose/eyes.ts';
import { chooseModels } from '../../../../models/pose/model-set.ts';
import { createThread } from '../../../../models/pose/thread.ts';

const [dataFolder, set] = process.argv.slice(2) as [string, 'default' | 'better'];
const modelsFolder = process.env.EVALROOM_MODELS;
const clock = systemClock();
const log = pino({ level: 'silent' });
const { signal } = new AbortController();
const grey = (shade: number) => ({ width: 320, height: 180, rgb: new Uint8Array(320 * 180 * 3).fill(shade) });

const eyes = createEyes({ dataFolder, modelsFolder, set, clock, log });
await eyes.start(signal);
for (let i = 0; i < 3; i++) await eyes.look(grey(90 + i), { regions: [[0, 0, 0.5, 1]] });

// Nobody is in a grey picture, so the eyes never ask for a pose; this thread is asked for some where nobody is.
const { pose: model } = await chooseModels({ dataFolder, modelsFolder, set, log });
const pose = createThread({ name: 'pose', model, clock, log });
await pose.start(signal);
const boxes = [[0.3, 0.2, 0.6, 0.9] as const];
const answers = [];
for (let i = 0; i < 3; i++)
  answers.push((await pose.ask({ job: 'estimate', picture: grey(100), boxes, frame: i })).kind);

const { state } = eyes.health();
await Promise.all([eyes.close(), pose.close()]);
console.log(JSON.stringify({ modelSet: eyes.modelSet, state, answers }));
