/** Rules: packs and their versions, a draft that is checked while it is written, tried before it counts, and published into rooms. */
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { RulePack } from '../../../protocol/rules.ts';
import type { PackName, PackVersionView, RulesView } from '../../http/rules-api.ts';
import { RulesEffect } from '../parts/rules-effect.tsx';
import { RulesLimits } from '../parts/rules-limits.tsx';
import { RulesPacks } from '../parts/rules-packs.tsx';
import { RulesPhrases } from '../parts/rules-phrases.tsx';
import { RulesRooms } from '../parts/rules-rooms.tsx';
import { RulesSave } from '../parts/rules-save.tsx';
import { RulesTry } from '../parts/rules-try.tsx';
import { Blank, Loading, Refused, RefusedLine } from '../parts/states.tsx';
import { useWords } from '../parts/use.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { packFileUrl } from '../state/rules-client.ts';
import {
  changeCount,
  type Draft,
  type DraftPack,
  keepDraft,
  keptDraft,
  nameText,
  sameName,
} from '../state/rules-draft.ts';
import { type RulesKey, sayRules } from '../words/rules.ts';

const TABS = ['phrases', 'limits', 'try', 'effect', 'rooms'] as const;
type Tab = (typeof TABS)[number];
const TAB_WORDS: Readonly<Record<Tab, RulesKey>> = {
  phrases: 'tabPhrases',
  limits: 'tabLimits',
  try: 'tabTry',
  effect: 'tabEffect',
  rooms: 'tabRooms',
};
/** What runs where is looked at so often; the rooms' own states come by the live line. */
const LOOK_MS = 10_000;

export function RulesPage() {
  const desk = useDesk();
  const { lang } = useWords();
  const [view, setView] = useState<RulesView>();
  const [refusal, setRefusal] = useState<Refusal>();
  const load = useCallback(async () => {
    const answer = await desk.client.rules.list();
    if (answer.ok) setView(answer.value);
    setRefusal(answer.ok ? undefined : answer.refusal);
  }, [desk]);
  useEffect(() => {
    if (!desk.mayAct()) return;
    void load();
    const timer = setInterval(() => void load(), LOOK_MS);
    return () => clearInterval(timer);
  }, [desk, load]);

  if (!desk.mayAct()) return <Blank title={sayRules(lang, 'onlySupervisors')} />;
  if (!view)
    return refusal ? (
      <Refused title={sayRules(lang, 'packs')} refusal={refusal} onRetry={() => void load()} />
    ) : (
      <Loading />
    );
  return <RulesDesk view={view} stale={refusal} onView={setView} onChange={load} />;
}

interface DeskProps {
  readonly view: RulesView;
  /** Why the list could not be read anew. */
  readonly stale: Refusal | undefined;
  readonly onView: (view: RulesView) => void;
  readonly onChange: () => Promise<void>;
}

function RulesDesk({ view, stale, onView, onChange }: DeskProps) {
  const desk = useDesk();
  const { lang } = useWords();
  const [draft, setDraft] = useState<Draft | undefined>(keptDraft);
  const [saving, setSaving] = useState(false);
  const [saved, setSaved] = useState<PackVersionView>();
  const [kept, setKept] = useState(true);
  const place = desk.place.value;
  const tab: Tab = TABS.find((one) => one === place.tab) ?? 'phrases';
  const named = nameOf(place.pack);
  const chosen =
    view.versions.find((one) => sameName(one, named)) ??
    view.versions.find((one) => sameName(one, draft?.base)) ??
    view.versions.find((one) => view.rooms.some(({ running }) => sameName(running, one))) ??
    view.versions[0];
  const base = usePack(chosen);
  const ownDraft = chosen && sameName(draft?.base, chosen) ? draft : undefined;
  const pack = ownDraft?.pack ?? base.pack;
  const changes = useMemo(
    () => (base.pack && ownDraft ? changeCount(base.pack, ownDraft.pack) : 0),
    [base.pack, ownDraft],
  );

  const go = (next: { pack?: PackName; tab?: Tab }, replace = false) => {
    const { q: _q, ...rest } = place;
    setSaved(undefined);
    const name = next.pack ?? chosen;
    desk.go(
      { ...rest, page: 'rules', tab: next.tab ?? tab, ...(name ? { pack: `${name.name}@${name.version}` } : {}) },
      replace,
    );
  };
  const keep = (next: Draft | undefined) => {
    setKept(keepDraft(next));
    setDraft(next);
  };
  const edit = (next: DraftPack) => {
    if (!chosen || !base.pack) return;
    const { name, version } = chosen;
    keep(changeCount(base.pack, next) === 0 ? undefined : { base: { name, version }, pack: next });
  };

  const unsafe = draft !== undefined && !kept;
  useEffect(() => {
    if (!unsafe) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [unsafe]);

  if (!chosen) return <Blank title={sayRules(lang, 'packs')} />;
  const blocked = draft !== undefined && !ownDraft;
  const parts = pack && base.pack ? { base: base.pack, pack, chosen, ...(blocked ? {} : { onEdit: edit }) } : undefined;
  return (
    <div class="rules">
      <RulesPacks view={view} chosen={chosen} draft={draft} onChoose={(name) => go({ pack: name })} />
      <section class="rules-main">
        <header class="rules-head">
          <div class="rules-title">
            <h1>
              {lang === 'zh' ? chosen.title.zh : chosen.title.en} <span class="rules-version">{nameText(chosen)}</span>
            </h1>
            <p class="small">
              {ownDraft ? (
                <span class="tag rules-draft" data-draft={changes}>
                  {sayRules(lang, 'draft')} · {sayRules(lang, 'changedN', { n: changes })}
                </span>
              ) : (
                sayRules(lang, 'readOnly')
              )}
            </p>
          </div>
          <span class="tile-gap" />
          <a class="button" href={packFileUrl(chosen)} download title={sayRules(lang, 'downloadHint')}>
            {sayRules(lang, 'download')}
          </a>
          {ownDraft && <Discard onDiscard={() => keep(undefined)} />}
          <button
            type="button"
            class="button primary"
            disabled={!ownDraft || !base.pack}
            onClick={() => setSaving(true)}
          >
            {sayRules(lang, 'saveAs')}
          </button>
        </header>
        {named && !sameName(named, chosen) && (
          <p class="rules-note" role="status">
            {sayRules(lang, 'noVersion', { name: nameText(named), shown: nameText(chosen) })}
          </p>
        )}
        {stale && <RefusedLine what={sayRules(lang, 'stale')} refusal={stale} onRetry={() => void onChange()} />}
        {unsafe && (
          <p class="rules-note" role="alert" data-kept="no">
            {sayRules(lang, 'notKept')}
          </p>
        )}
        {blocked && draft && (
          <p class="rules-note" role="status">
            {sayRules(lang, 'otherDraft', { name: nameText(draft.base) })}
            <button type="button" class="button" onClick={() => go({ pack: draft.base })}>
              {sayRules(lang, 'openDraft')}
            </button>
            <Discard onDiscard={() => keep(undefined)} />
          </p>
        )}
        {saved && (
          <p class="rules-note rules-good" role="status">
            ✓ {sayRules(lang, 'saved', { name: saved.name, version: saved.version })}
          </p>
        )}
        <nav class="rules-tabs" aria-label={sayRules(lang, 'packs')}>
          {TABS.map((one) => (
            <button
              key={one}
              type="button"
              class="rules-tab"
              aria-current={tab === one ? 'page' : undefined}
              onClick={() => go({ tab: one })}
            >
              {sayRules(lang, TAB_WORDS[one])}
            </button>
          ))}
        </nav>
        {base.refusal && <Refused title={nameText(chosen)} refusal={base.refusal} onRetry={base.retry} />}
        {!parts && !base.refusal && <Loading />}
        {parts && tab === 'phrases' && <RulesPhrases {...parts} />}
        {parts && tab === 'limits' && <RulesLimits {...parts} />}
        {parts && tab === 'try' && <RulesTry pack={parts.pack} view={view} />}
        {parts && tab === 'effect' && <RulesEffect pack={parts.pack} base={chosen} />}
        {tab === 'rooms' && (
          <RulesRooms view={view} chosen={chosen} hasDraft={ownDraft !== undefined} onView={onView} />
        )}
      </section>
      {saving && ownDraft && base.pack && (
        <RulesSave
          draft={ownDraft}
          base={base.pack}
          chosen={chosen}
          versions={view.versions}
          onClose={() => setSaving(false)}
          onSaved={(version) => {
            setSaving(false);
            keep(undefined);
            void onChange().then(() => {
              go({ pack: version, tab: 'rooms' });
              setSaved(version);
            });
          }}
        />
      )}
    </div>
  );
}

/** Twice, since what is typed is gone then. */
function Discard({ onDiscard }: { onDiscard: () => void }) {
  const { lang } = useWords();
  const [sure, setSure] = useState(false);
  return (
    <button
      type="button"
      class="button"
      onBlur={() => setSure(false)}
      onClick={() => {
        if (sure) onDiscard();
        setSure(!sure);
      }}
    >
      {sayRules(lang, sure ? 'dropSure' : 'dropDraft')}
    </button>
  );
}

/** The pack of a version: it never changes, so it is asked for once. */
function usePack(name: PackName | undefined) {
  const desk = useDesk();
  const [packs, setPacks] = useState<ReadonlyMap<string, RulePack>>(new Map());
  const [refusal, setRefusal] = useState<Refusal>();
  const [tries, setTries] = useState(0);
  const key = name ? nameText(name) : '';
  const pack = packs.get(key);
  useEffect(() => {
    if (!name || pack) return;
    let over = false;
    setRefusal(undefined);
    void desk.client.rules.pack(name).then((answer) => {
      if (over) return;
      if (answer.ok) setPacks((known) => new Map(known).set(key, answer.value.pack));
      else setRefusal(answer.refusal);
    });
    return () => {
      over = true;
    };
  }, [desk, key, pack, tries]);
  return { pack, refusal: pack ? undefined : refusal, retry: () => setTries(tries + 1) };
}

/** `name@version` of the address. */
function nameOf(text: string | undefined): PackName | undefined {
  const at = text?.lastIndexOf('@') ?? -1;
  return text === undefined || at < 1 ? undefined : { name: text.slice(0, at), version: text.slice(at + 1) };
}
