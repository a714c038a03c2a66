/** vosk and sherpa-onnx as they are: a toy model is heard through, a damaged one ends the child, and the ear says so and tries again. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../agent/clock.ts';
import type { Recogniser } from '../../models/speech/recogniser.ts';
import { openVosk } from '../../models/speech/vosk-library.ts';
import { createWords } from '../../models/speech/words.ts';
import { TOY_WORDS, writeToyKaldi } from '../contract/toy-kaldi.ts';
import { until } from '../fixtures/until.ts';

const clock = systemClock();
const log = pino({ level: 'silent' });
const models = process.env.EVALROOM_MODELS;
const scratch = mkdtempSync(join(tmpdir(), 'evalroom-words-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const vosk = models && existsSync(join(models, 'vosk/libvosk.so'));
const sherpa = models && existsSync(join(models, 'sherpa/node_modules/sherpa-onnx-node'));

const phrases = ['一下照顾', '照顾一下', '公司公司', '照顾照顾'].map((form, i) => ({
  phraseId: `p${i}`,
  language: 'zh-CN',
  category: 'prohibited' as const,
  forms: [form],
  citation: 'c',
}));
const ear = (engine: 'vosk' | 'sherpa' | 'sherpa-kws', modelsFolder: string) =>
  createWords({ engine, language: 'zh-CN', options: { phrases, modelsFolder }, clock, log });

/** Deaf, then tried again at least once. */
async function dies(one: Recogniser): Promise<void> {
  await one.start(new AbortController().signal);
  await until(() => one.health().state === 'deaf' && one.health().restarts > 0);
  expect(one.health().reason).toMatch(/the engine stopped and is being restarted \((exit|killed)/);
  await one.close();
}

describe('an engine that gives words', () => {
  it.each(['vosk', 'sherpa', 'sherpa-kws'] as const)('%s says what is missing and how to get it', async (engine) => {
    const one = ear(engine, join(scratch, 'nothing'));
    await one.start(new AbortController().signal);
    expect(one.health()).toMatchObject({ state: 'deaf', reason: expect.stringMatching(/^no library of .*; run: /) });
    await one.close();
  });

  it('vosk gives the words of a toy model with their times', (context) => {
    if (!vosk) return context.skip('needs EVALROOM_MODELS with vosk/libvosk.so (evalroom models fetch vosk)');
    writeToyKaldi(join(scratch, 'toy-cn'));
    const engine = openVosk({ library: join(models, 'vosk/libvosk.so'), folder: join(scratch, 'toy-cn') });
    let seed = 7;
    const noise = (loud: boolean) =>
      Int16Array.from({ length: 1600 }, () => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return (seed / 2 ** 32 - 0.5) * (loud ? 8000 : 60);
      });
    // The toy ends an utterance after 20 s at the latest; what it then says is a loop of its three words.
    const words = Array.from({ length: 500 }, (_, i) => engine.accept(noise(i % 20 < 12))).flat();
    engine.close();
    expect(words.length).toBeGreaterThan(0);
    for (const { text, beginSample, endSample, sure } of words) {
      expect(TOY_WORDS).toContain(text);
      expect(endSample).toBeGreaterThan(beginSample);
      expect(sure).toBeLessThanOrEqual(1);
    }
    expect(words.at(-1)!.endSample).toBeLessThanOrEqual(500 * 1600);
  });

  it('vosk: a damaged model ends the child or is refused, and the room says that it is deaf', async (context) => {
    if (!vosk) return context.skip('needs EVALROOM_MODELS with vosk/libvosk.so (evalroom models fetch vosk)');
    const folder = join(scratch, 'damaged');
    mkdirSync(join(folder, 'vosk'), { recursive: true });
    symlinkSync(join(models, 'vosk/libvosk.so'), join(folder, 'vosk/libvosk.so'));
    writeToyKaldi(join(folder, 'vosk/toy-cn'));
    truncateSync(join(folder, 'vosk/toy-cn/am/final.mdl'), 600);
    const one = ear('vosk', folder);
    await one.start(new AbortController().signal);
    await until(() => one.health().state === 'deaf' && !/^(starting|not started)$/.test(one.health().reason ?? ''));
    expect(one.health().reason).toMatch(/refuses it|being restarted \((exit|killed)/);
    await one.close();
  });

  const noSherpa = sherpa ? undefined : 'needs EVALROOM_MODELS with sherpa/node_modules/sherpa-onnx-node';

  /** A folder of models in which one of sherpa-onnx is no model, with these tokens. */
  function damaged(name: string, tokens: readonly string[]): string {
    const folder = join(scratch, `bad-${name}`);
    const model = join(folder, 'sherpa', name);
    mkdirSync(model, { recursive: true });
    symlinkSync(join(models ?? '', 'sherpa/node_modules'), join(folder, 'sherpa/node_modules'));
    for (const file of ['encoder.onnx', 'decoder.onnx', 'joiner.onnx']) writeFileSync(join(model, file), 'no model');
    writeFileSync(join(model, 'tokens.txt'), tokens.map((token, i) => `${token} ${i}\n`).join(''));
    return folder;
  }

  it('sherpa: a damaged model ends the child, which is started again', async (context) => {
    if (noSherpa) return context.skip(noSherpa);
    await dies(ear('sherpa', damaged('zipformer-zh', ['<blk>', ...'一下照顾公司'])));
  });

  it('sherpa-kws: a damaged model ends the child, one that can spell nothing is refused', async (context) => {
    if (noSherpa) return context.skip(noSherpa);
    await dies(ear('sherpa-kws', damaged('kws-zipformer-zh', ['<blk>', 'zh', 'ào', 'g', 'ù'])));
    const mute = ear('sherpa-kws', damaged('kws-mute-zh', ['<blk>', 'b']));
    await mute.start(new AbortController().signal);
    await until(() => mute.health().reason?.includes('no tokens for') ?? false);
    expect(mute.health()).toMatchObject({ state: 'deaf', restarts: 0 });
    await mute.close();
  });
});
