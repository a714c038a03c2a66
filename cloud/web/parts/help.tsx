/** The sheet of keys. */
import { useEffect, useRef } from 'preact/hooks';
import type { WordKey } from '../words/zh.ts';
import { useWords } from './use.ts';

const KEYS: readonly (readonly [keys: readonly string[], words: WordKey])[] = [
  [['J', 'K'], 'keyNext'],
  [['Enter'], 'keyOpen'],
  [['Space'], 'keyPlay'],
  [['←', '→'], 'keyFrame'],
  [['1', '2', '3'], 'keyVerdict'],
  [['A'], 'keyAcknowledge'],
  [['E'], 'keyEscalate'],
  [['/'], 'keySearch'],
  [['Esc'], 'keyBack'],
  [['?'], 'keyHelp'],
];

export function HelpSheet({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  return (
    <dialog
      ref={ref}
      class="help"
      aria-label={t('help')}
      onClose={onClose}
      onKeyDown={(event) => {
        if (event.key === '?') onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <h2>{t('help')}</h2>
      <dl>
        {KEYS.map(([keys, words]) => (
          <div key={words}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(words)}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="button" onClick={onClose}>
        {t('close')}
      </button>
    </dialog>
  );
}
