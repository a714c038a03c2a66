/** How loud a microphone is: level per half second, share of speech by energy over a learnt floor, digital silence told apart. */

/** Samples of one level block (0.5 s) and of one voice activity frame (30 ms) at 16 kHz. */
export const LEVEL_BLOCK = 8000;
const FRAME = 480;
/** At or beyond this a sample has met the end of the scale. */
const FULL = 32_700;
/** Reported for a block of zeros. */
export const SILENCE_DB = -120;
/** Speech stands this much above the learnt noise floor. */
const SPEECH_OVER_FLOOR_DB = 9;
/** The floor falls to a quieter frame quickly and rises slowly, so that minutes of talk do not become the floor. */
const FALL = 0.2;
const RISE_DB_PER_FRAME = 0.01;

export interface Level {
  /** dBFS; SILENCE_DB for digital silence. */
  readonly rmsDb: number;
  readonly peakDb: number;
  /** Share of the block's frames that hold speech, 0..1. */
  readonly speech: number;
  /** Share of the block's samples at the end of the scale, 0..1. */
  readonly clipped: number;
  /** Samples of exact zero at the end of the block, counted over blocks: a dead source, not a quiet room. */
  readonly zeroSamples: number;
  /** Samples from the meter's first one to the end of this block. */
  readonly endSample: number;
}

export interface LevelMeter {
  /** Levels of the blocks that these samples complete. */
  push(samples: Int16Array): Level[];
}

const toDb = (value: number) => (value <= 0 ? SILENCE_DB : Math.max(SILENCE_DB, 20 * Math.log10(value / 32768)));

/** A meter of one microphone; it keeps the learnt floor over its whole life. */
export function createLevelMeter(): LevelMeter {
  let floorDb: number | undefined;
  let frameSquares = 0;
  let frameCount = 0;
  let squares = 0;
  let count = 0;
  let peak = 0;
  let full = 0;
  let frames = 0;
  let spoken = 0;
  let zeros = 0;
  let total = 0;

  const endFrame = () => {
    const db = toDb(Math.sqrt(frameSquares / FRAME));
    frameSquares = 0;
    frameCount = 0;
    frames++;
    if (db <= SILENCE_DB) return;
    if (floorDb === undefined) floorDb = db;
    if (db > floorDb + SPEECH_OVER_FLOOR_DB) spoken++;
    floorDb += db < floorDb ? FALL * (db - floorDb) : Math.min(RISE_DB_PER_FRAME, db - floorDb);
  };

  const endBlock = (): Level => {
    const level: Level = {
      rmsDb: toDb(Math.sqrt(squares / count)),
      peakDb: toDb(peak),
      speech: frames === 0 ? 0 : spoken / frames,
      clipped: full / count,
      zeroSamples: zeros,
      endSample: total,
    };
    squares = 0;
    count = 0;
    peak = 0;
    full = 0;
    frames = 0;
    spoken = 0;
    return level;
  };

  return {
    push(samples) {
      const levels: Level[] = [];
      for (let i = 0; i < samples.length; i++) {
        const value = samples[i]!;
        const square = value * value;
        squares += square;
        frameSquares += square;
        if (value > peak) peak = value;
        else if (-value > peak) peak = -value;
        if (value >= FULL || value <= -FULL) full++;
        zeros = value === 0 ? zeros + 1 : 0;
        count++;
        total++;
        if (++frameCount === FRAME) endFrame();
        if (count === LEVEL_BLOCK) levels.push(endBlock());
      }
      return levels;
    },
  };
}
