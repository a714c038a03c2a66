/** Beside the rule page's thread: a recording through the English ear, in a child process of its own with a limit of time. */
import { levelOfHit } from '../../models/rules/rerun.ts';
import { fillPhrases, type ProjectWords } from '../../models/speech/lexicon/slots.ts';
import { missingEnglish, spawnEnglish } from '../../models/speech/pocketsphinx.ts';
import type { Hit } from '../../models/speech/recogniser.ts';
import { Full, Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import { reasonOf, type Why } from '../../protocol/why.ts';
import type { ListenView } from '../http/rules-api.ts';
import { packOf } from './rules-jobs.ts';
import { EAR_RATE, peakDb } from './rules-sound.ts';

export interface EnglishTry {
  /** Throws InvalidInput `rules_draft_faults`, Unavailable `model_missing`, `rules_slow`, Full `rules_busy`. */
  listen(asked: {
    readonly draft: unknown;
    readonly samples: Int16Array;
    readonly project?: ProjectWords;
  }): Promise<ListenView>;
  close(): Promise<void>;
}

/** Tries that may wait for the one that runs. */
const WAITING_MAX = 3;
const TRY_MS = 60_000;
const BLOCK = 16_000;
/** Silence after a recording, so that a phrase that waits for a word is settled. */
const TAIL = 4 * EAR_RATE;

/** One child at a time. `folder`: of the model, where it is not Debian's. */
export function createEnglishTry({ clock, folder }: { readonly clock: Clock; readonly folder?: string }): EnglishTry {
  const closing = new AbortController();
  let waiting = 0;
  let work: Promise<unknown> = Promise.resolve();

  const hear = (phrases: ReturnType<typeof fillPhrases>, samples: Int16Array) =>
    new Promise<{ hits: readonly Hit[]; partly: readonly Why[] }>((resolve, reject) => {
      const sound = new Int16Array(samples.length + TAIL);
      sound.set(samples);
      const hits: Hit[] = [];
      const over = new AbortController();
      let partly: readonly Why[] = [];
      let done = 0;
      const end = (act: () => void) => {
        if (over.signal.aborted) return;
        over.abort();
        port.kill();
        act();
      };
      const refuse = (code: string, why: string) =>
        end(() => reject(new Unavailable(code, `trying a recording in English: ${why}`)));
      const port = spawnEnglish(
        { phrases, folder },
        {
          onExit: (why) => refuse('rules_slow', `the engine ended (${why}); try again`),
          onReport(event) {
            if (event.kind === 'refused') return refuse('model_missing', reasonOf([event.why]) ?? '');
            if (event.kind === 'ready') partly = event.partly ?? [];
            else {
              hits.push(...event.hits);
              done += event.samples;
            }
            if (done >= sound.length) end(() => resolve({ hits, partly }));
            // One block after the other: what is given up is then given up at once.
            else port.post(sound.slice(done, done + BLOCK));
          },
        },
      );
      void clock
        .sleep(TRY_MS, AbortSignal.any([over.signal, closing.signal]))
        .then(() => refuse('rules_slow', `it took over ${TRY_MS / 1000} s and was given up`));
    });

  return {
    async listen({ draft, samples, project }) {
      const pack = packOf(draft);
      const missing = missingEnglish(folder);
      if (missing) throw new Unavailable('model_missing', `trying a recording in English: ${reasonOf([missing])}`);
      if (closing.signal.aborted || waiting > WAITING_MAX)
        throw new Full('rules_busy', `trying a recording in English: ${waiting} tries wait already; try again`);
      const own = fillPhrases(
        pack.phrases.filter(({ language }) => language.startsWith('en')),
        project,
      );
      const byId = new Map(own.map((phrase) => [phrase.phraseId, phrase]));
      waiting++;
      const mine = work.then(() => hear(own, samples)).finally(() => waiting--);
      work = mine.catch(() => undefined);
      const { hits, partly } = await mine;
      return {
        hits: hits.flatMap(({ phraseId, text, score, threshold, heard, beginSample, endSample }) => {
          const phrase = byId.get(phraseId);
          if (!phrase) return [];
          const level = levelOfHit(pack, phrase);
          return [
            {
              ...{ phraseId, text, category: phrase.category, score, threshold, heard },
              ...(level === undefined ? {} : { level }),
              beginS: beginSample / EAR_RATE,
              endS: Math.min(samples.length, endSample) / EAR_RATE,
            },
          ];
        }),
        seconds: samples.length / EAR_RATE,
        peakDb: peakDb(samples),
        unheard: [reasonOf(partly) ?? []].flat(),
      };
    },
    async close() {
      closing.abort();
      await work;
    },
  };
}

/** Whether a recording can be tried in English on this machine; else what is missing. */
export function spokenEnglish(folder?: string) {
  if (missingEnglish(folder) === undefined) return { ok: true } as const;
  return {
    ok: false,
    words: {
      zh: '云端没有英语识别引擎，不能用英语录音测试。请在云端机器上运行 apt-get install libpocketsphinx3 pocketsphinx-en-us，或用打字测试。',
      en: 'The cloud has no English engine, so an English recording cannot be tried. Run apt-get install libpocketsphinx3 pocketsphinx-en-us on the cloud’s machine, or type the sentence.',
    },
  } as const;
}
