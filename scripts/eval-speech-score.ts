/** Scoring of the ears: hits against labels. Pure arithmetic; the rules of what counts stand here and nowhere else. */

/** A labelled recording. Times count from the recording's first sample. */
export interface SpeechClip {
  readonly file: string;
  readonly language: string;
  readonly category: string | null;
  /** Phrases that are said in it, with the end of each where it is known. */
  readonly said: readonly { readonly phrase: string; readonly endS?: number }[];
  readonly transcript?: string;
  readonly durationS: number;
}

/** A confirmed hit, times as in the clip; `reportedS`: the sound that had to be heard for it. */
export interface SpeechHit {
  readonly phrase: string;
  readonly endS: number;
  readonly reportedS: number;
  /** By how much the score is above its threshold, in the engine's own unit. */
  readonly margin: number;
}

export interface ScoredClip {
  readonly clip: SpeechClip;
  readonly hits: readonly SpeechHit[];
}

/** A hit may end this far from the labelled end. */
const TOLERANCE_S = 1.5;

export interface SpeechScore {
  readonly recall: Readonly<Record<string, number>>;
  readonly recallByLevel: Readonly<Record<string, number>>;
  /** Null where nothing was said that should be found. */
  readonly recallAll: number | null;
  readonly said: number;
  readonly found: number;
  readonly falseAlarms: number;
  readonly hours: number;
  readonly falseAlarmsPerHour: number;
  /** Upper end of the one-sided 95 % interval. */
  readonly falseAlarmsPerHour95: number;
  readonly latencyMedianS: number | null;
  readonly latencyP95S: number | null;
}

/** What happened in one clip: each said phrase takes at most one hit, every other hit is false. */
export function judgeClip({ clip, hits }: ScoredClip): {
  found: { phrase: string; latencyS: number }[];
  missed: string[];
  wrong: SpeechHit[];
} {
  const left = [...hits];
  const found: { phrase: string; latencyS: number }[] = [];
  const missed: string[] = [];
  for (const { phrase, endS } of clip.said) {
    const index = left.findIndex(
      (hit) => hit.phrase === phrase && (endS === undefined || Math.abs(hit.endS - endS) <= TOLERANCE_S),
    );
    const hit = left[index];
    if (!hit) missed.push(phrase);
    else {
      left.splice(index, 1);
      found.push({ phrase, latencyS: hit.reportedS - (endS ?? hit.endS) });
    }
  }
  return { found, missed, wrong: left };
}

/** `levelOf` maps a category to the level of its first hit; categories without one count in `recallAll` only. */
export function scoreClips(
  scored: readonly ScoredClip[],
  levelOf: (category: string) => string | undefined,
): SpeechScore {
  const byCategory = new Map<string, { said: number; found: number }>();
  const byLevel = new Map<string, { said: number; found: number }>();
  const latencies: number[] = [];
  let falseAlarms = 0;
  let seconds = 0;
  const count = (map: Map<string, { said: number; found: number }>, key: string, said: number, found: number) => {
    const entry = map.get(key) ?? { said: 0, found: 0 };
    map.set(key, { said: entry.said + said, found: entry.found + found });
  };
  for (const one of scored) {
    const { found, wrong } = judgeClip(one);
    const { category, said, durationS } = one.clip;
    seconds += durationS;
    falseAlarms += wrong.length;
    latencies.push(...found.map((hit) => hit.latencyS));
    if (said.length === 0 || category === null) continue;
    count(byCategory, category, said.length, found.length);
    const level = levelOf(category);
    if (level) count(byLevel, level, said.length, found.length);
  }
  const shares = (map: Map<string, { said: number; found: number }>) =>
    Object.fromEntries([...map].map(([key, { said, found }]) => [key, found / said]));
  const all = [...byCategory.values()];
  const said = all.reduce((sum, entry) => sum + entry.said, 0);
  const found = all.reduce((sum, entry) => sum + entry.found, 0);
  const hours = seconds / 3600;
  return {
    recall: shares(byCategory),
    recallByLevel: shares(byLevel),
    recallAll: said === 0 ? null : found / said,
    said,
    found,
    falseAlarms,
    hours,
    falseAlarmsPerHour: falseAlarms / hours,
    falseAlarmsPerHour95: poissonUpper95(falseAlarms) / hours,
    latencyMedianS: quantile(latencies, 0.5),
    latencyP95S: quantile(latencies, 0.95),
  };
}

/** The same phrase again within a second is the same hit, as the ears have it. */
export function once(hits: readonly SpeechHit[]): SpeechHit[] {
  const last = new Map<string, number>();
  return [...hits]
    .sort((a, b) => a.endS - b.endS)
    .filter(({ phrase, endS }) => {
      const before = last.get(phrase);
      if (before !== undefined && endS - before <= 1) return false;
      last.set(phrase, endS);
      return true;
    });
}

/** Of drawn phrases: recall is the mean over phrases; a clip without the phrase counts its time once per phrase. */
export interface DrawnScore {
  readonly phrases: number;
  readonly recallAll: number;
  readonly falseAlarms: number;
  readonly phraseHours: number;
  readonly falseAlarmsPerPhraseHour: number;
  readonly falseAlarmsPerPhraseHour95: number;
}

/** `sound` gives the toneless pinyin of a text: phrases that sound alike are one. */
export function scoreDrawn(
  scored: readonly ScoredClip[],
  phrases: readonly string[],
  sound: (text: string) => string,
): DrawnScore {
  let falseAlarms = 0;
  let seconds = 0;
  const recalls = phrases.map((phrase) => {
    let said = 0;
    let found = 0;
    for (const { clip, hits } of scored) {
      const heard = hits.filter((hit) => hit.phrase === phrase).length;
      if (contains(clip, phrase, sound)) {
        said++;
        if (heard > 0) found++;
      } else {
        seconds += clip.durationS;
        falseAlarms += heard;
      }
    }
    return said === 0 ? 0 : found / said;
  });
  const phraseHours = seconds / 3600;
  return {
    phrases: phrases.length,
    recallAll: recalls.reduce((sum, recall) => sum + recall, 0) / Math.max(1, phrases.length),
    falseAlarms,
    phraseHours,
    falseAlarmsPerPhraseHour: falseAlarms / phraseHours,
    falseAlarmsPerPhraseHour95: poissonUpper95(falseAlarms) / phraseHours,
  };
}

/** The misses and false alarms behind a drawn score, for people. */
export function listDrawn(
  scored: readonly ScoredClip[],
  phrases: readonly string[],
  sound: (text: string) => string,
): { readonly phrase: string; readonly clip: string; readonly wrong: boolean }[] {
  return phrases.flatMap((phrase) =>
    scored.flatMap(({ clip, hits }) => {
      const said = contains(clip, phrase, sound);
      const heard = hits.some((hit) => hit.phrase === phrase);
      return said === heard ? [] : [{ phrase, clip: clip.file, wrong: heard }];
    }),
  );
}

function contains(clip: SpeechClip, phrase: string, sound: (text: string) => string): boolean {
  const transcript = clip.transcript ?? '';
  // A character with several readings may be read otherwise out of its context: the same characters are the same sound.
  return transcript.includes(phrase) || ` ${sound(transcript)} `.includes(` ${sound(phrase)} `);
}

/** Draws up to `count` phrases of 3 to 6 characters, each from another transcript, the same for the same seed. */
export function drawPhrases(transcripts: readonly string[], count: number, seed: number): string[] {
  let state = Math.imul(seed, 2654435761) >>> 0;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const pool = [...new Set(transcripts)].sort();
  const drawn = new Set<string>();
  while (drawn.size < count && pool.length > 0) {
    const transcript = pool.splice(Math.floor(random() * pool.length), 1)[0]!;
    const length = 3 + Math.floor(random() * 4);
    const runs = (transcript.match(/\p{Script=Han}+/gu) ?? []).filter((run) => run.length >= length);
    const run = runs[Math.floor(random() * runs.length)];
    if (!run) continue;
    const from = Math.floor(random() * (run.length - length + 1));
    drawn.add(run.slice(from, from + length));
  }
  return [...drawn];
}

/** Greatest rate that gives at most `events` with probability 5 %: the exact one-sided bound. */
export function poissonUpper95(events: number): number {
  const atMost = (rate: number) => {
    let term = Math.exp(-rate);
    let sum = term;
    for (let k = 1; k <= events; k++) {
      term *= rate / k;
      sum += term;
    }
    return sum;
  };
  let low = 0;
  let high = 10 + events * 3;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (atMost(middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

/** Nearest-rank quantile; null of nothing. */
export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!;
}
