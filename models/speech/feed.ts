/** The bounded queue between a microphone and an engine, and the book that maps the engine's sample count to the ear's own. */
import type { Hit } from './recogniser.ts';

/** Samples that may wait: 10 s of sound. Beyond that the oldest block goes, and is counted. */
const WAITING = 160_000;
/** Samples that an engine is given before it has answered for earlier ones: 1 s. */
const AHEAD = 16_000;

export interface Feed {
  /** `wanted` false: nobody will ever ask for this block, so it only moves the count on. */
  accept(samples: Int16Array, wanted: boolean): void;
  /** An engine is there; it counts samples from 0. */
  open(post: (samples: Int16Array) => void): void;
  /** The engine is gone; what it was given is lost with it. */
  shut(): void;
  /** Forgets what waits: nobody is coming for it. Not counted as dropped. */
  clear(): void;
  /** The engine has dealt with so many samples. */
  done(samples: number): void;
  outstanding(): number;
  /** Samples that the engine was not given yet, or has not dealt with. */
  waiting(): number;
  /** Blocks that had to go, and how much sound they were. */
  dropped(): number;
  droppedSamples(): number;
  /** The hit, or what is told of it later, with its positions in the ear's own count. */
  place<Placed extends Pick<Hit, 'beginSample' | 'endSample' | 'neededSample'>>(hit: Placed): Placed;
}

export function createFeed(): Feed {
  let waiting: { at: number; samples: Int16Array }[] = [];
  let held = 0;
  let position = 0;
  let dropped = 0;
  let droppedSamples = 0;
  let post: ((samples: Int16Array) => void) | undefined;
  let given = 0;
  let outstanding = 0;
  /** Where the engine's count meets the ear's: one entry per jump, the last minutes only. */
  let anchors: { engine: number; ear: number }[] = [];

  const pump = () => {
    while (post && waiting.length > 0 && outstanding < AHEAD) {
      const { at, samples } = waiting.shift()!;
      held -= samples.length;
      const last = anchors.at(-1);
      if (!last || last.ear + (given - last.engine) !== at) {
        anchors.push({ engine: given, ear: at });
        if (anchors.length > 100) anchors.shift();
      }
      given += samples.length;
      outstanding += samples.length;
      post(samples);
    }
  };

  const placeSample = (engine: number): number => {
    let anchor = anchors[0];
    for (const next of anchors) if (next.engine <= engine) anchor = next;
    return anchor ? anchor.ear + engine - anchor.engine : engine;
  };

  return {
    accept(samples, wanted) {
      if (wanted && samples.length > 0) {
        waiting.push({ at: position, samples });
        held += samples.length;
      }
      position += samples.length;
      while (held > WAITING) {
        const gone = waiting.shift()!.samples.length;
        held -= gone;
        droppedSamples += gone;
        dropped++;
      }
      pump();
    },
    open(to) {
      post = to;
      given = 0;
      outstanding = 0;
      anchors = [];
      pump();
    },
    shut() {
      post = undefined;
      outstanding = 0;
    },
    clear() {
      waiting = [];
      held = 0;
    },
    done(samples) {
      outstanding = Math.max(0, outstanding - samples);
      pump();
    },
    outstanding: () => outstanding,
    waiting: () => held + outstanding,
    dropped: () => dropped,
    droppedSamples: () => droppedSamples,
    place: (hit) => ({
      ...hit,
      beginSample: placeSample(hit.beginSample),
      endSample: placeSample(hit.endSample),
      ...(hit.neededSample === undefined ? {} : { neededSample: placeSample(hit.neededSample) }),
    }),
  };
}
