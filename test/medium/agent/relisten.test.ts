/** Another rule pack while somebody is speaking: the real Mandarin ear is exchanged in the middle of a phrase, and the phrase is heard once. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { listenTo, relisten } from '../../../agent/ears.ts';
import type { Heard } from '../../../agent/listen.ts';
import { memoryOutbox } from '../../../agent/store/memory.ts';
import { createWatch } from '../../../agent/watch.ts';
import type { PcmBlock } from '../../../hardware/camera.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import type { RoomEvent } from '../../../protocol/event.ts';
import { EMPTY_ROOM } from '../../fixtures/empty-room.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
const BLOCK = 1600;

describe('the ears under another rule pack', () => {
  it('hear a phrase once that is being said while they are exchanged', async (ctx) => {
    const [models, media] = [process.env.EVALROOM_MODELS ?? '', process.env.EVALROOM_MEDIA ?? ''];
    const folder = join(media, 'audio/zh-splice');
    if (!existsSync(join(models, 'fsmn-zh/kwsr.net'))) return ctx.skip('needs EVALROOM_MODELS');
    if (!existsSync(join(folder, 'labels.json'))) return ctx.skip('needs EVALROOM_MEDIA');
    const { clips } = JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')) as {
      clips: { file: string; phrase?: string; phrase_end_s?: number }[];
    };
    const demo = loadRulePack('demo');
    const isKnown = (text: string | undefined) =>
      demo.phrases.some(({ forms }) => text !== undefined && forms.includes(text));
    const clip = clips.find(({ phrase, phrase_end_s }) => isKnown(phrase) && phrase_end_s !== undefined);
    if (!clip?.phrase_end_s) return ctx.skip('needs a recording with a phrase of the demo in EVALROOM_MEDIA');
    const args = ['-v', 'error', '-i', join(folder, clip.file), '-ac', '1', '-ar', '16000', '-f', 's16le', '-'];
    const bytes = new Uint8Array(execFileSync('ffmpeg', args));
    const speech = new Int16Array(bytes.buffer, 0, bytes.length >> 1);
    const sound = new Int16Array(speech.length + 2 * 16_000);
    sound.set(speech);

    const waiting: PcmBlock[] = [];
    let wake: (() => void) | undefined;
    async function* samples(): AsyncIterable<PcmBlock> {
      for (;;) {
        const block = waiting.shift();
        if (block) yield block;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    }
    const parts = {
      languages: ['zh-CN'],
      engines: {},
      bidders: [],
      pack: demo,
      modelsFolder: models,
      script: undefined,
      clock,
      log,
    };
    const listen = listenTo('mic-1', samples(), parts);
    const outbox = memoryOutbox({ roomId: 'room-1', clock, quotaEvents: 1000 });
    const watch = createWatch({ context: { layout: EMPTY_ROOM, pack: demo, runId: 'run' }, outbox, clock, log });
    const events: RoomEvent[] = [];
    watch.onEvent((event) => void events.push(event));
    const phrases: Heard[] = [];
    const reading = (async () => {
      for await (const heard of listen.observations()) {
        if (heard.kind === 'phrase') phrases.push(heard);
        watch.observe(heard);
      }
    })();
    listen.start(new AbortController().signal);
    await expect.poll(() => listen.health().ears[0]?.state, { timeout: 60_000 }).toBe('hearing');

    const began = clock.now();
    const more = { ...demo, version: '9.0.0', phrases: demo.phrases.slice(1).concat(demo.phrases[0]!) };
    const middle = Math.floor(((clip.phrase_end_s - 0.6) * 16_000) / BLOCK);
    for (let n = 0; n * BLOCK < sound.length; n++) {
      const ms = (n + 1) * 100;
      if (n === middle) {
        watch.repack(more);
        relisten(listen, { ...parts, pack: more });
      }
      waiting.push({
        samples: sound.slice(n * BLOCK, (n + 1) * BLOCK),
        at: { ...began, wallMs: began.wallMs + ms, monoMs: began.monoMs + ms },
      });
      wake?.();
      await clock.sleep(10, new AbortController().signal);
    }
    await expect.poll(() => phrases.length, { timeout: 60_000 }).toBeGreaterThan(0);
    await listen.close();
    wake?.();
    await reading;
    const ids = demo.phrases.filter(({ forms }) => forms.includes(clip.phrase!)).map(({ phraseId }) => phraseId);
    expect(new Set(phrases.map((one) => (one.kind === 'phrase' ? one.phraseId : '')))).toEqual(new Set(ids));
    const begins = events.filter(({ body }) => body.kind === 'episode' && body.phase === 'begin' && body.transcript);
    expect(begins).toHaveLength(1);
    const updates = events.filter(({ body }) => body.kind === 'episode' && body.phase === 'update');
    expect(updates).toEqual([]);
  });
});
