/** The Mandarin spotter's heart: scores every phrase against the running posteriors, frame by frame, over one prefix tree. */

/** A form to spot; `spelling` gives for each syllable the classes that count as it. */
export interface ScoredForm {
  readonly spelling: readonly (readonly number[])[];
  /** Mean log likelihood ratio per syllable that a candidate must reach. */
  readonly threshold: number;
}

/** A form whose score passed its threshold. Frames count from the scorer's first one. */
export interface Candidate {
  readonly form: number;
  readonly score: number;
  readonly beginFrame: number;
  readonly endFrame: number;
}

/** Frames without a better score after which a candidate is taken as ended. */
const SETTLE_FRAMES = 4;
/**
 * Frames from the begin of one syllable to that of the next: nobody draws a phrase out to more (750 ms). Without this
 * limit a phrase finds its syllables one by one in minutes of noise, where the net is sure of nothing.
 */
export const SYLLABLE_FRAMES = 25;

export interface Scorer {
  /** One frame of log probabilities (class 0 is the blank). Returns the candidates that settled with it. */
  push(logs: Float32Array): Candidate[];
}

/** Best possible log probability of a frame: what every score is measured against. */
export function bestOf(logs: Float32Array): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logs.length; i++) if (logs[i]! > best) best = logs[i]!;
  return best;
}

/** Highest log probability among the classes. */
export function emission(logs: Float32Array, classes: readonly number[]): number {
  let best = Number.NEGATIVE_INFINITY;
  for (const c of classes) if (logs[c]! > best) best = logs[c]!;
  return best;
}

/**
 * Viterbi over CTC: a node of the tree is a syllable after its prefix, with two scores: the best path that ends on the
 * syllable, and the best one that ends on a blank after it. Each is a log likelihood ratio against the best class of
 * every frame, so it is never above 0, and a phrase may begin at any frame for nothing. Work per frame is two
 * additions per node, however long the talk.
 */
export function createScorer(forms: readonly ScoredForm[]): Scorer {
  const sets: (readonly number[])[] = [];
  const parents: number[] = [];
  const depths: number[] = [];
  const endings: number[][] = [];
  /** False where a node's syllable may be its parent's: then a blank must stand between them. */
  const direct: boolean[] = [];
  const children = new Map<string, number>();
  forms.forEach((form, index) => {
    let node = -1;
    form.spelling.forEach((set, depth) => {
      const key = `${node}:${set.join(',')}`;
      let next = children.get(key);
      if (next === undefined) {
        next = sets.length;
        children.set(key, next);
        direct.push(node < 0 || !set.some((c) => sets[node]!.includes(c)));
        sets.push(set);
        parents.push(node);
        depths.push(depth + 1);
        endings.push([]);
      }
      node = next;
    });
    if (node >= 0) endings[node]!.push(index);
  });

  const count = sets.length;
  const onSyllable = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const onBlank = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const syllableBegin = new Int32Array(count);
  const blankBegin = new Int32Array(count);
  /** Frame at which the path entered the node's syllable. */
  const syllableEntry = new Int32Array(count);
  const blankEntry = new Int32Array(count);
  const open = new Map<number, { score: number; beginFrame: number; endFrame: number }>();
  let frame = -1;

  /** Keeps the best score of a form while it lasts. */
  const note = (form: number, score: number, begin: number) => {
    const known = open.get(form);
    if (!known) {
      open.set(form, { score, beginFrame: begin, endFrame: frame });
    } else if (score >= known.score) {
      known.score = score;
      known.beginFrame = begin;
      known.endFrame = frame;
    }
  };

  return {
    push(logs) {
      frame++;
      const best = bestOf(logs);
      const blank = logs[0]! - best;
      // Children have higher indexes than their parents: going down leaves the parents' scores of the last frame.
      for (let node = count - 1; node >= 0; node--) {
        const parent = parents[node]!;
        let enter = 0;
        let begin = frame;
        if (parent >= 0) {
          enter = onBlank[parent]!;
          begin = blankBegin[parent]!;
          if (direct[node] && onSyllable[parent]! > enter) {
            enter = onSyllable[parent]!;
            begin = syllableBegin[parent]!;
          }
        }
        // A path that has waited too long makes room for a later one that is worse but may still go on.
        if (frame - blankEntry[node]! >= SYLLABLE_FRAMES) onBlank[node] = Number.NEGATIVE_INFINITY;
        const stay = frame - syllableEntry[node]! < SYLLABLE_FRAMES ? onSyllable[node]! : Number.NEGATIVE_INFINITY;
        if (stay >= onBlank[node]!) {
          onBlank[node] = blank + stay;
          blankBegin[node] = syllableBegin[node]!;
          blankEntry[node] = syllableEntry[node]!;
        } else onBlank[node]! += blank;
        if (stay < enter) {
          syllableBegin[node] = begin;
          syllableEntry[node] = frame;
        }
        onSyllable[node] = emission(logs, sets[node]!) - best + Math.max(stay, enter);
        for (const form of endings[node]!) {
          const score = onSyllable[node]! / depths[node]!;
          if (score >= forms[form]!.threshold) note(form, score, syllableBegin[node]!);
        }
      }
      const settled: Candidate[] = [];
      for (const [form, candidate] of open) {
        if (frame - candidate.endFrame < SETTLE_FRAMES) continue;
        open.delete(form);
        settled.push({ form, ...candidate });
      }
      return settled.sort((a, b) => a.endFrame - b.endFrame);
    },
  };
}
