/** The phrases of a pack by category, searched by the words of the top bar, with the editor of the chosen one beside them. */
import { useState } from 'preact/hooks';
import type { Phrase, RulePack } from '../../../protocol/rules.ts';
import type { PackVersionView } from '../../http/rules-api.ts';
import { useDesk } from '../state/desk.ts';
import { type DraftPack, freshId, type PhraseChange, phraseChanges, withPhrase } from '../state/rules-draft.ts';
import { categoryWords, sayRules } from '../words/rules.ts';
import { LevelMark } from './marks.tsx';
import { RulesPhrase } from './rules-phrase.tsx';
import { Blank } from './states.tsx';
import { useWords } from './use.ts';

/** In the order of the desk: gravest first. A pack may bring others. */
const CATEGORIES = ['prohibited', 'tendentious', 'suggestive', 'fee', 'irrelevant'];

export interface EditorParts {
  readonly base: RulePack;
  readonly pack: DraftPack;
  readonly chosen: PackVersionView;
  /** Absent while another draft stands in the way. */
  readonly onEdit?: (pack: DraftPack) => void;
}

export function RulesPhrases({ base, pack, onEdit }: EditorParts) {
  const desk = useDesk();
  const { lang } = useWords();
  const [id, setId] = useState<string>();
  const changes = phraseChanges(base, pack);
  const q = (desk.place.value.q ?? '').toLowerCase();
  const removed = base.phrases.filter(({ phraseId }) => changes.get(phraseId) === 'removed');
  const matches = (phrase: Phrase) =>
    q === '' || `${phrase.phraseId} ${phrase.forms.join(' ')} ${phrase.citation}`.toLowerCase().includes(q);
  const shown = [...pack.phrases, ...removed].filter(matches);
  const known = [...new Set([...CATEGORIES, ...shown.map(({ category }) => category)])];
  const phrase = pack.phrases.find(({ phraseId }) => phraseId === id);
  const gone = removed.find(({ phraseId }) => phraseId === id);
  const add = (category: string) => {
    if (!onEdit) return;
    const language = 'zh-CN';
    const citation = pack.phrases.find((one) => one.category === category)?.citation ?? '';
    const phraseId = freshId(pack, language, category);
    onEdit(withPhrase(pack, { phraseId, language, category: category as Phrase['category'], forms: [], citation }));
    setId(phraseId);
  };
  return (
    <div class={phrase || gone ? 'rules-split has-chosen' : 'rules-split'}>
      <div class="rules-list">
        {shown.length === 0 && <Blank title={sayRules(lang, 'noPhrases')} />}
        {known.map((category) => {
          const own = shown.filter((one) => one.category === category);
          if (own.length === 0) return null;
          return (
            <section key={category}>
              <h2 class="rules-category">
                {categoryWords(category, lang)}
                <span class="small">{sayRules(lang, 'phrasesN', { n: own.length })}</span>
                <span class="tile-gap" />
                <button type="button" class="plain" disabled={!onEdit} onClick={() => add(category)}>
                  + {sayRules(lang, 'addPhrase')}
                </button>
              </h2>
              <ul>
                {own.map((one) => (
                  <Row
                    key={one.phraseId}
                    phrase={one}
                    pack={pack}
                    change={changes.get(one.phraseId)}
                    chosen={one.phraseId === id}
                    onChoose={() => setId(one.phraseId)}
                  />
                ))}
              </ul>
            </section>
          );
        })}
      </div>
      <div class="rules-editor">
        {phrase ? (
          <RulesPhrase
            key={phrase.phraseId}
            phrase={phrase}
            before={base.phrases.find(({ phraseId }) => phraseId === phrase.phraseId)}
            pack={pack}
            onClose={() => setId(undefined)}
            {...(onEdit ? { onEdit } : {})}
          />
        ) : gone ? (
          <div class="rules-gone">
            <p>
              {sayRules(lang, 'removed')}: {gone.forms[0]}
            </p>
            <button
              type="button"
              class="button"
              disabled={!onEdit}
              onClick={() => onEdit?.({ ...pack, phrases: restored(base, pack, gone) })}
            >
              {sayRules(lang, 'undoRemove')}
            </button>
          </div>
        ) : (
          <Blank title={sayRules(lang, 'pick')} />
        )}
      </div>
    </div>
  );
}

/** In its old place, so that nothing counts as changed afterwards. */
function restored(base: RulePack, pack: RulePack, gone: Phrase): readonly Phrase[] {
  const ids = base.phrases.map(({ phraseId }) => phraseId);
  const at = (phrase: Phrase) => {
    const index = ids.indexOf(phrase.phraseId);
    return index < 0 ? ids.length : index;
  };
  return [...pack.phrases, gone].sort((a, b) => at(a) - at(b));
}

function Row(props: {
  readonly phrase: Phrase;
  readonly pack: RulePack;
  readonly change: PhraseChange | undefined;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}) {
  const { phrase, pack, change, chosen, onChoose } = props;
  const { lang } = useWords();
  const rule = pack.rules[`speech_${phrase.category}` as keyof RulePack['rules']] as
    | { level?: 'notice' | 'alarm' }
    | undefined;
  const level = rule ? (phrase.gravity ?? rule.level) : undefined;
  const more = phrase.forms.length - 1;
  return (
    <li>
      <button
        type="button"
        class={`rules-row ${change === 'removed' ? 'is-removed' : ''}`}
        data-phrase={phrase.phraseId}
        aria-current={chosen ? 'true' : undefined}
        onClick={onChoose}
      >
        {level ? <LevelMark level={level} fault={false} quiet={false} size={14} /> : <span class="rules-none">–</span>}
        <span class="rules-form" lang={phrase.language}>
          {phrase.forms[0] ?? '…'}
          {more > 0 && <span class="small"> +{more}</span>}
        </span>
        {change && <span class="tag rules-draft">{sayRules(lang, change)}</span>}
        <code>{phrase.phraseId}</code>
      </button>
    </li>
  );
}
