/** The verdict bar: always in view, at the thumb on a phone; says which key does the same. */
import { useState } from 'preact/hooks';
import { type ActionKind, type AlertView, NOTE_MAX } from '../../http/api.ts';
import { useDesk } from '../state/desk.ts';
import { sessionWords } from '../words/session.ts';
import { verdictWords } from '../words/words.ts';
import type { WordKey } from '../words/zh.ts';
import { useWords } from './use.ts';

const VERDICTS: readonly (readonly [ActionKind, WordKey, string])[] = [
  ['confirm', 'confirm', '1'],
  ['false', 'false', '2'],
  ['unclear', 'unclear', '3'],
];
const STEPS: readonly (readonly [ActionKind, WordKey, string])[] = [
  ['acknowledge', 'acknowledge', 'A'],
  ['escalate', 'escalate', 'E'],
];

export interface VerdictBarProps {
  readonly alert: AlertView;
  readonly pending: ActionKind | undefined;
  readonly failed: string | undefined;
  readonly onAct: (kind: ActionKind, note?: string) => Promise<boolean>;
}

export function VerdictBar({ alert, pending, failed, onAct }: VerdictBarProps) {
  const { lang, t } = useWords();
  const may = useDesk().mayAct();
  const [note, setNote] = useState('');
  const given = alert.verdict === 'confirmed' ? 'confirm' : alert.verdict;
  const act = async (kind: ActionKind) => {
    const saved = await onAct(kind, note.trim() || undefined);
    if (saved) setNote('');
  };
  const button = ([kind, words, key]: readonly [ActionKind, WordKey, string]) => {
    const done =
      kind === given ||
      (kind === 'acknowledge' && alert.state === 'acknowledged') ||
      (kind === 'escalate' && alert.escalated);
    return (
      <button
        key={kind}
        type="button"
        class={`button verdict-${kind}`}
        data-action={kind}
        aria-pressed={done}
        aria-keyshortcuts={key}
        disabled={!may || pending !== undefined || (kind === 'acknowledge' && alert.state !== 'open')}
        onClick={() => void act(kind)}
      >
        {done && <span aria-hidden="true">✓ </span>}
        {t(words)}
        <kbd>{key}</kbd>
      </button>
    );
  };
  return (
    <footer class="verdict">
      {failed && (
        <p class="verdict-failed" role="alert">
          {failed}
        </p>
      )}
      <div class="verdict-row">
        <div class="verdict-group">{VERDICTS.map(button)}</div>
        <div class="verdict-group">{STEPS.map(button)}</div>
        <input
          class="verdict-note"
          value={note}
          disabled={!may}
          maxLength={NOTE_MAX}
          aria-label={t('note')}
          placeholder={may ? t('noteHint') : sessionWords(lang, 'readOnly')}
          onInput={(event) => setNote(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && note.trim()) void act('note');
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
        <span class="unseen" role="status">
          {alert.verdict ? t('verdictIs', { verdict: verdictWords(alert.verdict, lang) }) : ''}
        </span>
      </div>
    </footer>
  );
}
