/** Fourth step of splicing: which syllables of which recordings are to say a text, the longest runs of one voice first. */
import type { Sounded, Unit } from './units.ts';

/** What speaks against a choice; a join within one recording where the two stood together costs nothing. */
const COST = { join: 1, otherVoice: 0.7, otherTone: 0.4, otherCharacter: 0.1, chance: 0.3 } as const;
/** Of one syllable so many are tried at most, the best for their place first. */
const TRIED = 60;

/** Stood one behind the other in one recording. */
export const follows = (a: Unit, b: Unit) => a.recording === b.recording && b.place === a.place + 1;

/** Units by their toneless syllable. */
export function bySyllable(units: readonly Unit[]): ReadonlyMap<string, readonly Unit[]> {
  return Map.groupBy(
    units.filter(({ syllable }) => syllable !== ''),
    ({ syllable }) => syllable,
  );
}

/** Syllables of a text that no recording has, each once. */
export function missingFor(text: readonly Sounded[], there: ReadonlyMap<string, readonly Unit[]>): string[] {
  return [...new Set(text.map(({ syllable }) => syllable).filter((syllable) => !there.has(syllable)))];
}

/**
 * The units that say a text with the fewest joints, the least change of voice and most of its tones; undefined where a
 * syllable is nowhere. `random` (-1..1) makes another choice of what is nearly as good each time; `mayUse` keeps units out.
 */
export function chooseUnits(deps: {
  text: readonly Sounded[];
  there: ReadonlyMap<string, readonly Unit[]>;
  random: () => number;
  mayUse?: (unit: Unit) => boolean;
}): readonly Unit[] | undefined {
  const { text, there, random, mayUse = () => true } = deps;
  interface Path {
    readonly unit: Unit;
    readonly cost: number;
    readonly before: Path | undefined;
  }
  let paths: readonly Path[] = [];
  for (const [i, wanted] of text.entries()) {
    const own = (there.get(wanted.syllable) ?? [])
      .filter(mayUse)
      .map((unit) => ({
        unit,
        cost:
          (unit.tone === wanted.tone ? 0 : COST.otherTone) +
          (unit.character === wanted.character ? 0 : COST.otherCharacter) +
          (COST.chance * (1 + random())) / 2,
      }))
      .sort((a, b) => a.cost - b.cost);
    // A neighbour of what was chosen before is worth more than a tone.
    const kept = own.filter(({ unit }, at) => at < TRIED || paths.some((path) => follows(path.unit, unit)));
    if (kept.length === 0) return undefined;
    const joined = ({ unit }: Path, next: Unit) =>
      follows(unit, next) ? 0 : COST.join + (unit.recording.speaker === next.recording.speaker ? 0 : COST.otherVoice);
    const earlier = paths;
    paths = kept.map(({ unit, cost }) => {
      if (i === 0) return { unit, cost, before: undefined };
      let best = { before: earlier[0]!, cost: Number.POSITIVE_INFINITY };
      for (const path of earlier) {
        const sum = path.cost + joined(path, unit);
        if (sum < best.cost) best = { before: path, cost: sum };
      }
      return { unit, cost: best.cost + cost, before: best.before };
    });
  }
  let last = paths.reduce<Path | undefined>((best, path) => (best && best.cost <= path.cost ? best : path), undefined);
  const chosen: Unit[] = [];
  for (; last; last = last.before) chosen.unshift(last.unit);
  return chosen;
}
