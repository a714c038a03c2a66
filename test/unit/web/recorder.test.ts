/** The microphone of the rule page: what is heard is wanted, has an end, and is thrown away with the page that was left. */
import { describe, expect, it } from 'vitest';
import { createRecorder } from '../../../cloud/web/state/recorder.ts';

function world({ ask }: { ask?: Promise<void> } = {}) {
  const seen = { open: 0, released: 0, recording: [] as boolean[], sounds: 0, refused: 0 };
  let limit: (() => void) | undefined;
  const recorder = createRecorder({
    async open() {
      seen.open += 1;
      await ask;
      return {
        getTracks: () => [
          {
            stop() {
              seen.released += 1;
            },
          },
        ],
      };
    },
    machineOf(_stream, on) {
      let running = false;
      return {
        start: () => {
          running = true;
        },
        stop: () => {
          if (!running) return;
          running = false;
          on.part(new Blob(['x']));
          on.stopped();
        },
      };
    },
    later(run, ms) {
      expect(ms).toBe(300_000);
      limit = run;
      return () => {
        limit = undefined;
      };
    },
    longestMs: 300_000,
    onRecording: (recording) => seen.recording.push(recording),
    onSound() {
      seen.sounds += 1;
    },
    onRefused() {
      seen.refused += 1;
    },
  });
  return { recorder, seen, pass: () => limit?.(), limited: () => limit !== undefined };
}

describe('a recording', () => {
  it('is handed over when it is ended, and the microphone is let go of', async () => {
    const { recorder, seen, limited } = world();
    await recorder.toggle();
    expect(seen.recording).toEqual([true]);
    await recorder.toggle();
    expect(seen).toMatchObject({ open: 1, released: 1, recording: [true, false], sounds: 1 });
    expect(limited()).toBe(false);
    await recorder.toggle();
    expect(seen.open).toBe(2);
  });

  it('ends by itself after its longest time', async () => {
    const { recorder, seen, pass } = world();
    await recorder.toggle();
    pass();
    expect(seen).toMatchObject({ released: 1, sounds: 1 });
  });

  it('is thrown away when the page is left', async () => {
    const { recorder, seen, limited } = world();
    await recorder.toggle();
    recorder.drop();
    expect(seen).toMatchObject({ released: 1, sounds: 0 });
    expect(limited()).toBe(false);
    await recorder.toggle();
    expect(seen.open).toBe(1);
  });

  it('does not begin where the page was left, or the person logged out, while the browser asked', async () => {
    let grant: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      grant = resolve;
    });
    const { recorder, seen } = world({ ask: asked });
    const first = recorder.toggle();
    // Somebody who clicks again does not get a second microphone.
    await recorder.toggle();
    expect(seen.open).toBe(1);
    recorder.drop();
    grant();
    await first;
    expect(seen).toMatchObject({ released: 1, recording: [], sounds: 0, refused: 0 });
  });

  it('that nobody may make is said', async () => {
    const { recorder, seen } = world({ ask: Promise.reject(new Error('no microphone')) });
    await recorder.toggle();
    expect(seen).toMatchObject({ refused: 1, recording: [] });
  });
});
