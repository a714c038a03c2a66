/** The draft of a rule pack that somebody is writing: kept in the browser until it is saved, compared with what it began from. Pure but for its shelf. */
import type { Phrase, RulePack, Rules } from '../../../protocol/rules.ts';
import { wavOf } from '../../../protocol/wav.ts';
import { byVersion, type PackName } from '../../http/rules-api.ts';
import { readShelf, writeShelf } from './shelf.ts';

export type RuleFields = Readonly<Record<string, unknown>>;
export type DraftPack = RulePack;

export interface Draft {
  readonly base: PackName;
  readonly pack: DraftPack;
}

const SHELF = 'evalroom-rules-draft';

/** What was being written when the page was left; undefined where there is none, or one of another shape. */
export function keptDraft(): Draft | undefined {
  try {
    const draft = JSON.parse(readShelf(SHELF) ?? 'null') as Draft | null;
    return draft && Array.isArray(draft.pack?.phrases) && typeof draft.base?.name === 'string' ? draft : undefined;
  } catch {
    return undefined;
  }
}

/** False where the browser keeps nothing (full, or forbidden): the draft then lives as long as the page. */
export function keepDraft(draft: Draft | undefined): boolean {
  return writeShelf(SHELF, draft && JSON.stringify(draft));
}

export const sameName = (a: PackName | undefined, b: PackName | undefined): boolean =>
  a !== undefined && b !== undefined && a.name === b.name && a.version === b.version;

export const nameText = ({ name, version }: PackName): string => `${name} ${version}`;

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

export type PhraseChange = 'added' | 'edited' | 'removed';

/** Phrases that differ from the base, by id. */
export function phraseChanges(base: RulePack, draft: RulePack): ReadonlyMap<string, PhraseChange> {
  const before = new Map(base.phrases.map((phrase) => [phrase.phraseId, phrase]));
  const changes = new Map<string, PhraseChange>();
  for (const phrase of draft.phrases) {
    const old = before.get(phrase.phraseId);
    if (!old) changes.set(phrase.phraseId, 'added');
    else if (!same(old, phrase)) changes.set(phrase.phraseId, 'edited');
    before.delete(phrase.phraseId);
  }
  for (const phraseId of before.keys()) changes.set(phraseId, 'removed');
  return changes;
}

/** Rules that differ from the base. */
export function ruleChanges(base: RulePack, draft: RulePack): readonly string[] {
  const names = new Set([...Object.keys(base.rules), ...Object.keys(draft.rules)]) as Set<keyof Rules>;
  return [...names].filter((name) => !same(base.rules[name], draft.rules[name]));
}

/** How many things differ. */
export function changeCount(base: RulePack, draft: RulePack): number {
  return (
    phraseChanges(base, draft).size + ruleChanges(base, draft).length + (base.cooldownMs === draft.cooldownMs ? 0 : 1)
  );
}

export function withPhrase(pack: DraftPack, phrase: Phrase): DraftPack {
  const known = pack.phrases.some(({ phraseId }) => phraseId === phrase.phraseId);
  return {
    ...pack,
    phrases: known
      ? pack.phrases.map((one) => (one.phraseId === phrase.phraseId ? phrase : one))
      : [...pack.phrases, phrase],
  };
}

export function withoutPhrase(pack: DraftPack, phraseId: string): DraftPack {
  return { ...pack, phrases: pack.phrases.filter((one) => one.phraseId !== phraseId) };
}

/** The rule with these fields; undefined switches it off. */
export function withRule(pack: DraftPack, name: string, fields: RuleFields | undefined): DraftPack {
  const { [name as keyof Rules]: _old, ...rest } = pack.rules;
  return { ...pack, rules: (fields ? { ...pack.rules, [name]: fields } : rest) as Rules };
}

/** An id that no phrase has: language, category, and the next number. */
export function freshId(pack: RulePack, language: string, category: string): string {
  const stem = `${language.slice(0, 2).toLowerCase()}-${category.slice(0, 3)}-own-`;
  const ids = new Set(pack.phrases.map(({ phraseId }) => phraseId));
  let n = 1;
  while (ids.has(`${stem}${n}`)) n += 1;
  return `${stem}${n}`;
}

/** What a saved draft may be called: the next version of its base, or a name of its own for what came with the product. */
export function proposedName(base: PackName, builtIn: boolean, taken: readonly PackName[]): PackName {
  const name = builtIn ? 'province' : base.name;
  const newest = taken
    .filter((one) => one.name === name)
    .map(({ version }) => version)
    .sort(byVersion)
    .at(-1);
  const [major, minor, last] = newest?.split('.').map(Number) ?? [1, 0, -1];
  return { name, version: `${major}.${minor}.${last! + 1}` };
}

/** A recording as a file with one channel: what the cloud reads, and small. */
export function recordingOf(samples: Float32Array, rate = 16_000): Blob {
  const whole = Int16Array.from(samples, (value) => Math.max(-1, Math.min(1, value)) * 32_767);
  return new Blob([wavOf(whole, rate)], { type: 'audio/wav' });
}

/** As the pack's own schema has it (models/rules/schema.ts). */
export const TOPICS_MAX = 200;
export const TOPIC_LENGTH = 40;

export const topicsOf = ({ topics }: { readonly topics?: unknown }): readonly string[] =>
  Array.isArray(topics) ? topics.map(String) : [];

/** A single syllable of Mandarin is in every sentence, so no ear minds it. */
export const isTooShort = (topic: string): boolean => /^\p{Script=Han}$/u.test(topic);

/** Words parted by commas, ideographic ones or lines; none leaves the key out. */
export function withTopics<T extends object>(fields: T, text: string): T {
  const { topics: _before, ...rest } = fields as T & { topics?: unknown };
  const topics = text.split(/[、,，;；\n]+/).flatMap((word) => word.trim() || []);
  return (topics.length > 0 ? { ...rest, topics } : rest) as T;
}
