/** Looks over the phrases of a rule pack before a room does: which would fire on everyday speech, and which cannot be told apart. */
import type { Phrase } from '../../protocol/rules.ts';
import { createLexicon, type Units } from '../speech/lexicon/lexicon.ts';
import { fillPhrases } from '../speech/lexicon/slots.ts';

/** Units of silence between two texts. */
const PAUSE = 12;

export interface LintFinding {
  readonly phraseId: string;
  readonly form: string;
  /** `everyday`: matches neutral speech; `neighbour`: matches another phrase's form. */
  readonly kind: 'everyday' | 'neighbour';
  /** The sentence or form that it matches, and whose it is. */
  readonly against: string;
  readonly otherId?: string;
}

export interface Linter {
  /**
   * What of the phrases of this language matches everyday speech or another phrase. Slots are filled with ordinals.
   * With `only`, what concerns that one phrase: fast enough to run while somebody types.
   */
  lint(phrases: readonly Phrase[], only?: string): LintFinding[];
}

/** `neutral` is spelt once; the linter may be asked again and again. */
export function createLinter({ units, neutral }: { units: Units; neutral: readonly string[] }): Linter {
  const everyday = neutral.map((sentence) => ({ sentence, spelt: units.spell(sentence) }));
  const listener = (phrases: readonly Phrase[]) => {
    const lexicon = createLexicon({ phrases, units });
    return (spelt: readonly string[]) => {
      const hits = [...spelt.flatMap((unit) => lexicon.push(unit)), ...lexicon.flush()];
      // A pause, so that what comes next is told although it was told just now.
      for (let i = 0; i < PAUSE; i++) lexicon.push('');
      return hits;
    };
  };
  return {
    lint(phrases, only) {
      const own = phrases.filter((phrase) => phrase.language.startsWith(units.language));
      // Context would hide what a phrase matches without it.
      const bare = own.map(({ context: _context, ...phrase }) => phrase);
      const asked = only === undefined ? bare : bare.filter(({ phraseId }) => phraseId === only);
      const hearAsked = listener(asked);
      const said = everyday.flatMap(({ sentence, spelt }) =>
        hearAsked(spelt).map(
          ({ phraseId, text }): LintFinding => ({ phraseId, form: text, kind: 'everyday', against: sentence }),
        ),
      );
      const hearAll = only === undefined ? hearAsked : listener(bare);
      const near = fillPhrases(bare).flatMap((phrase) => {
        const hear = only === undefined || phrase.phraseId === only ? hearAll : hearAsked;
        return phrase.forms.flatMap((form) =>
          hear(units.spell(form))
            .filter((hit) => hit.phraseId !== phrase.phraseId)
            .map(
              ({ phraseId, text }): LintFinding => ({
                phraseId,
                form: text,
                kind: 'neighbour',
                against: form,
                otherId: phrase.phraseId,
              }),
            ),
        );
      });
      return [...said, ...near];
    },
  };
}

/** What of the phrases of one language matches the neutral sentences or another phrase; see Linter. */
export function lintPhrases(deps: {
  phrases: readonly Phrase[];
  units: Units;
  neutral: readonly string[];
}): LintFinding[] {
  return createLinter(deps).lint(deps.phrases);
}
