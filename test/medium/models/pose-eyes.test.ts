import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, virtualClock } from '../../../agent/clock.ts';
import { DEFAULT_FOLDER, findWeight, loadManifest, sha256Of } from '../../../models/manifest.ts';
import { createEyes, type Eyes, type EyesOptions } from '../../../models/pose/eyes.ts';
import type { ScriptStep } from '../../../models/pose/scripted.ts';
import { RESTART_AFTER_MS, THREAD_LIMITS } from '../../../models/pose/thread.ts';
import { KEYPOINTS, type Person } from '../../../protocol/observation.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const QUIET = join(import.meta.dirname, 'quiet/eyes.ts');
const TRAP = join(import.meta.dirname, 'quiet/trap.cjs');
const log = pino({ level: 'silent' });
let dataFolder: string;
const opened: Eyes[] = [];

beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'evalroom-eyes-'));
  execFileSync(process.execPath, ['scripts/build-task.mjs', join(dataFolder, 'models')], { cwd: ROOT });
});
afterAll(() => rm(dataFolder, { recursive: true }));
afterEach(async () => {
  for (const eyes of opened.splice(0)) await eyes.close();
});

async function open(options: Partial<EyesOptions>): Promise<Eyes> {
  const eyes = createEyes({ dataFolder, clock: systemClock(), log, ...options });
  opened.push(eyes);
  await eyes.start(new AbortController().signal);
  return eyes;
}

function grey(width = 64, height = 36) {
  return { width, height, rgb: new Uint8Array(width * height * 3).fill(120) };
}

/** Waits for what threads bring about; real time, since no clock of ours drives them. */
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(holds()).toBe(true);
}

const pose = KEYPOINTS.map(() => [0.25, 0.3, 0.9] as const);
const anna: Person = { box: [0.2, 0.2, 0.3, 0.6], score: 0.9, pose };
const ben: Person = { box: [0.6, 0.2, 0.7, 0.6], score: 0.7, pose };
const seen = (step: Partial<ScriptStep> = {}): ScriptStep => ({ from: 0, persons: [anna, ben], ...step });

describe('the pose model', () => {
  it('comes out of the set-up with the hash of the manifest, and the same again', async () => {
    const { weights } = await loadManifest();
    for (const weight of weights.filter(({ source }) => source === 'built'))
      expect(await sha256Of(join(dataFolder, 'models', weight.path))).toBe(weight.sha256);
    const again = execFileSync(process.execPath, ['scripts/build-task.mjs', join(dataFolder, 'models')], { cwd: ROOT });
    expect(again.toString()).toContain('built already');
  });
});

describe('the eyes with a script', () => {
  it('see what the script says, with a pose only for whom one is wanted', async () => {
    const eyes = await open({ set: 'scripted', script: { steps: [seen({ from: 5 })] } });
    expect(eyes.modelSet).toBe('scripted');
    expect((await eyes.look(grey(), { frame: 4 })).persons).toEqual([]);
    const { persons } = await eyes.look(grey(), { frame: 5, wantPose: () => [1] });
    expect(persons).toEqual([{ box: anna.box, score: 0.9 }, ben]);
  });

  it('leave the bytes of the picture to whom they belong, several pictures at a time', async () => {
    const eyes = await open({ set: 'scripted', script: { steps: [seen()] } });
    const pictures = [grey(), grey(), grey(32, 18)];
    const looks = await Promise.all(pictures.map((picture) => eyes.look(picture)));
    expect(pictures).toEqual([grey(), grey(), grey(32, 18)]);
    expect(looks.map(({ persons }) => persons.length)).toEqual([2, 2, 2]);
  });

  it('refuse a picture that is not what it says', async () => {
    const eyes = await open({ set: 'scripted', script: { steps: [seen()] } });
    await expect(eyes.look({ ...grey(), width: 65 })).rejects.toMatchObject({ code: 'picture_size' });
  });

  it('go on after one failure, and say in health what it was until the next good look', async () => {
    const script = { steps: [seen(), seen({ from: 1, act: 'throw' }), seen({ from: 2 })] };
    const eyes = await open({ set: 'scripted', script });
    await eyes.look(grey());
    await expect(eyes.look(grey())).rejects.toMatchObject({ kind: 'Unavailable', code: 'scripted_failure' });
    expect(eyes.health()).toMatchObject({ state: 'running', restarts: 0, reason: expect.stringContaining('frame 1') });
    await eyes.look(grey());
    expect(eyes.health().reason).toBeUndefined();
  });

  it('start a crashed thread again with growing waits, and leave the bytes alone meanwhile', async () => {
    const clock = virtualClock();
    const script = { steps: [seen(), seen({ from: 1, act: 'crash' }), seen({ from: 3 })] };
    const eyes = await open({ set: 'scripted', script, clock });
    await eyes.look(grey());
    for (const [crash, waitMs] of RESTART_AFTER_MS.slice(0, 2).entries()) {
      await expect(eyes.look(grey(), { frame: 1 })).rejects.toMatchObject({ kind: 'Unavailable', code: 'eyes_down' });
      expect(eyes.health()).toMatchObject({
        state: 'down',
        restarts: crash + 1,
        reason: expect.stringContaining('crash'),
      });
      const picture = grey();
      await expect(eyes.look(picture)).rejects.toMatchObject({ code: 'eyes_down' });
      expect(picture).toEqual(grey());
      await clock.advance(waitMs - 1);
      expect(eyes.health().state).toBe('down');
      await clock.advance(1);
      await until(() => eyes.health().state === 'running');
    }
    expect((await eyes.look(grey(), { frame: 3 })).persons).toHaveLength(2);
    expect(eyes.health().reason).toBeUndefined();
  });

  it('replace a thread that hangs, and refuse all that waited for it', async () => {
    const clock = virtualClock();
    const eyes = await open({ set: 'scripted', script: { steps: [seen({ act: 'hang' }), seen({ from: 2 })] }, clock });
    const refused = [0, 1].map((frame) =>
      expect(eyes.look(grey(), { frame })).rejects.toMatchObject({ kind: 'Unavailable', code: 'eyes_down' }),
    );
    await clock.advance(THREAD_LIMITS.answerMs);
    await Promise.all(refused);
    expect(eyes.health()).toMatchObject({ state: 'down', reason: expect.stringContaining('did not answer') });
    await clock.advance(RESTART_AFTER_MS[0]);
    await until(() => eyes.health().state === 'running');
    expect((await eyes.look(grey(), { frame: 2 })).persons).toHaveLength(2);
  });

  it('take no more than so many waiting pictures', async () => {
    const script = { steps: [seen({ delayMs: 50 })] };
    const eyes = await open({ set: 'scripted', script });
    const looks = Array.from({ length: THREAD_LIMITS.waiting + 2 }, () => eyes.look(grey()));
    const outcomes = await Promise.allSettled(looks);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toEqual([
      expect.objectContaining({ reason: expect.objectContaining({ kind: 'Full', code: 'eyes_busy' }) }),
    ]);
  });

  it('end at once, and whoever waited is told', async () => {
    const eyes = await open({ set: 'scripted', script: { steps: [seen({ act: 'hang' })] } });
    const waiting = expect(eyes.look(grey())).rejects.toMatchObject({ code: 'eyes_closed' });
    await eyes.close();
    await waiting;
  });
});

describe('the choice of models', () => {
  const folderWith = async (bytes: Buffer) => {
    const folder = join(dataFolder, `models-${bytes.length}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'yolox_nano.onnx'), bytes);
    return folder;
  };

  it('refuses a truncated better model when told to use it, with what to do', async () => {
    const modelsFolder = await folderWith(Buffer.alloc(1_000));
    await expect(open({ modelsFolder, set: 'better' })).rejects.toMatchObject({
      kind: 'Corrupt',
      code: 'model_truncated',
      message: expect.stringContaining('evalroom models fetch yolox-nano'),
    });
  });

  it('opens with the default one beside a broken better one, and says so in health', async () => {
    const eyes = await open({ modelsFolder: await folderWith(Buffer.alloc(4_000_000)), set: 'auto' });
    expect(eyes.modelSet).toMatch(/^(blazepose|centernet)\+pose-lite$/);
    expect(eyes.health()).toMatchObject({ state: 'running', reason: expect.stringContaining('yolox-nano') });
  });

  it('says what is missing', async (ctx) => {
    const { weights } = await loadManifest();
    const better = weights.find(({ name }) => name === 'yolox-nano')!;
    if (await findWeight(better, [DEFAULT_FOLDER])) ctx.skip('the better model was fetched into this checkout');
    await expect(open({ set: 'better' })).rejects.toMatchObject({ kind: 'Unavailable', code: 'model_missing' });
    await expect(open({ set: 'scripted' })).rejects.toMatchObject({ kind: 'InvalidInput', code: 'script_missing' });
  });
});

describe('the eyes are quiet', () => {
  /** Runs Node with the trap in every thread; gives its output and what was caught. */
  const run = async (name: string, args: readonly string[]) => {
    const trap = join(dataFolder, `trap-${name}`);
    await writeFile(trap, '');
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--require', TRAP, ...args], {
      env: { ...process.env, EVALROOM_TRAP: trap },
      encoding: 'utf8',
    });
    const caught = (await readFile(trap, 'utf8')).trim().split('\n').filter(Boolean).sort();
    return { stdout, stderr, status, caught };
  };

  it.for(['default', 'better'])(
    'no thread of the %s set reaches for a network while it loads, runs and closes',
    async (set, ctx) => {
      if (set === 'better' && !process.env.EVALROOM_MODELS) ctx.skip('needs EVALROOM_MODELS');
      const { stdout, stderr, status, caught } = await run(set, [QUIET, dataFolder, set]);
      expect(stderr).toBe('');
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ state: 'running', answers: Array(3).fill('estimated') });
      expect(caught).toEqual([]);
    },
  );

  it('and the trap would have seen it', async () => {
    const thread =
      "fetch('http://127.0.0.1:9/').catch(() => {}); require('net').connect(9, '127.0.0.1').on('error', () => {});";
    const { caught } = await run('control', [
      '-e',
      `new (require('worker_threads').Worker)(${JSON.stringify(thread)}, { eval: true })`,
    ]);
    expect(caught).toEqual(['connect', 'fetch http://127.0.0.1:9/']);
  });
});
