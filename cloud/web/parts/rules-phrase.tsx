/** Editor of one phrase: its forms, context, gravity and citation; what is wrong or doubtful stands beside the field while one types. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Phrase, RulePack } from '../../../protocol/rules.ts';
import type { CheckView } from '../../http/rules-api.ts';
import type { Answer } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { type DraftPack, withoutPhrase, withPhrase } from '../state/rules-draft.ts';
import { categoryWords, sayRules } from '../words/rules.ts';
import { languageWords, sentence } from '../words/words.ts';
import { icons } from './icons.tsx';
import { RefusedLine } from './states.tsx';
import { useWords } from './use.ts';

/** Nobody types faster than this for long. */
const CHECK_MS = 350;

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

export function RulesPhrase(props: {
  readonly phrase: Phrase;
  readonly before: Phrase | undefined;
  readonly pack: DraftPack;
  readonly onEdit?: (pack: DraftPack) => void;
  readonly onClose: () => void;
}) {
  const { phrase, before, pack, onEdit, onClose } = props;
  const { lang } = useWords();
  const check = useCheck(pack, phrase.phraseId);
  const change = (more: Partial<Phrase>) => onEdit?.(withPhrase(pack, { ...phrase, ...more }));
  const context = (key: 'needs' | 'unless', text: string) => {
    const { [key]: _old, ...rest } = phrase.context ?? {};
    const list = lines(text);
    const next = { ...rest, ...(list.length > 0 ? { [key]: list } : {}) };
    const { context: _context, ...bare } = phrase;
    onEdit?.(withPhrase(pack, Object.keys(next).length > 0 ? { ...bare, context: next } : bare));
  };
  const categories = Object.keys(pack.rules)
    .filter((name) => name.startsWith('speech_'))
    .map((name) => name.slice('speech_'.length));
  const rule = pack.rules[`speech_${phrase.category}` as keyof RulePack['rules']] as
    | { level?: 'notice' | 'alarm' }
    | undefined;
  const levelWords = (level: 'notice' | 'alarm' | undefined) => sayRules(lang, level ?? 'off');
  return (
    <form class="rules-phrase" onSubmit={(event) => event.preventDefault()}>
      <header>
        <button
          type="button"
          class="plain icon-button rules-back"
          onClick={onClose}
          aria-label={sayRules(lang, 'cancel')}
        >
          <icons.frameBack />
        </button>
        <code>{phrase.phraseId}</code>
        <span class="small">{languageWords(phrase.language, lang)}</span>
        <span class="tile-gap" />
        {before && before !== phrase && (
          <button type="button" class="plain" disabled={!onEdit} onClick={() => onEdit?.(withPhrase(pack, before))}>
            {sayRules(lang, 'undoRemove')}
          </button>
        )}
        <button
          type="button"
          class="plain"
          disabled={!onEdit}
          onClick={() => onEdit?.(withoutPhrase(pack, phrase.phraseId))}
        >
          {sayRules(lang, 'remove')}
        </button>
      </header>
      <fieldset disabled={!onEdit}>
        <div class="rules-pair">
          <Field label={sayRules(lang, 'category')}>
            <select
              name="category"
              value={phrase.category}
              onChange={(event) => change({ category: event.currentTarget.value as Phrase['category'] })}
            >
              {[...new Set([...categories, phrase.category])].map((one) => (
                <option key={one} value={one}>
                  {categoryWords(one, lang)}
                </option>
              ))}
            </select>
          </Field>
          <Field label={sayRules(lang, 'gravity')}>
            <select
              name="gravity"
              value={phrase.gravity ?? ''}
              onChange={(event) => {
                const { gravity: _old, ...bare } = phrase;
                const { value } = event.currentTarget;
                onEdit?.(withPhrase(pack, value === '' ? bare : { ...bare, gravity: value as 'notice' | 'alarm' }));
              }}
            >
              <option value="">{sayRules(lang, 'asCategory', { level: levelWords(rule?.level) })}</option>
              <option value="notice">{sayRules(lang, 'notice')}</option>
              <option value="alarm">{sayRules(lang, 'alarm')}</option>
            </select>
          </Field>
          {!before && (
            <Field label={sayRules(lang, 'language')}>
              <select
                name="language"
                value={phrase.language}
                onChange={(event) => change({ language: event.currentTarget.value })}
              >
                <option value="zh-CN">{languageWords('zh-CN', lang)}</option>
                <option value="en">{languageWords('en', lang)}</option>
              </select>
            </Field>
          )}
        </div>
        <Field label={sayRules(lang, 'forms')} hint={sayRules(lang, 'formsHint')}>
          <Lines
            name="forms"
            language={phrase.language}
            rows={Math.max(3, phrase.forms.length + 1)}
            values={phrase.forms}
            onValues={(text) => change({ forms: lines(text) })}
          />
        </Field>
        {check.answer?.ok === false ? (
          <RefusedLine what={sayRules(lang, 'checkFailed')} refusal={check.answer.refusal} onRetry={check.again} />
        ) : (
          <Lint check={check.answer?.value} phraseId={phrase.phraseId} />
        )}
        <div class="rules-pair">
          <Field label={sayRules(lang, 'unless')} hint={sayRules(lang, 'contextHint')}>
            <Lines
              name="unless"
              language={phrase.language}
              rows={4}
              values={phrase.context?.unless ?? []}
              onValues={(text) => context('unless', text)}
            />
          </Field>
          <Field label={sayRules(lang, 'needs')}>
            <Lines
              name="needs"
              language={phrase.language}
              rows={4}
              values={phrase.context?.needs ?? []}
              onValues={(text) => context('needs', text)}
            />
          </Field>
        </div>
        <Field label={sayRules(lang, 'citation')}>
          <textarea
            name="citation"
            rows={2}
            value={phrase.citation}
            onInput={(event) => change({ citation: event.currentTarget.value })}
          />
        </Field>
      </fieldset>
    </form>
  );
}

function Field({ label, hint, children }: { label: string; hint?: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children
    <label class="rules-field">
      <span>{label}</span>
      {children}
      {hint && <small>{hint}</small>}
    </label>
  );
}

/** A list as lines; what is typed stays as it is typed, empty lines too. */
function Lines(props: {
  readonly name: string;
  readonly language: string;
  readonly rows: number;
  readonly values: readonly string[];
  readonly onValues: (text: string) => void;
}) {
  const { name, language, rows, values, onValues } = props;
  const [text, setText] = useState(values.join('\n'));
  const meant = JSON.stringify(values);
  // Changed from outside (restored): not by these keys.
  useEffect(() => {
    setText((now) => (JSON.stringify(lines(now)) === meant ? now : (JSON.parse(meant) as string[]).join('\n')));
  }, [meant]);
  return (
    <textarea
      name={name}
      lang={language}
      rows={rows}
      spellcheck={false}
      value={text}
      onInput={(event) => {
        const { value } = event.currentTarget;
        setText(value);
        onValues(value);
      }}
    />
  );
}

/** What the cloud says of this phrase, or why it says nothing; undefined while it is asked. */
function useCheck(pack: DraftPack, phraseId: string): { answer: Answer<CheckView> | undefined; again: () => void } {
  const desk = useDesk();
  const [answer, setAnswer] = useState<Answer<CheckView>>();
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let over = false;
    setAnswer(undefined);
    const timer = setTimeout(() => {
      void desk.client.rules.check(pack, phraseId).then((said) => {
        if (!over) setAnswer(said);
      });
    }, CHECK_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [desk, pack, phraseId, tries]);
  return { answer, again: () => setTries(tries + 1) };
}

/** Shown at once; the rest is counted. */
const SHOWN = 5;

function Lint({ check, phraseId }: { check: CheckView | undefined; phraseId: string }) {
  const { lang } = useWords();
  if (!check)
    return (
      <p class="rules-lint small" role="status">
        {sayRules(lang, 'checking')}
      </p>
    );
  const problems = check.problems.filter((one) => one.phraseId === phraseId);
  const said = new Set<string>();
  const findings = check.findings.flatMap((one) => {
    // Two phrases that sound alike are found from both sides: it is one thing to say.
    const other = one.phraseId === phraseId ? one.otherId : one.phraseId;
    const words =
      one.kind === 'short'
        ? sayRules(lang, 'shortForm')
        : one.kind === 'everyday'
          ? sayRules(lang, 'everyday', { against: one.against })
          : sayRules(lang, 'neighbour', {
              id: other ?? '',
              against: one.phraseId === phraseId ? one.against : one.form,
            });
    const form = one.phraseId === phraseId ? one.form : one.against;
    const key = one.kind === 'neighbour' ? `${other}` : one.kind === 'short' ? `${words} ${one.form}` : words;
    if (said.has(key)) return [];
    said.add(key);
    return [{ key, words: `${words}${sayRules(lang, 'formed', { form })}` }];
  });
  if (problems.length === 0 && findings.length === 0)
    return (
      <p class="rules-lint rules-clean" role="status">
        ✓ {sayRules(lang, 'clean')}
      </p>
    );
  const more = Math.max(0, findings.length - SHOWN) + check.more;
  return (
    <ul class="rules-lint" role="status">
      {problems.map(({ words }) => (
        <li key={words.en} class="rules-problem">
          ✕ {sentence(words, lang)}
        </li>
      ))}
      {findings.slice(0, SHOWN).map(({ key, words }) => (
        <li key={key} class="rules-finding">
          ! {words}
        </li>
      ))}
      {more > 0 && <li class="small">{sayRules(lang, 'moreFindings', { n: more })}</li>}
    </ul>
  );
}
