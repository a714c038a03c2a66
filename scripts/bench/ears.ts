/** `evalroom bench ears`: what the Mandarin ear costs, several microphones at once in worker threads, sound given in real time. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../agent/clock.ts';
import { createLog } from '../../agent/log.ts';
import { DEFAULT_FOLDER } from '../../models/manifest.ts';
import { loadRulePack } from '../../models/rules/load.ts';
import { createFsmn } from '../../models/speech/fsmn.ts';
import { fillPhrases } from '../../models/speech/lexicon/slots.ts';
import { Unavailable } from '../../protocol/errors.ts';
import type { Phrase } from '../../protocol/rules.ts';
import type { EarsOptions } from '../bench.ts';
import { decodeSound, withFloor } from '../eval-speech-sound.ts';
import { rounded } from './figures.ts';

const BLOCK = 1600;
const BLOCK_MS = 100;
/** Before the talk nobody speaks: so long until the ears know that, and so long it is measured. */
const SETTLE_MS = 8000;
const QUIET_MS = 10_000;

/** One phrase per form until there are enough; forms with their first character left out where the pack runs short. */
function phrasesOf(count: number): Phrase[] {
  const own = fillPhrases(loadRulePack('default').phrases.filter((phrase) => phrase.language.startsWith('zh')));
  const forms = own.flatMap((phrase) => phrase.forms.map((form) => ({ ...phrase, forms: [form] })));
  const more = forms.map((phrase) => ({ ...phrase, forms: [phrase.forms[0]!.slice(1)] }));
  return [...forms, ...more].slice(0, count).map((phrase, i) => ({ ...phrase, phraseId: `p${i}` }));
}

/** Real speech where EVALROOM_MEDIA has some, else noise that swells and falls as speech does. */
async function talk(seconds: number): Promise<{ samples: Int16Array; kind: string }> {
  const media = process.env.EVALROOM_MEDIA;
  const samples = new Int16Array(seconds * 16_000);
  if (media) {
    const folder = join(media, 'audio/zh-sentences');
    const files = readdirSync(folder).filter((name) => name.endsWith('.flac'));
    for (let at = 0, i = 0; at < samples.length; i++) {
      const one = withFloor(await decodeSound(join(folder, files[i % files.length]!)), i);
      samples.set(one.subarray(0, samples.length - at), at);
      at += one.length;
    }
    return { samples, kind: 'read sentences' };
  }
  for (let i = 0; i < samples.length; i++)
    samples[i] = Math.round((Math.random() - 0.5) * 4000 * (1 + Math.sin(i / 2000)));
  return { samples, kind: 'noise' };
}

/** Prints what it cost, and with `json` one object as the last line. Throws Unavailable when an ear does not come up. */
export async function benchEars({ microphones, phrases: count, seconds, json }: EarsOptions): Promise<void> {
  const clock = systemClock();
  const log = createLog({ name: 'bench', level: 'silent' });
  const phrases = phrasesOf(count);
  const modelsFolder = process.env.EVALROOM_MODELS ?? DEFAULT_FOLDER;
  const { samples, kind } = await talk(seconds);
  const stop = new AbortController();
  const ears = Array.from({ length: microphones }, () =>
    createFsmn({ options: { phrases, modelsFolder }, clock, log }),
  );
  try {
    for (const ear of ears) await ear.start(stop.signal);
    const deadline = clock.monoMs() + 30_000;
    while (ears.some((ear) => ear.health().state !== 'hearing')) {
      const reason = ears.map((ear) => ear.health().reason).find(Boolean) ?? 'it is starting';
      if (clock.monoMs() > deadline || reason.includes('models fetch'))
        throw new Unavailable('bench_deaf', `measuring the ears: one does not hear: ${reason}`);
      await clock.sleep(100);
    }
    const play = async (sound: Int16Array): Promise<number> => {
      const began = process.cpuUsage();
      const fromMs = clock.monoMs();
      for (let block = 0; block * BLOCK < sound.length; block++) {
        await clock.sleep(Math.max(0, fromMs + block * BLOCK_MS - clock.monoMs()));
        for (const ear of ears) ear.accept(sound.slice(block * BLOCK, (block + 1) * BLOCK));
      }
      await clock.sleep(500);
      const used = process.cpuUsage(began);
      return (used.user + used.system) / 1000 / (clock.monoMs() - fromMs);
    };
    const silence = (ms: number) => withFloor(new Float32Array(0), 1, ms / 1000 - 1);
    await play(silence(SETTLE_MS));
    const quietCore = await play(silence(QUIET_MS));
    const fromMs = clock.monoMs();
    const core = await play(samples);
    const elapsedMs = clock.monoMs() - fromMs;
    const figures = {
      microphones,
      phrases: phrases.length,
      core: rounded(core, 3),
      quietCore: rounded(quietCore, 3),
      rtf: rounded(Math.max(...ears.map((ear) => ear.health().rtf)), 3),
      rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
      dropped: ears.reduce((sum, ear) => sum + ear.health().dropped, 0),
      seconds: Math.round(elapsedMs / 1000),
      sound: kind,
    };
    for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(12)} ${value}`);
    if (json) console.log(JSON.stringify(figures));
  } finally {
    stop.abort();
    await Promise.all(ears.map((ear) => ear.close()));
  }
}
