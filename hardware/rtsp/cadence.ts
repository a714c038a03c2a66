/** How far apart a stream's pictures are, from the times of its first packets: what ffmpeg holds each one back by. */

/** Packets that ffmpeg lists at the begin of a session; it costs nothing afterwards. */
export const CADENCE_PACKETS = 25;

export interface Cadence {
  /** Bytes of `-f framecrc` as they come. */
  receive(chunk: Buffer): void;
  /** Median time between two pictures in ms; undefined before enough of them are known. */
  intervalMs(): number | undefined;
}

/** Fewer steps than these say nothing sure. */
const LEAST = 4;

/** One per session. */
export function createCadence(): Cadence {
  let partial = '';
  let tickMs = 1 / 90;
  const times: number[] = [];
  return {
    receive(chunk) {
      const lines = (partial + chunk.toString('latin1')).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) {
        const timeBase = /^#tb 0: (\d+)\/(\d+)/.exec(line);
        if (timeBase) tickMs = (1000 * Number(timeBase[1])) / Number(timeBase[2]);
        const pts = line.startsWith('#') ? Number.NaN : Number(line.split(',')[2]);
        if (Number.isFinite(pts) && times.length < CADENCE_PACKETS) times.push(pts * tickMs);
      }
    },
    intervalMs() {
      const sorted = times.toSorted((a, b) => a - b);
      // A loop's seam, or a camera that sends two at once, is no step of the picture.
      const steps = sorted
        .slice(1)
        .map((time, i) => time - sorted[i]!)
        .filter((step) => step > 1);
      if (steps.length < LEAST) return undefined;
      return steps.sort((a, b) => a - b)[steps.length >> 1];
    },
  };
}
