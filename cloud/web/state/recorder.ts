/** One recording at a time from the browser's microphone: it ends by itself after its longest time, and with the page that wanted it. */

/** The part of a MediaStream that is needed here. */
interface Stream {
  getTracks(): readonly { stop(): void }[];
}
/** The part of a MediaRecorder. */
interface Machine {
  start(): void;
  stop(): void;
}
interface MachineEvents {
  /** A part of what was heard. */
  part(sound: Blob): void;
  stopped(): void;
}

export interface RecorderParts<S extends Stream> {
  /** Asks for the microphone; rejects where there is none, or nobody may have it. */
  readonly open: () => Promise<S>;
  readonly machineOf: (stream: S, on: MachineEvents) => Machine;
  /** Calls `run` after so many ms, until it is called back. */
  readonly later: (run: () => void, ms: number) => () => void;
  readonly longestMs: number;
  readonly onRecording: (recording: boolean) => void;
  /** A recording that somebody wants; never one of a page that was left. */
  readonly onSound: (sound: Blob) => void;
  readonly onRefused: () => void;
}

export interface Recorder {
  /** Begins, or ends what was begun; while the browser asks for its permission nothing. */
  toggle(): Promise<void>;
  /** The page is left, or its person is out: the microphone is let go of, and what it has heard is thrown away. */
  drop(): void;
}

export function createRecorder<S extends Stream>(parts: RecorderParts<S>): Recorder {
  let machine: Machine | undefined;
  let asking = false;
  let gone = false;
  let letGo: () => void = () => undefined;
  return {
    async toggle() {
      if (gone || asking) return;
      if (machine) return machine.stop();
      asking = true;
      let stream: S;
      try {
        stream = await parts.open();
      } catch {
        if (!gone) parts.onRefused();
        return;
      } finally {
        asking = false;
      }
      const release = () => {
        for (const track of stream.getTracks()) track.stop();
      };
      // Left while the browser asked.
      if (gone) return release();
      try {
        const heard: Blob[] = [];
        const mine = parts.machineOf(stream, {
          part: (sound) => heard.push(sound),
          stopped() {
            letGo();
            if (gone) return;
            parts.onRecording(false);
            parts.onSound(new Blob(heard));
          },
        });
        const stopLimit = parts.later(() => mine.stop(), parts.longestMs);
        letGo = () => {
          stopLimit();
          release();
          machine = undefined;
          letGo = () => undefined;
        };
        mine.start();
        machine = mine;
        parts.onRecording(true);
      } catch {
        letGo();
        release();
        parts.onRefused();
      }
    },
    drop() {
      gone = true;
      letGo();
    },
  };
}
