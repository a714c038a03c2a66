/** From a rule pack back to the files that people read and that travel: pack.yaml, and one file of phrases for each language. */
import { stringify } from 'yaml';
import type { Phrase, RulePack } from '../../protocol/rules.ts';

/** The files of a pack; `loadRulePackFiles` gives the same pack back. */
export function writeRulePackFiles(pack: RulePack): Record<string, string> {
  const { phrases, ...head } = pack;
  const languages = [...new Set(phrases.map(({ language }) => language))];
  const nameOf = (language: string) => `phrases-${language}.yaml`;
  return {
    'pack.yaml': yaml({ ...head, phrases: languages.map(nameOf) }),
    ...Object.fromEntries(
      languages.map((language) => [
        nameOf(language),
        yaml(
          phraseFile(
            language,
            phrases.filter((phrase) => phrase.language === language),
          ),
        ),
      ]),
    ),
  };
}

const yaml = (value: unknown) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

/** Lists of words that several phrases share are written once, as those who write packs by hand do. */
function phraseFile(language: string, phrases: readonly Phrase[]) {
  const uses = new Map<string, number>();
  for (const { context } of phrases)
    for (const list of [context?.needs, context?.unless])
      if (list) uses.set(JSON.stringify(list), (uses.get(JSON.stringify(list)) ?? 0) + 1);
  const shared = [...uses].filter(([, count]) => count > 1).map(([list]) => list);
  const words = (list: readonly string[] | undefined) => {
    if (!list) return undefined;
    const index = shared.indexOf(JSON.stringify(list));
    return index < 0 ? list : [`@words-${index + 1}`];
  };
  const present = (entries: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
  return present({
    language,
    contexts:
      shared.length === 0
        ? undefined
        : Object.fromEntries(shared.map((list, index) => [`words-${index + 1}`, JSON.parse(list) as string[]])),
    phrases: phrases.map(({ phraseId, category, forms, citation, gravity, context }) =>
      present({
        id: phraseId,
        category,
        gravity,
        forms,
        needs: words(context?.needs),
        unless: words(context?.unless),
        citation,
      }),
    ),
  });
}
