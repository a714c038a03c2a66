/** Beside main.ts: the ears of all microphones and what they go by, which orders of the cloud change while they hear. */
import type { Logger } from 'pino';
import type { PcmBlock } from '../hardware/camera.ts';
import type { Hit } from '../models/speech/recogniser.ts';
import type { RulePack } from '../protocol/rules.ts';
import type { Clock } from '../protocol/time.ts';
import { reasonOf } from '../protocol/why.ts';
import type { RoomConfig } from './config.ts';
import { type EarParts, listenTo, relisten, talkUnjudged } from './ears.ts';
import type { Heard, Listen } from './listen.ts';

export interface HearingParts {
  readonly config: RoomConfig;
  /** What is in force at the start. */
  readonly pack: RulePack;
  readonly bidders: EarParts['bidders'];
  /** Scripted hits in place of the engines. */
  readonly script: readonly Hit[] | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Hearing {
  /** Makes the ears of a microphone; whoever asks for them starts and closes them. */
  open(microphoneId: string, samples: AsyncIterable<PcmBlock>): Listen;
  /** All that were opened. */
  listens(): readonly Listen[];
  /** Other names to listen for, without ceasing to hear; false: they are the same. */
  rename(bidders: EarParts['bidders']): boolean;
  repack(pack: RulePack): void;
}

/** The words that a clip shows as heard: what is only suspected may never be told, and is no caption. */
export function captionOf(heard: Heard): string | undefined {
  return heard.kind === 'phrase' && heard.level === undefined ? heard.text : undefined;
}

export function createHearing({ config, pack, bidders, script, clock, log }: HearingParts): Hearing {
  const listens: Listen[] = [];
  let ears: EarParts = {
    languages: config.languages,
    engines: config.engines,
    seatOf: Object.fromEntries(
      config.microphones.flatMap(({ microphoneId, seatId }) => (seatId === undefined ? [] : [[microphoneId, seatId]])),
    ),
    bidders,
    pack,
    modelsFolder: config.modelsFolder,
    script,
    clock,
    log,
  };
  const warn = () => {
    const unjudged = talkUnjudged(ears);
    if (unjudged) log.warn(reasonOf([unjudged]));
  };
  warn();
  const begin = () => {
    for (const listen of listens) relisten(listen, ears);
  };
  return {
    open(microphoneId, samples) {
      const listen = listenTo(microphoneId, samples, ears);
      listens.push(listen);
      return listen;
    },
    listens: () => listens,
    rename(next) {
      if (JSON.stringify(next) === JSON.stringify(ears.bidders)) return false;
      ears = { ...ears, bidders: next };
      begin();
      return true;
    },
    repack(next) {
      const told = ({ phrases, rules }: RulePack) =>
        JSON.stringify([phrases, rules.off_subject?.topics ?? [], rules.off_subject !== undefined]);
      const same = told(next) === told(ears.pack);
      ears = { ...ears, pack: next };
      // Ears that are told the same words need not begin anew.
      if (same) return;
      warn();
      begin();
    },
  };
}
