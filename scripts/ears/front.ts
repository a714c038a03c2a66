/** What may stand in front of an ear, by name: for measuring what each is worth. */
import type { Hit } from '../../models/speech/recogniser.ts';
import { gatedBy, throughGate } from './gated.ts';
import { createBlankJudge, createSileroJudge } from './judges.ts';
import { overSpectra, type SpectrumStep } from './spectra.ts';
import { createSubtraction } from './subtract.ts';
import { createDereverberation } from './wpe.ts';

/** Samples in, hits out; some fronts are asked elsewhere and answer later. */
export type Ear = (samples: Int16Array) => Hit[] | Promise<Hit[]>;

/** How much less strict than in the product the Mandarin ear is; `everything`: see `createSpotter`. */
export interface Laxness {
  readonly ease: number;
  readonly everything?: boolean;
}

/** Makes a fresh ear per recording. */
export type Ears = (lax: Laxness) => Ear;

/** `shipped` is what the product runs, whatever that is; the others stand alone before a bare ear. */
export const FRONTS = [
  'shipped',
  'none',
  'subtract',
  'wpe',
  'wpe+subtract',
  'gate',
  'gate-silero',
  'gate-blank',
] as const;
export type FrontName = (typeof FRONTS)[number];

/** Silero takes half for speech, as its makers say; in silence the Mandarin net leaves less than this to all but the blank. */
const SILERO = 0.5;
const NOT_BLANK = 0.1;

/** The ears with that front. Rejects with Unavailable where a model that it needs is not there. */
export async function withFront(front: FrontName, ears: Ears, modelsFolder: string): Promise<Ears> {
  const before =
    (make: () => SpectrumStep): Ears =>
    (lax) => {
      const clear = overSpectra(make());
      const ear = ears(lax);
      return (samples) => ear(clear(samples));
    };
  switch (front) {
    case 'shipped':
    case 'none':
      return ears;
    case 'subtract':
      return before(createSubtraction);
    case 'wpe':
      return before(() => createDereverberation());
    case 'wpe+subtract':
      return (lax) => {
        const echoes = overSpectra(createDereverberation());
        const noise = overSpectra(createSubtraction());
        const ear = ears(lax);
        return (samples) => ear(noise(echoes(samples)));
      };
    case 'gate':
      return (lax) => throughGate(ears(lax));
    case 'gate-silero': {
      const judge = await createSileroJudge(modelsFolder);
      return (lax) => gatedBy({ judge: judge(), least: SILERO, ear: ears(lax) });
    }
    case 'gate-blank': {
      const judge = createBlankJudge(modelsFolder);
      return (lax) => gatedBy({ judge: judge(), least: NOT_BLANK, ear: ears(lax) });
    }
  }
}
