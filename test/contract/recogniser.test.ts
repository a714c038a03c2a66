/** What every ear promises, run on the scripted one, the Mandarin one (a small made-up model) and the English one (Debian's). */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, describe, expect, it, type TestContext } from 'vitest';
import { systemClock } from '../../agent/clock.ts';
import { createFsmn } from '../../models/speech/fsmn.ts';
import { createPocketsphinx } from '../../models/speech/pocketsphinx.ts';
import type { Recogniser } from '../../models/speech/recogniser.ts';
import { createScripted } from '../../models/speech/scripted.ts';
import { createWords, findWords } from '../../models/speech/words.ts';
import { until } from '../fixtures/until.ts';
import { tone, writeSmallModel } from '../unit/models/speech/small-net.ts';
import { writeToyKaldi } from './toy-kaldi.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
const modelsFolder = mkdtempSync(join(tmpdir(), 'evalroom-ears-'));
writeSmallModel(modelsFolder);
afterAll(() => rmSync(modelsFolder, { recursive: true, force: true }));

const phrase = (language: string, form: string) => ({
  phraseId: 'p1',
  language,
  category: 'prohibited' as const,
  forms: [form],
  citation: 'c',
});

interface Case {
  readonly name: string;
  readonly language: string;
  make(): Recogniser;
  /** Reason to skip, where the machine lacks something. */
  lacks?(): string | undefined;
}

const CASES: readonly Case[] = [
  { name: 'scripted', language: 'en', make: () => createScripted({ language: 'en', script: [] }) },
  {
    name: 'fsmn',
    language: 'zh-CN',
    make: () => createFsmn({ options: { phrases: [phrase('zh-CN', '领导打过招呼')], modelsFolder }, clock, log }),
  },
  {
    name: 'pocketsphinx',
    language: 'en',
    make: () =>
      createPocketsphinx({ options: { phrases: [phrase('en', 'change the scores')], modelsFolder }, clock, log }),
    lacks: () =>
      existsSync('/usr/share/pocketsphinx/model/en-us') ? undefined : 'needs the Debian package pocketsphinx-en-us',
  },
  {
    name: 'vosk',
    language: 'zh-CN',
    make: () =>
      createWords({
        engine: 'vosk',
        language: 'zh-CN',
        options: { phrases: [phrase('zh-CN', '照顾一下公司')], modelsFolder },
        clock,
        log,
      }),
    lacks: () => (hasVosk ? undefined : 'needs EVALROOM_MODELS with vosk/libvosk.so (evalroom models fetch vosk)'),
  },
  ...(['sherpa', 'sherpa-kws'] as const).map((engine) => ({
    name: engine,
    language: 'zh-CN',
    make: () =>
      createWords({
        engine,
        language: 'zh-CN',
        options: { phrases: [phrase('zh-CN', '领导打过招呼')], modelsFolder: bring ?? '' },
        clock,
        log,
      }),
    lacks: () =>
      bring !== undefined && findWords(engine, 'zh-CN', bring).missing === undefined
        ? undefined
        : `needs EVALROOM_MODELS with sherpa/node_modules and a ${engine === 'sherpa' ? 'streaming' : 'keyword'} model for zh in sherpa/`,
  })),
];

const bring = process.env.EVALROOM_MODELS;
const libvosk = bring === undefined ? undefined : join(bring, 'vosk/libvosk.so');
const hasVosk = libvosk !== undefined && existsSync(libvosk);
if (hasVosk) {
  mkdirSync(join(modelsFolder, 'vosk'));
  symlinkSync(libvosk, join(modelsFolder, 'vosk/libvosk.so'));
  writeToyKaldi(join(modelsFolder, 'vosk/toy-cn'));
}

describe.each(CASES)('a recogniser: $name', ({ name, language, make, lacks }) => {
  const skip = (context: TestContext) => {
    const reason = lacks?.();
    if (reason) context.skip(reason);
  };
  const started = async (signal = new AbortController().signal) => {
    const ear = make();
    await ear.start(signal);
    await until(() => ear.health().state === 'hearing');
    return ear;
  };

  it('names itself and is deaf before it is started', (context) => {
    skip(context);
    const ear = make();
    expect([ear.engine, ear.language]).toEqual([name, language]);
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: 'not started', restarts: 0, dropped: 0 });
  });

  it('hears, takes blocks of any size, silence and full scale, and keeps hearing', async (context) => {
    skip(context);
    const ear = await started();
    ear.accept(new Int16Array(0));
    ear.accept(new Int16Array(1));
    ear.accept(tone(15_999));
    ear.accept(new Int16Array(8000));
    ear.accept(new Int16Array(8000).fill(-32768));
    await clock.sleep(200);
    expect(ear.health()).toMatchObject({ state: 'hearing', restarts: 0, dropped: 0 });
    await ear.close();
  });

  it('may be fed before it is ready', async (context) => {
    skip(context);
    const ear = make();
    ear.accept(tone(1600));
    await ear.start(new AbortController().signal);
    ear.accept(tone(1600));
    await until(() => ear.health().state === 'hearing');
    await ear.close();
  });

  it('ends once, twice, and not at all badly when fed afterwards', async (context) => {
    skip(context);
    const ear = await started();
    await ear.close();
    await ear.close();
    ear.accept(tone(1600));
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: 'closed' });
  });

  it('ends when its signal aborts', async (context) => {
    skip(context);
    const stop = new AbortController();
    const ear = await started(stop.signal);
    stop.abort();
    await ear.close();
    expect(ear.health().state).toBe('deaf');
  });
});

describe('the scripted recogniser', () => {
  const hit = (endSample: number, neededSample?: number) => ({
    phraseId: 'p1',
    text: 't',
    score: 1,
    threshold: 0,
    beginSample: endSample - 800,
    endSample,
    heard: 't',
    ...(neededSample === undefined ? {} : { neededSample }),
  });

  it('reports hits in order of their end, when what they need was heard', async () => {
    const ear = createScripted({ language: 'en', script: [hit(8000), hit(1600, 3000)] });
    const ends: number[] = [];
    ear.onHit((h) => ends.push(h.endSample));
    await ear.start(new AbortController().signal);
    ear.accept(new Int16Array(1600));
    expect(ends).toEqual([]);
    ear.accept(new Int16Array(1600));
    expect(ends).toEqual([1600]);
    ear.accept(new Int16Array(8000));
    expect(ends).toEqual([1600, 8000]);
  });

  it('misses what is said while it is deaf or has crashed, and comes back', async () => {
    const ear = createScripted({ language: 'en', script: [hit(1000), hit(3000), hit(5000)] });
    const ends: number[] = [];
    ear.onHit((h) => ends.push(h.endSample));
    await ear.start(new AbortController().signal);
    ear.goDeaf('no model');
    ear.accept(new Int16Array(2000));
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: 'no model' });
    ear.hear();
    ear.crash(2000);
    ear.accept(new Int16Array(2000));
    expect(ear.health()).toMatchObject({ state: 'hearing', restarts: 1 });
    ear.accept(new Int16Array(2000));
    expect(ends).toEqual([5000]);
  });
});
