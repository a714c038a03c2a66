/** Designed emptiness: nothing there, still loading, refused, failed. Says what happened, what is safe, what to do. */
import type { ComponentChildren } from 'preact';
import type { Refusal, RefusalKind } from '../state/client.ts';
import { sentence } from '../words/words.ts';
import type { WordKey } from '../words/zh.ts';
import { useWords } from './use.ts';

export function Blank({
  title,
  children,
  tone = 'calm',
}: {
  title: string;
  children?: ComponentChildren;
  tone?: 'calm' | 'ours';
}) {
  return (
    <div class={`blank blank-${tone}`} role="status">
      <p class="blank-title">{title}</p>
      {children && <div class="blank-note">{children}</div>}
    </div>
  );
}

export function Loading() {
  const { t } = useWords();
  return (
    <div class="blank blank-loading" role="status" aria-busy="true">
      <span class="loading-bar" aria-hidden="true" />
      <p class="blank-note">{t('loading')}</p>
    </div>
  );
}

const WORDS: Readonly<Record<RefusalKind, WordKey>> = {
  unauthorised: 'refusedUnauthorised',
  forbidden: 'refusedForbidden',
  absent: 'refusedAbsent',
  invalid: 'refusedInvalid',
  busy: 'refusedBusy',
  unreachable: 'refusedUnreachable',
  server: 'refusedServer',
};

/** What a refusal says: the cloud's own sentence first, ours where it had none. */
export function useRefusal(): (refusal: Refusal) => string {
  const { lang, t } = useWords();
  return (refusal) => (refusal.said ? sentence(refusal.said.message, lang) : '') || t(WORDS[refusal.kind]);
}

/** In a line, where a whole page would be too much: what could not be had, why, and the way to ask again. */
export function RefusedLine({ what, refusal, onRetry }: { what?: string; refusal: Refusal; onRetry?: () => void }) {
  const { t } = useWords();
  const words = useRefusal();
  return (
    <p class="refused-line" role="alert">
      <span>
        {what}
        {words(refusal)}
      </span>
      {onRetry && (
        <button type="button" class="plain" onClick={onRetry}>
          {t('retry')}
        </button>
      )}
    </p>
  );
}

export function Refused({ title, refusal, onRetry }: { title: string; refusal: Refusal; onRetry?: () => void }) {
  const { t } = useWords();
  const words = useRefusal();
  return (
    <div class={refusal.kind === 'absent' ? 'blank' : 'blank blank-ours'} role="alert">
      <p class="blank-title">{title}</p>
      <p class="blank-note">{words(refusal)}</p>
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          {t('retry')}
        </button>
      )}
    </div>
  );
}
