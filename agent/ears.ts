/** Wiring of the ears: one listener for each microphone of the room, with one recogniser for each language, real or scripted. */
import type { Logger } from 'pino';
import type { PcmBlock } from '../hardware/camera.ts';
import { createEars } from '../models/speech/ears.ts';
import type { Hit, Recogniser } from '../models/speech/recogniser.ts';
import { createScripted } from '../models/speech/scripted.ts';
import type { RulePack } from '../protocol/rules.ts';
import type { Clock } from '../protocol/time.ts';
import { createListen, type Listen } from './listen.ts';

export interface EarParts {
  readonly languages: readonly string[];
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
  const { languages, bidders, pack, modelsFolder, script, clock, log } = parts;
  const recognisers: Recogniser[] = script
    ? [createScripted({ language: languages[0] ?? 'en', script })]
    : languages.map((language) =>
        createEars({ language, options: { phrases: pack.phrases, modelsFolder, project: { bidders } }, clock, log }),
      );
  return createListen({ microphoneId, samples, recognisers, phrases: pack.phrases, clock, log });
}
