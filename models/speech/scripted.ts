/** The fake ear, shipped for the demo, the benchmarks and the tests: hears what its script says, where it says it. */
import type { Hit, Recogniser, RecogniserHealth } from './recogniser.ts';

export interface ScriptedRecogniser extends Recogniser {
  /** Deaf with this reason until `hear`. */
  goDeaf(reason: string): void;
  hear(): void;
  /** As a dying engine: deaf for the next `samples` of sound, one restart counted, then hearing again. */
  crash(samples: number): void;
}

/** Emits each hit of `script` once the sample that it needs has been accepted; a deaf ear misses what passes meanwhile. */
export function createScripted({ language, script }: { language: string; script: readonly Hit[] }): ScriptedRecogniser {
  const due = [...script].sort((a, b) => a.endSample - b.endSample);
  const listeners: ((hit: Hit) => void)[] = [];
  let reason: string | undefined = 'not started';
  let position = 0;
  let restarts = 0;
  let downUntil = 0;
  return {
    engine: 'scripted',
    language,
    start: async (signal) => {
      if (signal.aborted) return;
      reason = undefined;
      signal.addEventListener('abort', () => {
        reason = 'closed';
      });
    },
    accept: (samples) => {
      position += samples.length;
      const down = reason !== undefined;
      if (downUntil > 0 && position >= downUntil) {
        downUntil = 0;
        reason = undefined;
      }
      while (due.length > 0 && (due[0]!.neededSample ?? due[0]!.endSample) <= position) {
        const hit = due.shift()!;
        if (!down) for (const listener of listeners) listener(hit);
      }
    },
    onHit: (listener) => void listeners.push(listener),
    health: (): RecogniserHealth => {
      const base = { rtf: 0, restarts, dropped: 0 };
      return reason === undefined ? { state: 'hearing', ...base } : { state: 'deaf', reason, ...base };
    },
    goDeaf: (why) => {
      reason = why;
    },
    hear: () => {
      reason = undefined;
    },
    crash: (samples) => {
      restarts++;
      reason = 'the engine stopped and is being restarted';
      downUntil = position + samples;
    },
    close: async () => {
      reason = 'closed';
    },
  };
}
