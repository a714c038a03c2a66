/** Wiring of the ears: one listener for each microphone of the room, with one recogniser for each language, real or scripted. */
import type { Logger } from 'pino';
import type { PcmBlock } from '../hardware/camera.ts';
import { createEars, type Engine, noting, talkNote } from '../models/speech/ears.ts';
import type { Hit, Recogniser } from '../models/speech/recogniser.ts';
import { createScripted } from '../models/speech/scripted.ts';
import type { RulePack } from '../protocol/rules.ts';
import type { Clock } from '../protocol/time.ts';
import { createListen, type Listen } from './listen.ts';

export interface EarParts {
  readonly languages: readonly string[];
  /** By language, where it is not the usual engine: one, or two of which the second confirms. */
  readonly engines: Readonly<Record<string, readonly Engine[]>>;
  /** Seats by the microphone that stands before them. */
  readonly seatOf?: Readonly<Record<string, string>>;
  readonly bidders: readonly (readonly string[])[];
  readonly pack: RulePack;
  readonly modelsFolder: string;
  /** Scripted hits in place of the engines. */
  readonly script: readonly Hit[] | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A listener for the sound of one microphone. */
export function listenTo(microphoneId: string, samples: AsyncIterable<PcmBlock>, parts: EarParts): Listen {
  const { pack, clock, log } = parts;
  const recognisers = recognisersOf(parts);
  const listen = createListen({ microphoneId, samples, recognisers, phrases: pack.phrases, clock, log });
  const seatId = parts.seatOf?.[microphoneId];
  return seatId === undefined ? listen : atSeat(listen, seatId);
}

/** What the microphone of a seat hears is said there, unless another one hears it better. */
function atSeat(listen: Listen, seatId: string): Listen {
  return {
    ...listen,
    async *observations() {
      for await (const heard of listen.observations()) yield heard.kind === 'phrase' ? { ...heard, seatId } : heard;
    },
  };
}

/** The listener's ears by another rule pack (`parts.pack`), without ceasing to hear. A script goes on where it is. */
export function relisten(listen: Listen, parts: EarParts): void {
  const { phrases } = parts.pack;
  listen.swap({ phrases, ...(parts.script ? {} : { recognisers: recognisersOf(parts) }) });
}

/** What the pack asks of these ears and none of them can; undefined where nothing. */
export function talkUnjudged({ pack, script, ...ears }: Pick<EarParts, 'pack' | 'script' | 'languages' | 'engines'>) {
  return pack.rules.off_subject && !script ? talkNote(ears) : undefined;
}

/** The ears of one microphone: one recogniser for each language, not started. */
export function recognisersOf(parts: EarParts): Recogniser[] {
  const { languages, engines, bidders, pack, modelsFolder, script, clock, log } = parts;
  if (script) return [createScripted({ language: languages[0] ?? 'en', script })];
  const options = {
    phrases: pack.phrases,
    modelsFolder,
    project: { bidders, topics: pack.rules.off_subject?.topics ?? [] },
  };
  const note = talkUnjudged(parts);
  return languages.map((language) => {
    const chosen = engines[language];
    const ear = createEars({ language, ...(chosen ? { engines: chosen } : {}), options, clock, log });
    return note ? noting(ear, note) : ear;
  });
}
