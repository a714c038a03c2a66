/** Looks over the phrases of a rule pack before a room does: which would fire on everyday speech, and which cannot be told apart. */
import type { Phrase } from '../../protocol/rules.ts';
import { createLexicon, type Units } from '../speech/lexicon/lexicon.ts';
import { fillPhrases } from '../speech/lexicon/slots.ts';

/** Units of silence between two texts. */
const PAUSE = 12;

interface LintFinding {
  readonly phraseId: string;
  readonly form: string;
  /** `everyday`: matches neutral speech; `neighbour`: matches another phrase's form. */
  readonly kind: 'everyday' | 'neighbour';
  /** The sentence or form that it matches, and whose it is. */
  readonly against: string;
  readonly otherId?: string;
}

/** What of the phrases of one language matches the neutral sentences or another phrase. Slots are filled with ordinals. */
export function lintPhrases(deps: {
  phrases: readonly Phrase[];
  units: Units;
  neutral: readonly string[];
}): LintFinding[] {
  const { units } = deps;
  const own = deps.phrases.filter((phrase) => phrase.language.startsWith(units.language));
  // Context would hide what a phrase matches without it.
  const bare = own.map(({ context: _context, ...phrase }) => phrase);
  const lexicon = createLexicon({ phrases: bare, units });
  const heard = (text: string) => {
    const hits = [...units.spell(text).flatMap((unit) => lexicon.push(unit)), ...lexicon.flush()];
    // A pause, so that what comes next is told although it was told just now.
    for (let i = 0; i < PAUSE; i++) lexicon.push('');
    return hits;
  };
  const everyday = deps.neutral.flatMap((sentence) =>
    heard(sentence).map(
      ({ phraseId, text }): LintFinding => ({ phraseId, form: text, kind: 'everyday', against: sentence }),
    ),
  );
  const neighbours = fillPhrases(bare).flatMap((phrase) =>
    phrase.forms.flatMap((form) =>
      heard(form)
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
    ),
  );
  return [...everyday, ...neighbours];
}
