/** Looks over the phrases of a rule pack before a room does: which would fire on everyday speech, and which cannot be told apart. */
import type { Phrase } from '../../protocol/rules.ts';
import { createLexicon, type Units } from '../speech/lexicon/lexicon.ts';
import { fillPhrases } from '../speech/lexicon/slots.ts';

/** Units of silence between two texts. */
const PAUSE = 12;

/** Mandarin forms of fewer syllables: half of them are missed, and everyday words sound like them. */
const LEAST_SYLLABLES = 3;
const isShort = (units: Units, form: string) => units.language === 'zh' && units.spell(form).length < LEAST_SYLLABLES;

export interface LintFinding {
  readonly phraseId: string;
  readonly form: string;
  /**
   * `everyday`: matches neutral speech; `neighbour`: matches another phrase's form; `short`: has so few syllables that half
   * of the times it is said it is not found, and everyday words sound like it.
   */
  readonly kind: 'everyday' | 'neighbour' | 'short';
  /** The sentence or form that it matches, and whose it is; the form itself where it is short. */
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

/**
 * What is listened to is spelt once; the linter may be asked again and again. `neutral` has nothing of a phrase, whatever its
 * context; `readOut` has the words of the discipline, which a phrase must let pass by its context.
 */
export function createLinter(deps: { units: Units; neutral: readonly string[]; readOut?: readonly string[] }): Linter {
  const { units, neutral, readOut = [] } = deps;
  const spelt = (sentences: readonly string[]) =>
    sentences.map((sentence) => ({ sentence, spelt: units.spell(sentence) }));
  const [everyday, readings] = [spelt(neutral), spelt(readOut)];
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
      const isAsked = ({ phraseId }: Phrase) => only === undefined || phraseId === only;
      const asked = bare.filter(isAsked);
      const hearAsked = listener(asked);
      const heardIn = (sentences: typeof everyday, hear: typeof hearAsked) =>
        sentences.flatMap(({ sentence, spelt }) =>
          hear(spelt).map(
            ({ phraseId, text }): LintFinding => ({ phraseId, form: text, kind: 'everyday', against: sentence }),
          ),
        );
      const said = [...heardIn(everyday, hearAsked), ...heardIn(readings, listener(own.filter(isAsked)))];
      const short = asked.flatMap(({ phraseId, forms }) =>
        forms
          .filter((form) => !form.includes('{') && isShort(units, form))
          .map((form): LintFinding => ({ phraseId, form, kind: 'short', against: form })),
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
      return [...short, ...said, ...near];
    },
  };
}

/** What of the phrases of one language matches the neutral sentences or another phrase; see Linter. */
export function lintPhrases(deps: {
  phrases: readonly Phrase[];
  units: Units;
  neutral: readonly string[];
  readOut?: readonly string[];
}): LintFinding[] {
  return createLinter(deps).lint(deps.phrases);
}
