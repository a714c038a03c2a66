/** A rule pack over what the box still holds: the sound of its segments through its own ears, and the events that wait in its outbox. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { levelOfHit, type Rerun, type RerunFinding, rerun } from '../models/rules/rerun.ts';
import { type StoredEpisode, withWords } from '../models/rules/stored.ts';
import { InvalidInput } from '../protocol/errors.ts';
import type { EpisodeBody, Level } from '../protocol/event.ts';
import type { PhraseObservation, SpeechCategory } from '../protocol/observation.ts';
import type { RoomLayout } from '../protocol/room.ts';
import type { RulePack } from '../protocol/rules.ts';
import type { Clock, Instant } from '../protocol/time.ts';
import type { RoomConfig } from './config.ts';
import { startRoom, step } from './decide/room.ts';
import { recognisersOf } from './ears.ts';
import { createLayoutHolder } from './layout.ts';
import { readKept } from './orders.ts';
import { listenThrough } from './replay-listen.ts';
import { segmentsOf, soundOf } from './replay-sound.ts';
import { storedEvents } from './store/look.ts';

/** One phrase in the sound, and what the room's machine makes of it under the pack. */
export interface Raised {
  readonly wallMs: number;
  readonly sourceId: string;
  readonly language: string;
  readonly engine: string;
  readonly phraseId: string;
  readonly category: SpeechCategory;
  readonly text: string;
  readonly heard: string;
  readonly score: number;
  readonly threshold: number;
  /** Absent: heard, but the pack raises nothing for it. */
  readonly level?: Level;
  /** The ear only suspects it. */
  readonly suspected?: true;
  /** It begins an episode; else it belongs to the one before. */
  readonly begins: boolean;
}

/** What was listened to of one source in one language. */
export interface ReplayedSound {
  readonly sourceId: string;
  readonly language: string;
  readonly engine: string;
  readonly segments: number;
  readonly seconds: number;
  readonly fromWallMs?: number;
  readonly toWallMs?: number;
  /** Why nothing, or not all of it, was heard. */
  readonly deaf?: string;
}

export interface Replay {
  readonly pack: { readonly name: string; readonly version: string };
  readonly raised: readonly Raised[];
  readonly sound: readonly ReplayedSound[];
  /** Events that wait for the cloud, compared with what the pack in force makes of them. */
  readonly stored: Rerun;
}

export interface ReplayParts {
  readonly config: RoomConfig;
  readonly pack: RulePack;
  /** The pack that the room runs. */
  readonly base: RulePack;
  readonly span: { readonly fromWallMs: number; readonly toWallMs: number };
  readonly clock: Clock;
  readonly log: Logger;
}

/** Listens to the whole span once for each source and language. Throws Unavailable `outbox_busy`, `ffmpeg_missing`. */
export async function replay(parts: ReplayParts): Promise<Replay> {
  const { config, pack, base, span, clock } = parts;
  const found: PhraseObservation[] = [];
  const sound: ReplayedSound[] = [];
  const sources = [
    ...config.cameras.filter(({ audio }) => audio).map(({ cameraId }) => cameraId),
    ...config.microphones.map(({ microphoneId }) => microphoneId),
  ];
  const { layout, bidders } = inForce(config, parts.log);
  const categories = new Map(pack.phrases.map(({ phraseId, category }) => [phraseId, category]));
  for (const sourceId of sources) {
    const segments = segmentsOf(join(config.dataFolder, 'segments', sourceId), span);
    const samples = segments.length === 0 ? undefined : soundOf(segments);
    const seatId = config.microphones.find(({ microphoneId }) => microphoneId === sourceId)?.seatId;
    const ears = recognisersOf({ ...config, bidders, pack, script: undefined, clock, log: parts.log });
    for (const ear of ears) {
      const facts = {
        sourceId,
        language: ear.language,
        engine: ear.engine,
        segments: segments.length,
        seconds: Math.round((samples?.seconds ?? 0) * 10) / 10,
        ...(samples ? { fromWallMs: segments[0]!.fromWallMs, toWallMs: segments.at(-1)!.toWallMs } : {}),
      };
      if (!samples) {
        await ear.close();
        sound.push({ ...facts, deaf: 'no sound of it is kept on this box in this time' });
        continue;
      }
      const { hits, deaf } = await listenThrough(ear, samples.blocks, clock);
      const lost = Math.round(samples.lostMs() / 100) / 10;
      const why = [
        ...(deaf === undefined ? [] : [deaf]),
        ...(lost > 0 ? [`${lost} s of it could not be decoded`] : []),
      ];
      sound.push({ ...facts, ...(why.length > 0 ? { deaf: why.join('; ') } : {}) });
      for (const hit of hits) {
        const category = categories.get(hit.phraseId);
        if (!category) continue;
        const endWallMs = samples.wallMs(hit.endSample);
        found.push({
          kind: 'phrase',
          microphoneId: sourceId,
          ...(seatId === undefined ? {} : { seatId }),
          at: instant(endWallMs),
          engine: ear.engine,
          language: ear.language,
          phraseId: hit.phraseId,
          category,
          text: hit.text,
          ...(hit.level ? { level: hit.level } : {}),
          score: hit.score,
          threshold: hit.threshold,
          beginMonoMs: samples.wallMs(hit.beginSample),
          endMonoMs: endWallMs,
          heard: hit.heard,
        });
      }
    }
  }
  found.sort((a, b) => a.endMonoMs - b.endMonoMs);
  const episodes = storedEpisodes(config, span);
  const { name, version } = pack;
  const raised = decide(found, layout, pack);
  const read = rerun({ base, draft: pack, episodes, project: { bidders } });
  return {
    pack: { name, version },
    raised,
    sound,
    stored: { ...read, findings: heardSure(read.findings, episodes, raised) },
  };
}

/** The same words by another ear or in another cut of the sound. */
const SAME_MS = 1500;

/** What was only suspected then and is confirmed in the sound now is told as such, whatever its words alone would say. */
function heardSure(
  findings: readonly RerunFinding[],
  episodes: readonly StoredEpisode[],
  raised: readonly Raised[],
): RerunFinding[] {
  const sure = episodes.flatMap(({ transcripts, ...episode }): RerunFinding[] => {
    const { episodeId, roomId, behaviour, beganWallMs, durationMs, level: before } = episode;
    const doubtful = transcripts.length > 0 && transcripts.every(({ suspected }) => suspected);
    const heard = raised.find(
      ({ wallMs, category, level, suspected }) =>
        level !== undefined &&
        !suspected &&
        `speech_${category}` === behaviour &&
        wallMs >= beganWallMs - SAME_MS &&
        wallMs <= beganWallMs + durationMs + SAME_MS,
    );
    if (!doubtful || !heard?.level) return [];
    const { phraseId, text, category, heard: excerpt, level: after } = heard;
    const from = Math.max(0, excerpt.indexOf(text));
    const hit = { phraseId, form: text, category, from, to: from + text.length, level: after };
    const facts = { episodeId, roomId, behaviour, beganWallMs, durationMs, suspected: true as const };
    return [{ ...facts, change: 'sure', before, after, hit, excerpt }];
  });
  const isTold = new Set(sure.map(({ episodeId }) => episodeId));
  return [...findings.filter(({ episodeId, change }) => change === 'raised' || !isTold.has(episodeId)), ...sure];
}

/** What the running agent goes by: the cloud's orders as it has kept them before room.yaml. */
function inForce(config: RoomConfig, log: Logger) {
  const { layout, session } = readKept(config.dataFolder, config.layout.roomId, log).orders;
  const laid = createLayoutHolder({ own: config.layout, cameraIds: config.cameras.map(({ cameraId }) => cameraId) });
  try {
    laid.take(layout);
  } catch (error) {
    // The agent refuses it too, tells the cloud so, and goes on by the file.
    if (!(error instanceof InvalidInput)) throw error;
  }
  return { layout: laid.current(), bidders: session?.bidders ?? config.bidders };
}

const instant = (wallMs: number): Instant => ({ wallMs, monoMs: wallMs, bootId: 'replay', clock: 'sure' });

/** The hits through the room's own machine: merged, counted and graded as they would have been. */
function decide(hits: readonly PhraseObservation[], layout: RoomLayout, pack: RulePack): Raised[] {
  const first = hits[0];
  if (!first) return [];
  const context = { layout, pack, runId: 'replay' };
  let machine = startRoom(context, instant(first.beginMonoMs - 1000), []);
  const open = new Set<string>();
  const speaks = (body: { readonly kind: string }): body is EpisodeBody =>
    body.kind === 'episode' && (body as EpisodeBody).behaviour.startsWith('speech_');
  const feed = (input: Parameters<typeof step>[1]): EpisodeBody[] => {
    const next = step(machine, input, context);
    machine = next.machine;
    return next.drafts.map(({ body }) => body).filter(speaks);
  };
  const end = (bodies: readonly EpisodeBody[]) => {
    for (const { phase, episodeId } of bodies) if (phase === 'end') open.delete(episodeId);
  };
  return hits.flatMap((hit): Raised[] => {
    end(feed({ kind: 'tick', at: instant(Math.max(0, hit.at.wallMs - 1)) }));
    const said = feed(hit);
    const body = said.find(({ phase }) => phase !== 'end');
    const own = levelOfHit(pack, { category: hit.category, ...gravityOf(pack, hit.phraseId) });
    const {
      at,
      microphoneId: sourceId,
      language,
      engine,
      phraseId,
      category,
      text,
      heard = text,
      score,
      threshold,
    } = hit;
    const facts = { wallMs: at.wallMs, sourceId, language, engine, phraseId, category, text, heard, score, threshold };
    // A second ear or microphone that heard the same words adds nothing.
    if (own !== undefined && !body) return [];
    const begins = body !== undefined && !open.has(body.episodeId);
    if (body) open.add(body.episodeId);
    const doubt = hit.level ? { suspected: true as const } : {};
    return [{ ...facts, ...(body && own !== undefined ? { level: body.level } : {}), ...doubt, begins }];
  });
}

function gravityOf(pack: RulePack, phraseId: string) {
  const gravity = pack.phrases.find((one) => one.phraseId === phraseId)?.gravity;
  return gravity ? { gravity } : {};
}

/** Episodes whose events are still here; the last one of each says how it stands. */
function storedEpisodes(config: RoomConfig, span: ReplayParts['span']): StoredEpisode[] {
  const episodes = new Map<string, StoredEpisode>();
  for (const { at, body } of storedEvents(join(config.dataFolder, 'outbox.db'))) {
    if (body.kind !== 'episode' || at.wallMs < span.fromWallMs || at.wallMs > span.toWallMs) continue;
    const { episodeId, behaviour, level, beganWallMs, durationMs, fault } = body;
    episodes.set(episodeId, {
      episodeId,
      roomId: config.layout.roomId,
      behaviour,
      level,
      beganWallMs,
      durationMs,
      ...(fault === undefined ? {} : { fault }),
      transcripts: withWords(episodes.get(episodeId)?.transcripts ?? [], body),
    });
  }
  return [...episodes.values()];
}
