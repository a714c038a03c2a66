/** Whether a machine keeps up with an engine: counts how much sound was dropped before it, and says when that is too much. */

/** Of a minute of sound, so much dropped makes an ear deaf: in a stretch with such holes most phrases have one. */
export const SLOW = 0.05;
const MINUTE = 60 * 16_000;
/** It hears again once hardly anything was dropped for so long. */
const CALM = 20 * 16_000;
const CALM_SHARE = 0.01;
/** Sound is counted in pieces of a second, so that a minute is sixty of them whatever the blocks are. */
const PIECE = 16_000;

export interface Pace {
  /** So many samples came, and so many (of these or of earlier ones) were dropped. */
  count(samples: number, dropped: number): void;
  tooSlow(): boolean;
  /** Forgets: another run of the engine has to show itself how fast it is. */
  clear(): void;
}

/** Time is counted in sound, so that sound which is fed faster than a room speaks is judged by the same measure. */
export function createPace(): Pace {
  let pieces: { samples: number; dropped: number }[] = [];
  let slow = false;
  const droppedIn = (samples: number) => {
    let [seen, dropped] = [0, 0];
    for (let i = pieces.length - 1; i >= 0 && seen < samples; i--) {
      seen += pieces[i]!.samples;
      dropped += pieces[i]!.dropped;
    }
    return { seen, dropped };
  };
  return {
    count(samples, dropped) {
      const last = pieces.at(-1);
      if (last && last.samples < PIECE) {
        last.samples += samples;
        last.dropped += dropped;
      } else pieces.push({ samples, dropped });
      while (pieces.length > MINUTE / PIECE) pieces.shift();
      const calm = droppedIn(CALM);
      const isCalm = calm.seen >= CALM && calm.dropped <= CALM_SHARE * CALM;
      // What was dropped before it became calm stays in its minute, and must not turn it over again.
      slow = !isCalm && (slow || droppedIn(MINUTE).dropped > SLOW * MINUTE);
    },
    tooSlow: () => slow,
    clear() {
      pieces = [];
      slow = false;
    },
  };
}
