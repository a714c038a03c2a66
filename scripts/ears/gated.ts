/** Front ends that give an ear only what somebody takes for speech, with a lead and a tail; hits are put back where they were. */
import { createGate } from '../../models/speech/gate.ts';
import type { Hit } from '../../models/speech/recogniser.ts';
import type { Ear } from './front.ts';

/** Samples before the first piece of speech that pass too, and after the last one: as the product's own gate has it. */
const LEAD = 0.3 * 16_000;
const TAIL = 0.9 * 16_000;

/** Says of each piece of so many samples how likely somebody speaks in it, 0..1; pieces come in order. */
export interface Judge {
  readonly piece: number;
  speech(samples: Int16Array): number | Promise<number>;
}

const put = (hit: Hit, placeOf: (sample: number) => number): Hit => ({
  ...hit,
  beginSample: placeOf(hit.beginSample),
  endSample: placeOf(hit.endSample),
  ...(hit.neededSample === undefined ? {} : { neededSample: placeOf(hit.neededSample) }),
});

/** The product's own gate before any ear. */
export function throughGate(ear: Ear): Ear {
  const gate = createGate();
  return async (samples) => (await ear(gate.push(samples))).map((hit) => put(hit, gate.placeOf));
}

/** A gate that opens where the judge gives at least `least`. */
export function gatedBy(deps: { judge: Judge; least: number; ear: Ear }): Ear {
  const { judge, least, ear } = deps;
  let line = new Int16Array(0);
  /** Pieces that may yet lead up to speech. */
  let lead: Int16Array[] = [];
  let came = 0;
  let passed = 0;
  let openUntil = 0;
  const anchors = [{ passed: 0, place: 0 }];
  const placeOf = (sample: number) => {
    const anchor = anchors.findLast((one) => one.passed <= sample) ?? anchors[0]!;
    return anchor.place + sample - anchor.passed;
  };
  return async (samples) => {
    const all = new Int16Array(line.length + samples.length);
    all.set(line);
    all.set(samples, line.length);
    const hits: Hit[] = [];
    let at = 0;
    for (; at + judge.piece <= all.length; at += judge.piece) {
      const piece = all.slice(at, at + judge.piece);
      if ((await judge.speech(piece)) >= least) openUntil = came + judge.piece + TAIL;
      lead.push(piece);
      came += judge.piece;
      if (came > openUntil) {
        while (lead.length * judge.piece > LEAD) lead.shift();
        continue;
      }
      const place = came - lead.length * judge.piece;
      if (placeOf(passed) !== place) anchors.push({ passed, place });
      passed += lead.length * judge.piece;
      for (const one of lead) hits.push(...(await ear(one)).map((hit) => put(hit, placeOf)));
      lead = [];
    }
    line = all.slice(at);
    return hits;
  };
}
