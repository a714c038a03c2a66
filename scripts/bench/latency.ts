/** `evalroom bench latency`: two rooms, one scripted and one with real models, watched by a real browser. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { systemClock } from '../../agent/clock.ts';
import { createLog } from '../../agent/log.ts';
import { type DemoPhrase, demoFilm, demoSchedule } from '../../hardware/fake/demo-film.ts';
import { buildSoundtrack } from '../../hardware/fake/soundtrack.ts';
import { Unavailable } from '../../protocol/errors.ts';
import type { LatencyOptions } from '../bench.ts';
import { type Accepted, type Stand, startStand } from '../stand.ts';
import { percentile, rounded, sumPercentile } from './figures.ts';
import { openQueue } from './page.ts';
import { pipeDelays } from './pipe.ts';
import { SCRIPT_FPS, scriptedRoom } from './scripted.ts';

const LOOP_MS = 320_000;
const PHRASE_EVERY_MS = 8000;
const MODELS = fileURLToPath(new URL('../../.data/models', import.meta.url));

/** Prints a table, and with --json one object as the last line. Throws Unavailable when too few alerts came. */
export async function benchLatency({ alerts, seconds, json }: LatencyOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'evalroom-latency-'));
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  try {
    say(`scripted room: waiting for ${alerts} alerts …`);
    const vision = await scriptedLatency(join(folder, 'scripted'), alerts, say);
    say('camera to pipe: 20 s …');
    const clock = systemClock();
    const pipe = await pipeDelays(join(folder, 'pipe'), 20, {
      clock,
      log: createLog({ name: 'bench', level: 'silent' }),
    });
    say(`room with real models: ${seconds} s …`);
    const real = await realLatency(join(folder, 'real'), seconds);
    const heard = real.spoken.flatMap(({ delayMs }) => delayMs ?? []);
    const figures = {
      alerts: vision.shown.length,
      visionP50Ms: rounded(percentile(vision.shown, 0.5)),
      visionP99Ms: rounded(percentile(vision.shown, 0.99)),
      // Raised and never put on the page: they have no delay, and must not look as if they had a good one.
      alertsNotShown: vision.raised - vision.shown.length,
      seenP50Ms: rounded(sumPercentile(pipe, real.seen, 0.5)),
      seenP99Ms: rounded(sumPercentile(pipe, real.seen, 0.99)),
      speechP50Ms: rounded(percentile(heard, 0.5)),
      speechP95Ms: rounded(percentile(heard, 0.95)),
      speechP99Ms: rounded(percentile(heard, 0.99)),
      speech: speechFigures(real.spoken),
      pipeP50Ms: rounded(percentile(pipe, 0.5)),
      pipeP99Ms: rounded(percentile(pipe, 0.99)),
      seenEvents: real.seen.length,
      modelSet: real.modelSet,
    };
    console.log(
      `frame -> DOM, scripted       p50 ${figures.visionP50Ms} ms, p99 ${figures.visionP99Ms} ms, ${vision.shown.length} of ${vision.raised} alerts`,
    );
    console.log(
      `camera -> pipe               p50 ${figures.pipeP50Ms} ms, p99 ${figures.pipeP99Ms} ms, ${pipe.length} frames`,
    );
    console.log(
      `camera -> DOM, real models   p50 ${figures.seenP50Ms} ms, p99 ${figures.seenP99Ms} ms, ${real.seen.length} events, ${real.modelSet}`,
    );
    for (const { language, engine, phrases, shown, p50Ms, p95Ms, p99Ms } of figures.speech)
      console.log(
        `end of phrase -> DOM         p50 ${p50Ms} ms, p95 ${p95Ms} ms, p99 ${p99Ms} ms, ${shown} of ${phrases} phrases, ${language} by ${engine}`,
      );
    if (json) console.log(JSON.stringify(figures));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function scriptedLatency(
  folder: string,
  alerts: number,
  say: (text: string) => void,
): Promise<{ readonly shown: number[]; readonly raised: number }> {
  const { room, film } = await scriptedRoom(folder);
  const stand = await startStand({ data: folder, film, room, roomCamera: { analyseFps: SCRIPT_FPS } });
  const queue = await openQueue(stand.setupUrl, randomBytes(12).toString('base64url'));
  try {
    // What came before the page was open was replayed to it, not shown live.
    const from = stand.accepted.length;
    const begun = () =>
      stand.accepted.slice(from).filter((one) => one.phase === 'begin' && one.behaviour === 'left_seat');
    const limitMs = performance.now() + 60_000 + alerts * 3000;
    for (let next = 20; begun().length < alerts; ) {
      await pause(250);
      if (begun().length >= next) {
        say(`  ${next} of ${alerts}`);
        next += 20;
      }
      if (performance.now() > limitMs)
        throw new Unavailable(
          'bench_too_few',
          `the scripted room raised ${begun().length} of ${alerts} alerts in time`,
        );
    }
    const raised = begun();
    await pause(2000);
    return { shown: await latencies(raised, queue.seen()), raised: raised.length };
  } finally {
    await queue.close();
    await stand.close();
  }
}

interface RealFigures {
  readonly seen: number[];
  readonly spoken: readonly Spoken[];
  readonly modelSet: string;
}

/** One phrase that was said: by which engine it was heard and how long after its end the page showed it, if it did. */
interface Spoken {
  readonly language: string;
  readonly engine: string | undefined;
  readonly delayMs: number | undefined;
}

/** A row for each language: the room has one engine for it. */
function speechFigures(spoken: readonly Spoken[]) {
  const languages = [...new Set(spoken.map(({ language }) => language))].sort();
  return languages.map((language) => {
    const said = spoken.filter((one) => one.language === language);
    const delays = said.flatMap(({ delayMs }) => (delayMs === undefined ? [] : [delayMs]));
    const engines = [...new Set(said.flatMap(({ engine }) => engine ?? []))];
    return {
      language,
      engine: engines.join('+') || 'none',
      phrases: said.length,
      shown: delays.length,
      p50Ms: rounded(percentile(delays, 0.5)),
      p95Ms: rounded(percentile(delays, 0.95)),
      p99Ms: rounded(percentile(delays, 0.99)),
    };
  });
}

async function realLatency(folder: string, seconds: number): Promise<RealFigures> {
  const film = demoFilm();
  await mkdir(folder, { recursive: true });
  const phrases = repeated(await demoSchedule(process.env.EVALROOM_MEDIA));
  const sound = await buildSoundtrack({ phrases, durationMs: LOOP_MS, folder });
  const stand = await startStand({
    data: folder,
    film: { main: film.main, sub: film.sub, sound },
    room: { rulePack: await quickPack(join(folder, 'pack')) },
    env: { EVALROOM_MODELS: process.env.EVALROOM_MODELS ?? MODELS },
  });
  const queue = await openQueue(stand.setupUrl, randomBytes(12).toString('base64url'));
  try {
    await pause(3000);
    const fromMonoMs = Number(process.hrtime.bigint()) / 1e6;
    const from = stand.accepted.length;
    await pause(seconds * 1000);
    const untilMonoMs = Number(process.hrtime.bigint()) / 1e6;
    await pause(4000);
    const shown = await queue.seen();
    const events = stand.accepted.slice(from).filter((one) => one.kind === 'episode');
    const isSpeech = (one: Accepted) => one.behaviour?.startsWith('speech_') === true;
    const spoken = await phraseEnds(stand, phrases, fromMonoMs, untilMonoMs);
    const heard = spoken.map(({ language, endMonoMs }): Spoken => {
      const event = events.find(
        (one) =>
          isSpeech(one) && one.phase !== 'end' && one.atMonoMs > endMonoMs - 1000 && one.atMonoMs < endMonoMs + 5000,
      );
      const seen = event && shown.get(event.eventId);
      return { language, engine: event?.engine, delayMs: seen === undefined ? undefined : seen - endMonoMs };
    });
    const looked = events.filter((one) => !isSpeech(one) && one.behaviour !== 'microphone_fault');
    return {
      seen: await latencies(looked, Promise.resolve(shown)),
      spoken: heard,
      modelSet: String(stand.agent().ready.modelSet),
    };
  } finally {
    await queue.close();
    await stand.close();
  }
}

/** Every phrase of the demo again and again, one each eight seconds. */
function repeated(phrases: readonly DemoPhrase[]): DemoPhrase[] {
  const count = Math.floor((LOOP_MS - 2 * PHRASE_EVERY_MS) / PHRASE_EVERY_MS);
  return Array.from({ length: count }, (_, i) => {
    const phrase = phrases[i % phrases.length]!;
    const atMs = PHRASE_EVERY_MS + i * PHRASE_EVERY_MS;
    return { ...phrase, atMs, endMs: atMs + phrase.endMs - phrase.atMs };
  });
}

/** Monotonic times at which phrases ended at the camera within a span, with the language of each. */
async function phraseEnds(
  stand: Stand,
  phrases: readonly DemoPhrase[],
  from: number,
  until: number,
): Promise<{ readonly language: string; readonly endMonoMs: number }[]> {
  const answers = new Map<number, number>();
  stand.camera.onSaid((said) => void answers.set(Number(said.positionMs), Number(said.monoMs)));
  for (const { endMs } of phrases) stand.camera.send({ positionMs: endMs });
  await pause(500);
  return phrases
    .flatMap(({ endMs, language }) => {
      const endMonoMs = answers.get(endMs);
      return endMonoMs === undefined ? [] : [{ language, endMonoMs }];
    })
    .filter(({ endMonoMs }) => endMonoMs > from && endMonoMs < until)
    .sort((a, b) => a.endMonoMs - b.endMonoMs);
}

/** The demo's rules, except that every phrase is an episode of its own. */
async function quickPack(folder: string): Promise<string> {
  const demo = fileURLToPath(new URL('../../models/rules/demo/', import.meta.url));
  const pack = parse(await readFile(join(demo, 'pack.yaml'), 'utf8'));
  for (const [name, rule] of Object.entries<Record<string, unknown>>(pack.rules))
    if (name.startsWith('speech_')) rule.mergeMs = 500;
  await mkdir(folder, { recursive: true });
  const phrases = (pack.phrases as string[]).map((file) => join(demo, file));
  await writeFile(join(folder, 'pack.yaml'), stringify({ ...pack, name: 'bench', cooldownMs: 0, phrases }));
  return folder;
}

async function latencies(events: readonly Accepted[], seen: Promise<ReadonlyMap<string, number>>): Promise<number[]> {
  const shown = await seen;
  return events.flatMap(({ eventId, atMonoMs }) => {
    const at = shown.get(eventId);
    return at === undefined ? [] : [at - atMonoMs];
  });
}
