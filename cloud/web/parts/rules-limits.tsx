/** Thresholds of behaviours: minutes and seconds to set, and the plain sentence of what will happen. */
import { useEffect, useState } from 'preact/hooks';
import type { Rules } from '../../../protocol/rules.ts';
import type { Answer, Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import {
  isTooShort,
  type RuleFields,
  TOPIC_LENGTH,
  TOPICS_MAX,
  topicsOf,
  withRule,
  withTopics,
} from '../state/rules-draft.ts';
import { limitOf, ruleName, ruleSentence, spanWords } from '../words/limits.ts';
import { sayRules } from '../words/rules.ts';
import type { EditorParts } from './rules-phrases.tsx';
import { RefusedLine } from './states.tsx';
import { useWords } from './use.ts';

export function RulesLimits({ base, pack, onEdit }: EditorParts) {
  const desk = useDesk();
  const { lang } = useWords();
  const { rules: shipped, refusal, again } = useShipped();
  const q = (desk.place.value.q ?? '').toLowerCase();
  const names = [...new Set([...Object.keys(base.rules), ...Object.keys(shipped ?? {})])].filter(
    (name) => q === '' || `${ruleName(name, lang)} ${name}`.toLowerCase().includes(q),
  );
  return (
    <div class="rules-limits">
      {refusal && <RefusedLine what={sayRules(lang, 'shippedFailed')} refusal={refusal} onRetry={again} />}
      {names.map((name) => {
        const fields = pack.rules[name as keyof Rules] as RuleFields | undefined;
        const before = base.rules[name as keyof Rules] as RuleFields | undefined;
        return (
          <RuleCard
            key={name}
            name={name}
            fields={fields}
            before={before}
            usual={before ?? (shipped?.[name as keyof Rules] as RuleFields | undefined)}
            {...(onEdit ? { onFields: (next: RuleFields | undefined) => onEdit(withRule(pack, name, next)) } : {})}
          />
        );
      })}
      <article class="rules-rule">
        <div class="rules-rule-head">
          <h2>{sayRules(lang, 'cooldown')}</h2>
        </div>
        <Time
          name="cooldownMs"
          ms={pack.cooldownMs}
          {...(onEdit ? { onMs: (ms: number) => onEdit({ ...pack, cooldownMs: ms }) } : {})}
        />
      </article>
    </div>
  );
}

/** The product's own rules: what a rule begins with that this pack has switched off. */
function useShipped() {
  const desk = useDesk();
  const [rules, setRules] = useState<Rules>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let over = false;
    const ask = async (): Promise<Answer<Rules | undefined>> => {
      const list = await desk.client.rules.list();
      if (!list.ok) return list;
      const found = list.value.versions.find(({ name }) => name === 'default');
      if (!found) return { ok: true, value: undefined };
      const answer = await desk.client.rules.pack(found);
      return answer.ok ? { ok: true, value: answer.value.pack.rules } : answer;
    };
    void ask().then((answer) => {
      if (over) return;
      if (answer.ok) setRules(answer.value);
      setRefusal(answer.ok ? undefined : answer.refusal);
    });
    return () => {
      over = true;
    };
  }, [desk, tries]);
  return { rules, refusal, again: () => setTries(tries + 1) };
}

function RuleCard(props: {
  readonly name: string;
  readonly fields: RuleFields | undefined;
  readonly before: RuleFields | undefined;
  readonly usual: RuleFields | undefined;
  readonly onFields?: (fields: RuleFields | undefined) => void;
}) {
  const { name, fields, before, usual, onFields } = props;
  const { lang } = useWords();
  const keys = Object.keys(fields ?? {}).filter((key) => key !== 'citation' && key !== 'topics');
  const plain = keys.filter((key) => !limitOf(key).deep);
  const deep = keys.filter((key) => limitOf(key).deep);
  const changed = JSON.stringify(fields) !== JSON.stringify(before);
  const one = (key: string) => (
    <Figure
      key={key}
      name={key}
      value={fields?.[key]}
      before={before?.[key]}
      {...(onFields && fields ? { onValue: (value: unknown) => onFields({ ...fields, [key]: value }) } : {})}
    />
  );
  return (
    <article class={fields ? 'rules-rule' : 'rules-rule is-off'} data-rule={name}>
      <div class="rules-rule-head">
        <h2>{ruleName(name, lang)}</h2>
        {changed && <span class="tag rules-draft">{sayRules(lang, 'edited')}</span>}
        <span class="tile-gap" />
        <label class="rules-switch">
          <input
            type="checkbox"
            checked={fields !== undefined}
            disabled={!onFields || !usual}
            onChange={() => onFields?.(fields ? undefined : usual)}
          />
          <span>{sayRules(lang, 'ruleOn')}</span>
        </label>
      </div>
      {fields ? (
        <>
          <p class="rules-sentence">{ruleSentence(name, fields, lang)}</p>
          <div class="rules-figures">{plain.map(one)}</div>
          {name === 'off_subject' && <Topics fields={fields} {...(onFields ? { onFields } : {})} />}
          <details>
            <summary>{sayRules(lang, 'advanced')}</summary>
            <div class="rules-figures">{deep.map(one)}</div>
            <label class="rules-field">
              <span>{sayRules(lang, 'citation')}</span>
              <textarea
                rows={2}
                disabled={!onFields}
                value={String(fields.citation ?? '')}
                onInput={(event) => onFields?.({ ...fields, citation: event.currentTarget.value })}
              />
            </label>
          </details>
        </>
      ) : (
        <p class="small">{sayRules(lang, 'ruleOff')}</p>
      )}
    </article>
  );
}

function Figure(props: {
  readonly name: string;
  readonly value: unknown;
  readonly before: unknown;
  readonly onValue?: (value: unknown) => void;
}) {
  const { name, value, before, onValue } = props;
  const { lang } = useWords();
  const { words, kind, unit, optional } = limitOf(name);
  const pick = (pair: readonly [string, string]) => pair[lang === 'zh' ? 0 : 1];
  const shown = (one: unknown) =>
    one === null || one === undefined
      ? sayRules(lang, 'off')
      : kind === 'time'
        ? spanWords(Number(one), lang)
        : kind === 'share'
          ? `${Math.round(Number(one) * 100)} %`
          : kind === 'level'
            ? sayRules(lang, one === 'alarm' ? 'alarm' : 'notice')
            : kind === 'told'
              ? sayRules(lang, one === 'notice' ? 'notice' : 'off')
              : String(one);
  const on = typeof value === 'number';
  // Where a figure comes back after having been off.
  const usual = typeof before === 'number' ? before : kind === 'time' ? 60_000 : 3;
  return (
    <div class="rules-figure" data-figure={name}>
      <span class="rules-figure-name">
        {optional ? (
          <label>
            <input type="checkbox" checked={on} disabled={!onValue} onChange={() => onValue?.(on ? null : usual)} />{' '}
            {pick(words)}
          </label>
        ) : (
          pick(words)
        )}
      </span>
      {kind === 'level' || kind === 'told' ? (
        <select
          value={String(value)}
          disabled={!onValue}
          aria-label={pick(words)}
          onChange={(event) => onValue?.(event.currentTarget.value)}
        >
          {kind === 'told' && <option value="off">{sayRules(lang, 'off')}</option>}
          <option value="notice">{sayRules(lang, 'notice')}</option>
          {kind === 'level' && <option value="alarm">{sayRules(lang, 'alarm')}</option>}
        </select>
      ) : !on ? (
        <span class="small">{sayRules(lang, 'off')}</span>
      ) : kind === 'time' ? (
        <Time name={name} ms={value} {...(onValue ? { onMs: onValue } : {})} />
      ) : (
        <span class="rules-number">
          <input
            type="number"
            min={0}
            step={kind === 'whole' ? 1 : kind === 'share' ? 1 : 0.1}
            aria-label={pick(words)}
            disabled={!onValue}
            value={kind === 'share' ? Math.round(value * 100) : value}
            onInput={(event) => {
              const number = event.currentTarget.valueAsNumber;
              if (Number.isFinite(number)) onValue?.(kind === 'share' ? number / 100 : number);
            }}
          />
          <span class="small">{kind === 'share' ? '%' : unit ? pick(unit) : ''}</span>
        </span>
      )}
      {before !== undefined && before !== value && (
        <span class="small rules-was">{sayRules(lang, 'was', { value: shown(before) })}</span>
      )}
    </div>
  );
}

function Time({ name, ms, onMs }: { name: string; ms: number; onMs?: (ms: number) => void }) {
  const { lang } = useWords();
  const seconds = ms / 1000;
  const [min, s] = [Math.floor(seconds / 60), Math.round((seconds % 60) * 10) / 10];
  const set = (minutes: number, rest: number) => {
    if (Number.isFinite(minutes) && Number.isFinite(rest) && minutes >= 0 && rest >= 0)
      onMs?.(Math.round((minutes * 60 + rest) * 1000));
  };
  return (
    <span class="rules-time">
      <input
        type="number"
        name={`${name}-min`}
        min={0}
        max={1440}
        step={1}
        aria-label={sayRules(lang, 'minutes')}
        disabled={!onMs}
        value={min}
        onInput={(event) => set(event.currentTarget.valueAsNumber || 0, s)}
      />
      <span class="small">{sayRules(lang, 'minutes')}</span>
      <input
        type="number"
        name={`${name}-s`}
        min={0}
        max={59.9}
        step={1}
        aria-label={sayRules(lang, 'seconds')}
        disabled={!onMs}
        value={s}
        onInput={(event) => set(min, event.currentTarget.valueAsNumber || 0)}
      />
      <span class="small">{sayRules(lang, 'seconds')}</span>
    </span>
  );
}

/** Words of what is bought: what of them counts is said while somebody types. */
function Topics({ fields, onFields }: { fields: RuleFields; onFields?: (fields: RuleFields) => void }) {
  const { lang } = useWords();
  const topics = topicsOf(fields);
  const [short, long] = [topics.filter(isTooShort), topics.filter((word) => word.length > TOPIC_LENGTH)];
  const joined = (words: readonly string[]) => words.join(lang === 'zh' ? '、' : ', ');
  return (
    <label class="rules-field" data-topics>
      <span>{sayRules(lang, 'topics')}</span>
      <textarea
        name="topics"
        rows={2}
        disabled={!onFields}
        placeholder={sayRules(lang, 'topicsHint')}
        defaultValue={topics.join('、')}
        onInput={(event) => onFields?.(withTopics(fields, event.currentTarget.value))}
      />
      <small class={topics.length > TOPICS_MAX ? 'rules-problem' : ''}>
        {sayRules(lang, 'topicsHow', { max: TOPICS_MAX, length: TOPIC_LENGTH, n: topics.length })}
      </small>
      {short.length > 0 && (
        <small class="rules-problem">{sayRules(lang, 'topicsShort', { words: joined(short) })}</small>
      )}
      {long.length > 0 && <small class="rules-problem">{sayRules(lang, 'topicsLong', { words: joined(long) })}</small>}
    </label>
  );
}
