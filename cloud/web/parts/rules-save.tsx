/** The last look before a draft becomes a version: the whole pack is checked once more, and says what it is called and why it was made. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RulePack } from '../../../protocol/rules.ts';
import { type CheckView, type PackVersionView, RULE_NOTE_MAX } from '../../http/rules-api.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { type Draft, phraseChanges, proposedName } from '../state/rules-draft.ts';
import { sayRules } from '../words/rules.ts';
import { sentence } from '../words/words.ts';
import { useRefusal } from './states.tsx';
import { useWords } from './use.ts';

const CHECK_MS = 300;

export function RulesSave(props: {
  readonly draft: Draft;
  /** What the draft began from. */
  readonly base: RulePack;
  readonly chosen: PackVersionView;
  readonly versions: readonly PackVersionView[];
  readonly onClose: () => void;
  readonly onSaved: (version: PackVersionView) => void;
}) {
  const { draft, base, chosen, versions, onClose, onSaved } = props;
  const desk = useDesk();
  const { lang } = useWords();
  const words = useRefusal();
  const proposed = proposedName(draft.base, chosen.builtIn, versions);
  const [name, setName] = useState(proposed.name);
  const [version, setVersion] = useState(proposed.version);
  const [zh, setZh] = useState(chosen.builtIn ? '本省评标纪律' : chosen.title.zh);
  const [en, setEn] = useState(chosen.builtIn ? 'Rules of the province' : chosen.title.en);
  const [note, setNote] = useState('');
  const [check, setCheck] = useState<CheckView>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    let over = false;
    setCheck(undefined);
    const timer = setTimeout(() => {
      void desk.client.rules.check({ ...draft.pack, name, version, title: { zh, en } }).then((answer) => {
        if (over) return;
        if (answer.ok) setCheck(answer.value);
        setRefusal(answer.ok ? undefined : answer.refusal);
      });
    }, CHECK_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [desk, draft.pack, name, version, zh, en]);
  // What the draft did not touch was there before, and is no news.
  const changed = phraseChanges(base, draft.pack);
  const remarks = (check?.findings ?? []).filter(
    (one) => changed.has(one.phraseId) || (one.otherId !== undefined && changed.has(one.otherId)),
  );
  const save = async () => {
    setBusy(true);
    const answer = await desk.client.rules.save({ ...draft.pack, name, version, title: { zh, en } }, note, draft.base);
    setBusy(false);
    if (answer.ok) onSaved(answer.value);
    else setRefusal(answer.refusal);
  };
  const text = (label: string, value: string, set: (value: string) => void, field: string) => (
    <label class="rules-field">
      <span>{label}</span>
      <input name={field} value={value} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
  return (
    <dialog ref={dialog} class="rules-dialog" onClose={onClose} aria-labelledby="rules-save-title">
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <h2 id="rules-save-title">{sayRules(lang, 'saveTitle')}</h2>
        <p class="small">{sayRules(lang, 'saveLead')}</p>
        <div class="rules-pair">
          {text(sayRules(lang, 'name'), name, setName, 'name')}
          {text(sayRules(lang, 'version'), version, setVersion, 'version')}
        </div>
        {chosen.builtIn && <p class="small">{sayRules(lang, 'nameHint')}</p>}
        <div class="rules-pair">
          {text(sayRules(lang, 'titleZh'), zh, setZh, 'title-zh')}
          {text(sayRules(lang, 'titleEn'), en, setEn, 'title-en')}
        </div>
        <label class="rules-field">
          <span>{sayRules(lang, 'note')}</span>
          <textarea
            name="note"
            rows={2}
            maxLength={RULE_NOTE_MAX}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        </label>
        {!check && !refusal && (
          <p class="small" role="status">
            {sayRules(lang, 'checking')}
          </p>
        )}
        {check && check.problems.length > 0 && (
          <div class="rules-lint" role="status">
            <p class="rules-problem">{sayRules(lang, 'problemsN', { n: check.problems.length })}</p>
            <ul>
              {check.problems.slice(0, 6).map(({ phraseId, words: said }) => (
                <li key={`${phraseId} ${said.en}`} class="rules-problem">
                  ✕ {phraseId && <code>{phraseId} </code>}
                  {sentence(said, lang)}
                </li>
              ))}
            </ul>
          </div>
        )}
        {remarks.length > 0 && (
          <div class="rules-lint" role="status">
            <p class="rules-finding">! {sayRules(lang, 'findingsN', { n: remarks.length })}</p>
            <ul>
              {remarks.slice(0, 4).map(({ phraseId, form, kind, against, otherId }) => (
                <li key={`${phraseId} ${form} ${against}`} class="small">
                  “{form}”{' '}
                  {kind === 'short'
                    ? sayRules(lang, 'shortForm')
                    : kind === 'everyday'
                      ? sayRules(lang, 'everyday', { against })
                      : sayRules(lang, 'neighbour', { id: otherId ?? '', against })}
                </li>
              ))}
            </ul>
          </div>
        )}
        {refusal && (
          <p class="rules-problem" role="alert">
            {words(refusal)}
          </p>
        )}
        <footer>
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {sayRules(lang, 'cancel')}
          </button>
          <button type="submit" class="button primary" disabled={busy || !check || check.problems.length > 0}>
            {sayRules(lang, 'save')}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
