/** Scoring of the ears: events against labels. Pure arithmetic; the rules of what counts stand here and nowhere else. */

/** A labelled recording. Times count from the recording's first sample. */
export interface SpeechClip {
  readonly file: string;
  readonly language: string;
  readonly category: string | null;
  /** Phrases that are said in it, with the end of each where it is known. */
  readonly said: readonly { readonly phrase: string; readonly endS?: number }[];
  readonly transcript?: string;
  /** As the labels have it; the sound itself counts. */
  readonly labelledS?: number;
}

/** An entry of the labels that was not scored, and why. */
export interface LeftOut {
  readonly file: string;
  readonly reason: string;
}

/** A hit of the ear, times as in the clip; `reportedS`: the sound that had to be heard for it. */
export interface SpeechHit {
  readonly phraseId: string;
  readonly endS: number;
  readonly reportedS: number;
  /** By how much the score is above its threshold, in the engine's own unit. */
  readonly margin: number;
  /** Absent: confirmed. */
  readonly level?: 'suspected';
}

/** What the room's deciding made of the hits: one phrase within one episode, at least one hit. */
export interface SpeechEvent {
  readonly phraseId: string;
  readonly hits: readonly SpeechHit[];
}

export interface ScoredClip {
  readonly clip: SpeechClip;
  readonly durationS: number;
  readonly events: readonly SpeechEvent[];
  /** What was told as suspected and never confirmed. */
  readonly doubts?: readonly SpeechEvent[];
  /** What the first pass suspected; absent: the engine has none, what it confirms is all that it suspects. */
  readonly suspects?: readonly { readonly phraseId: string; readonly endS: number }[];
}

/** A hit may end this far from the labelled end. */
const TOLERANCE_S = 1.5;
/** Under which phrases count whose clip names no category, and those that were drawn. */
const UNCATEGORISED = 'uncategorised';
const DRAWN = 'drawn';

/** Null where it would be a share of nothing. */
type Share = number | null;

/** What every run prints. */
export interface SpeechScore {
  readonly recall: Readonly<Record<string, number>>;
  /** Said phrases that the first pass took up at all, those that were told at least as suspected, and those of a confirmed event. */
  readonly recallByLevel: { readonly firstPass: Share; readonly suspected: Share; readonly confirmed: Share };
  /** By how grave the first hit of the category is in the pack. */
  readonly recallByGravity: Readonly<Record<string, number>>;
  readonly recallAll: Share;
  readonly said: number;
  readonly found: number;
  readonly falseAlarms: number;
  /** Events that were told as suspected and never confirmed, and those of them of which nothing was said. */
  readonly suspectedOnly: number;
  readonly suspectedOnlyFalse: number;
  readonly hours: number;
  readonly falseAlarmsPerHour: Share;
  /** Upper end of the one-sided 95 % interval. */
  readonly falseAlarmsPerHour95: Share;
  readonly suspectedOnlyPerHour: Share;
  readonly suspectedOnlyFalsePerHour: Share;
  readonly suspectedOnlyFalsePerHour95: Share;
  readonly latencyMedianS: Share;
  readonly latencyP95S: Share;
}

/** Which phrases of the pack a labelled text means. */
export type MeantBy = (text: string) => ReadonlySet<string>;

const near = (endS: number, labelledS: number | undefined) =>
  labelledS === undefined || Math.abs(endS - labelledS) <= TOLERANCE_S;

/** What happened in one clip: each said phrase takes one hit of an event; an event of which no hit was taken is false. */
export function judgeClip(
  { clip, events, doubts = [], suspects = [] }: ScoredClip,
  meantBy: MeantBy,
): {
  found: { phrase: string; latencyS: number }[];
  missed: { phrase: string; endS?: number }[];
  wrong: SpeechEvent[];
  suspected: number;
  firstPass: number;
  /** Suspicions of which nothing was said. */
  groundless: number;
} {
  const taken = new Set<SpeechHit>();
  const right = new Set<SpeechEvent>();
  const found: { phrase: string; latencyS: number }[] = [];
  const missed: { phrase: string; endS?: number }[] = [];
  const grounded = new Set<SpeechEvent>();
  let [suspected, firstPass] = [0, 0];
  for (const one of clip.said) {
    const { phrase, endS } = one;
    const meant = meantBy(phrase);
    const off = (hit: SpeechHit) => Math.abs(hit.endS - (endS ?? hit.endS));
    const best = events
      .filter(({ phraseId }) => meant.has(phraseId))
      .flatMap((event) => event.hits.map((hit) => ({ event, hit })))
      .filter(({ hit }) => !taken.has(hit) && near(hit.endS, endS))
      // An event that serves no other phrase yet, and of these the nearest.
      .sort((a, b) => Number(right.has(a.event)) - Number(right.has(b.event)) || off(a.hit) - off(b.hit))[0];
    if (best) {
      taken.add(best.hit);
      right.add(best.event);
      found.push({ phrase, latencyS: best.hit.reportedS - (endS ?? best.hit.endS) });
    } else missed.push(one);
    const doubted = doubts.filter(
      (event) => meant.has(event.phraseId) && event.hits.some((hit) => near(hit.endS, endS)),
    );
    for (const event of doubted) grounded.add(event);
    if (best || doubted.length > 0) suspected++;
    const passed = suspects.some((suspect) => meant.has(suspect.phraseId) && near(suspect.endS, endS));
    if (best || doubted.length > 0 || passed) firstPass++;
  }
  const wrong = events.filter((event) => !right.has(event));
  return { found, missed, wrong, suspected, firstPass, groundless: doubts.length - grounded.size };
}

/** `gravityOf` maps a category to the level of its first hit; one without counts in `recall` and `recallAll` only. */
export function scoreClips(
  scored: readonly ScoredClip[],
  meantBy: MeantBy,
  gravityOf: (category: string) => string | undefined,
): SpeechScore {
  const byCategory = new Map<string, { said: number; found: number }>();
  const byGravity = new Map<string, { said: number; found: number }>();
  const latencies: number[] = [];
  let [falseAlarms, suspectedAll, firstPassAll, groundlessAll] = [0, 0, 0, 0];
  const count = (map: Map<string, { said: number; found: number }>, key: string, said: number, found: number) => {
    const entry = map.get(key) ?? { said: 0, found: 0 };
    map.set(key, { said: entry.said + said, found: entry.found + found });
  };
  for (const one of scored) {
    const { found, wrong, suspected, firstPass, groundless } = judgeClip(one, meantBy);
    const { category, said } = one.clip;
    falseAlarms += wrong.length;
    suspectedAll += suspected;
    firstPassAll += firstPass;
    groundlessAll += groundless;
    latencies.push(...found.map((hit) => hit.latencyS));
    if (said.length === 0) continue;
    count(byCategory, category ?? UNCATEGORISED, said.length, found.length);
    const gravity = category === null ? undefined : gravityOf(category);
    if (gravity) count(byGravity, gravity, said.length, found.length);
  }
  const shares = (map: Map<string, { said: number; found: number }>) =>
    Object.fromEntries([...map].map(([key, { said, found }]) => [key, found / said]));
  const all = [...byCategory.values()];
  const said = all.reduce((sum, entry) => sum + entry.said, 0);
  const found = all.reduce((sum, entry) => sum + entry.found, 0);
  return {
    recall: shares(byCategory),
    recallByLevel: {
      firstPass: per(firstPassAll, said),
      suspected: per(suspectedAll, said),
      confirmed: per(found, said),
    },
    recallByGravity: shares(byGravity),
    recallAll: per(found, said),
    said,
    found,
    ...ratesOf(falseAlarms, groundlessAll, scored),
    ...latenciesOf(latencies),
  };
}

const per = (count: number, of: number): Share => (of === 0 ? null : count / of);

function ratesOf(falseAlarms: number, groundless: number, scored: readonly ScoredClip[]) {
  const suspectedOnly = scored.reduce((sum, { doubts = [] }) => sum + doubts.length, 0);
  const hours = scored.reduce((sum, { durationS }) => sum + durationS, 0) / 3600;
  return {
    falseAlarms,
    hours,
    falseAlarmsPerHour: per(falseAlarms, hours),
    falseAlarmsPerHour95: per(poissonUpper95(falseAlarms), hours),
    suspectedOnly,
    suspectedOnlyFalse: groundless,
    suspectedOnlyPerHour: per(suspectedOnly, hours),
    suspectedOnlyFalsePerHour: per(groundless, hours),
    suspectedOnlyFalsePerHour95: per(poissonUpper95(groundless), hours),
  };
}

const latenciesOf = (latencies: readonly number[]) => ({
  latencyMedianS: quantile(latencies, 0.5),
  latencyP95S: quantile(latencies, 0.95),
});

/** The same phrase again within a second is the same hit, as the ears have it. */
export function once(hits: readonly SpeechHit[]): SpeechHit[] {
  const last = new Map<string, number>();
  return [...hits]
    .sort((a, b) => a.endS - b.endS)
    .filter(({ phraseId, endS }) => {
      const before = last.get(phraseId);
      if (before !== undefined && endS - before <= 1) return false;
      last.set(phraseId, endS);
      return true;
    });
}

/** Of drawn phrases: recall is the mean over phrases; a clip without the phrase counts its time once per phrase. */
export interface DrawnScore extends SpeechScore {
  readonly phrases: number;
  readonly phraseHours: number;
  readonly falseAlarmsPerPhraseHour: Share;
  readonly falseAlarmsPerPhraseHour95: Share;
}

/**
 * `sound` gives the toneless pinyin of a text, or its words: phrases that sound alike are one. A phrase's text is its id. An
 * event of a phrase in a clip whose transcript has it is right wherever it ends; in every other clip it is false.
 */
export function scoreDrawn(
  scored: readonly ScoredClip[],
  phrases: readonly string[],
  sound: (text: string) => string,
): DrawnScore {
  let [falseAlarms, groundless, seconds] = [0, 0, 0];
  const latencies: number[] = [];
  const counts = phrases.map((phrase) => {
    let [said, found, suspected, firstPass] = [0, 0, 0, 0];
    for (const { clip, durationS, events, doubts = [], suspects = [] } of scored) {
      const doubted = doubts.filter((event) => event.phraseId === phrase);
      const heard = events.filter((event) => event.phraseId === phrase);
      if (!contains(clip, phrase, sound)) {
        seconds += durationS;
        falseAlarms += heard.length;
        groundless += doubted.length;
        continue;
      }
      said++;
      const hit = heard[0]?.hits[0];
      // Where it ends in the sound nobody has labelled: the ear's own place counts.
      if (hit) latencies.push(hit.reportedS - hit.endS);
      if (hit) found++;
      if (hit || doubted.length > 0) suspected++;
      if (hit || doubted.length > 0 || suspects.some(({ phraseId }) => phraseId === phrase)) firstPass++;
    }
    return { said, found, suspected, firstPass };
  });
  // A phrase whose clips could not be read was not said.
  const heard = counts.filter(({ said }) => said > 0);
  const mean = (key: 'found' | 'suspected' | 'firstPass') =>
    per(
      heard.reduce((sum, count) => sum + count[key] / count.said, 0),
      heard.length,
    );
  const total = (key: 'said' | 'found') => counts.reduce((sum, count) => sum + count[key], 0);
  const recallAll = mean('found');
  const phraseHours = seconds / 3600;
  return {
    recall: recallAll === null ? {} : { [DRAWN]: recallAll },
    recallByLevel: { firstPass: mean('firstPass'), suspected: mean('suspected'), confirmed: recallAll },
    recallByGravity: {},
    recallAll,
    said: total('said'),
    found: total('found'),
    ...ratesOf(falseAlarms, groundless, scored),
    ...latenciesOf(latencies),
    phrases: phrases.length,
    phraseHours,
    falseAlarmsPerPhraseHour: per(falseAlarms, phraseHours),
    falseAlarmsPerPhraseHour95: per(poissonUpper95(falseAlarms), phraseHours),
  };
}

/** The misses and false alarms behind a drawn score, for people; a false one with its event. */
export function listDrawn<T extends ScoredClip>(
  scored: readonly T[],
  phrases: readonly string[],
  sound: (text: string) => string,
): { readonly phrase: string; readonly one: T; readonly wrong?: SpeechEvent }[] {
  return phrases.flatMap((phrase) =>
    scored.flatMap((one) => {
      const heard = one.events.filter((event) => event.phraseId === phrase);
      if (!contains(one.clip, phrase, sound)) return heard.map((wrong) => ({ phrase, one, wrong }));
      return heard.length > 0 ? [] : [{ phrase, one }];
    }),
  );
}

function contains(clip: SpeechClip, phrase: string, sound: (text: string) => string): boolean {
  const transcript = clip.transcript ?? '';
  // A character with several readings may be read otherwise out of its context: the same characters are the same sound.
  return transcript.includes(phrase) || ` ${sound(transcript)} `.includes(` ${sound(phrase)} `);
}

/** Greatest rate that gives at most `events` with probability 5 %: the exact one-sided bound. */
export function poissonUpper95(events: number): number {
  let logFactorial = 0;
  for (let k = 2; k <= events; k++) logFactorial += Math.log(k);
  // From the last term downwards, which are ever smaller at a rate over `events`: from the first on, exp(-rate) would be 0 at 745.
  const atMost = (rate: number) => {
    let term = Math.exp((events === 0 ? 0 : events * Math.log(rate)) - rate - logFactorial);
    let sum = term;
    for (let k = events; k > 0; k--) {
      term *= k / rate;
      sum += term;
    }
    return sum;
  };
  let low = events;
  let high = events + 10 + 5 * Math.sqrt(events);
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
