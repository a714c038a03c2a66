/** The real ears off the main thread: phrases heard, faults of model and process said aloud, and recovery without help. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../agent/clock.ts';
import { createFsmn } from '../../models/speech/fsmn.ts';
import { createPocketsphinx } from '../../models/speech/pocketsphinx.ts';
import type { Hit, Recogniser } from '../../models/speech/recogniser.ts';
import { until } from '../fixtures/until.ts';
import { seeded, writeSmallModel } from '../unit/models/speech/small-net.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
const scratch = mkdtempSync(join(tmpdir(), 'evalroom-speech-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const DEBIAN_MODEL = '/usr/share/pocketsphinx/model/en-us';
const noEnglish = existsSync(DEBIAN_MODEL) ? undefined : 'needs the Debian package pocketsphinx-en-us';
const models = process.env.EVALROOM_MODELS;
const media = process.env.EVALROOM_MEDIA;

const phrase = (phraseId: string, language: string, ...forms: string[]) => ({
  phraseId,
  language,
  category: 'prohibited' as const,
  forms,
  citation: 'c',
});
const BRIBE = phrase('bribe', 'en', 'they offered us a bribe');

/** The recording as 16 kHz samples with a second of a microphone's own noise before and after. */
function soundOf(path: string): Int16Array {
  const bytes = execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-ac', '1', '-ar', '16000', '-f', 's16le', '-']);
  const spoken = new Int16Array(new Uint8Array(bytes).buffer);
  const random = seeded(5);
  const sound = Int16Array.from({ length: spoken.length + 32_000 }, () => Math.round(random() * 33));
  sound.set(spoken, 16_000);
  return sound;
}

const hearing = (ear: Recogniser) => until(() => ear.health().state === 'hearing');

function feed(ear: Recogniser, sound: Int16Array): void {
  for (let at = 0; at < sound.length; at += 1600) ear.accept(sound.slice(at, at + 1600));
}

function begin(ear: Recogniser): { hits: Hit[]; ready: Promise<void> } {
  const hits: Hit[] = [];
  ear.onHit((hit) => hits.push(hit));
  const ready = ear.start(new AbortController().signal).then(() => hearing(ear));
  return { hits, ready };
}

/** Child processes of this one that run the English ear. */
function children(): number[] {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(/\s+/).map(Number);
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('pocketsphinx-child');
    } catch {
      return false;
    }
  });
}

describe('the English ear', () => {
  const english = (phrases = [BRIBE], folder = DEBIAN_MODEL) =>
    createPocketsphinx({ options: { phrases, modelsFolder: scratch }, clock, log, folder });

  it('hears a phrase, again after its process was killed, and leaves no process behind', async (context) => {
    if (noEnglish) return context.skip(noEnglish);
    const ear = english();
    const { hits, ready } = begin(ear);
    await ready;
    const sound = soundOf(join(import.meta.dirname, '../fixtures/speech/en-bribe.flac'));
    feed(ear, sound);
    await until(() => hits.length > 0);
    expect(hits[0]).toMatchObject({ phraseId: 'bribe', text: 'they offered us a bribe' });
    expect(hits[0]!.score).toBeGreaterThanOrEqual(hits[0]!.threshold);
    // The phrase ends 2.4 s into the recording, after a second of noise.
    expect(Math.abs(hits[0]!.endSample / 16_000 - 3.4)).toBeLessThan(0.5);
    for (const pid of children()) process.kill(pid, 'SIGKILL');
    await until(() => ear.health().state === 'deaf');
    expect(ear.health().reason).toContain('SIGKILL');
    await hearing(ear);
    expect(ear.health().restarts).toBe(1);
    feed(ear, sound);
    await until(() => hits.length > 1);
    expect(hits[1]!.endSample).toBeGreaterThan(sound.length);
    await ear.close();
    await until(() => children().length === 0);
  });

  it('hears on after minutes of digital silence', async (context) => {
    if (noEnglish) return context.skip(noEnglish);
    const ear = english();
    const { hits, ready } = begin(ear);
    await ready;
    for (let i = 0; i < 60; i++) {
      ear.accept(new Int16Array(16_000));
      await clock.sleep(10);
    }
    await clock.sleep(1000);
    feed(ear, soundOf(join(import.meta.dirname, '../fixtures/speech/en-bribe.flac')));
    await until(() => hits.length > 0);
    await ear.close();
  });

  it('names the words that it does not know, and is deaf when nothing is left', async (context) => {
    if (noEnglish) return context.skip(noEnglish);
    const partly = english([BRIBE, phrase('p2', 'en', 'the zyzzyva decides')]);
    await begin(partly).ready;
    expect(partly.health()).toMatchObject({
      state: 'hearing',
      reason: expect.stringContaining('p2 (not in the dictionary'),
    });
    await partly.close();
    const none = english([phrase('p2', 'en', 'the zyzzyva decides')]);
    await none.start(new AbortController().signal);
    await until(() => none.health().reason?.includes('not in the dictionary') ?? false);
    expect(none.health().state).toBe('deaf');
    await none.close();
  });

  it('is deaf with the command to run when the model is not there, and when it is rubbish', async (context) => {
    if (noEnglish) return context.skip(noEnglish);
    const absent = english([BRIBE], join(scratch, 'absent'));
    await absent.start(new AbortController().signal);
    expect(absent.health().reason).toContain('apt-get install libpocketsphinx3 pocketsphinx-en-us');
    await absent.close();
    const rubbish = join(scratch, 'rubbish');
    mkdirSync(join(rubbish, 'en-us'), { recursive: true });
    writeFileSync(join(rubbish, 'en-us', 'mdef'), 'rubbish');
    writeFileSync(join(rubbish, 'cmudict-en-us.dict'), 'a AH\n');
    const broken = english([BRIBE], rubbish);
    await broken.start(new AbortController().signal);
    await until(() => /refuses it|stopped/.test(broken.health().reason ?? ''));
    expect(broken.health().state).toBe('deaf');
    await broken.close();
  });
});

describe('the English ear, by the words around a phrase', () => {
  const voice = (() => {
    try {
      execFileSync('espeak-ng', ['--version']);
      return undefined;
    } catch {
      return 'needs the Debian package espeak-ng';
    }
  })();
  /** A robot's voice in the noise of a room, with three seconds behind it. */
  const spoken = (text: string): Int16Array => {
    const input = execFileSync('espeak-ng', ['-v', 'en-us', '-s', '130', '--stdout', text]);
    const raw = ['-v', 'error', '-i', 'pipe:0', '-ac', '1', '-ar', '16000', '-f', 's16le', '-'];
    const said = new Int16Array(new Uint8Array(execFileSync('ffmpeg', raw, { input })).buffer);
    const random = seeded(5);
    return Int16Array.from({ length: said.length + 64_000 }, (_, i) =>
      Math.round(random() * 200 + 0.3 * (said[i - 16_000] ?? 0)),
    );
  };
  const minded = (form: string, context: object) => [{ ...phrase('p1', 'en', form), context }];
  const hear = async (phrases: ReturnType<typeof minded>, text: string): Promise<Hit[]> => {
    const ear = createPocketsphinx({ options: { phrases, modelsFolder: scratch }, clock, log });
    const { hits, ready } = begin(ear);
    await ready;
    feed(ear, spoken(text));
    await until(() => ear.health().waiting === 0);
    await ear.close();
    return hits;
  };

  it('tells what is said, and neither what is negated nor what is quoted', async (context) => {
    if (noEnglish ?? voice) return context.skip((noEnglish ?? voice)!);
    const bribe = minded('they offered us a bribe', { unless: ['nobody', 'not', 'never'] });
    const told = await hear(bribe, 'we do believe they offered us a bribe');
    expect(told.map((hit) => hit.heard)).toEqual([expect.stringMatching(/believe they offered us a bribe/)]);
    expect(await hear(bribe, 'nobody said they offered us a bribe')).toEqual([]);
    const decided = minded('the winner is already decided', { unless: ['regulation'] });
    expect(await hear(decided, 'i think that the winner is already decided')).toHaveLength(1);
    expect(await hear(decided, 'according to the regulation the winner is already decided')).toEqual([]);
  }, 60_000);

  it('waits for a word that a phrase needs', async (context) => {
    if (noEnglish ?? voice) return context.skip((noEnglish ?? voice)!);
    const bribe = minded('they offered us a bribe', { needs: ['yesterday', 'believe'] });
    expect(await hear(bribe, 'they offered us a bribe')).toEqual([]);
    expect(await hear(bribe, 'we do believe they offered us a bribe')).toHaveLength(1);
    const [after] = await hear(bribe, 'they offered us a bribe on the day of yesterday');
    expect(after?.heard).toContain('yesterday');
  }, 60_000);
});

describe('the Mandarin ear', () => {
  const mandarin = (modelsFolder: string, ...forms: string[]) =>
    createFsmn({ options: { phrases: [phrase('p1', 'zh-CN', ...forms)], modelsFolder }, clock, log });

  it('hears without a restart once the model has been fetched, and says meanwhile what to run', async () => {
    const folder = join(scratch, 'later');
    const ear = mandarin(folder, '领导打过招呼');
    await ear.start(new AbortController().signal);
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: expect.stringContaining('evalroom models fetch zh') });
    writeSmallModel(folder);
    await hearing(ear);
    expect(ear.health().restarts).toBe(0);
    await ear.close();
  });

  it('says that a model is truncated, and hears when it has been replaced', async () => {
    const folder = join(scratch, 'cut');
    writeSmallModel(folder);
    const net = join(folder, 'fsmn-zh', 'kwsr.net');
    copyFileSync(net, `${net}.good`);
    truncateSync(net, 5000);
    const ear = mandarin(folder, '领导打过招呼');
    await ear.start(new AbortController().signal);
    await until(() => ear.health().reason?.includes('truncated') ?? false);
    copyFileSync(`${net}.good`, net);
    await hearing(ear);
    await ear.close();
  });

  it('names the phrases that it cannot spell', async () => {
    const folder = join(scratch, 'spell');
    writeSmallModel(folder);
    const ear = mandarin(folder, '领导打过招呼', '选A公司');
    await begin(ear).ready;
    expect(ear.health().reason).toContain('deaf to p1');
    await ear.close();
  });

  it('hears a spliced phrase with the real weights, and tells what was said around it', async (context) => {
    const clip = join(media ?? '', 'audio/zh-splice/splice-pro-00-t0.9-clean.flac');
    if (!models || !existsSync(join(models, 'fsmn-zh'))) return context.skip('needs EVALROOM_MODELS with fsmn-zh');
    if (!media || !existsSync(clip)) return context.skip('needs EVALROOM_MEDIA with audio/zh-splice');
    const ear = mandarin(models, '这个项目已经内定了', '股票又涨了');
    const { hits, ready } = begin(ear);
    await ready;
    feed(ear, soundOf(clip));
    await until(() => hits.length > 0);
    expect(hits).toHaveLength(1);
    expect(hits[0]!.heard).toContain('这个项目已经内定了');
    expect(hits[0]!.endSample / 16_000).toBeLessThan(5.3);
    expect(hits[0]!.neededSample! - hits[0]!.endSample).toBeLessThan(8000);
    expect(ear.health().rtf).toBeGreaterThan(0);
    await ear.close();
  });
});
