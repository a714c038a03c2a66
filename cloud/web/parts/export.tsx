/** Beside a clip's evidence: a copy for outside eyes, whose heads are blurred, made by the cloud when it is asked for. */
import { useState } from 'preact/hooks';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { useRefusal } from './states.tsx';
import { useWords } from './use.ts';

export function ExportButton({ clipId }: { clipId: string }) {
  const desk = useDesk();
  const { t } = useWords();
  const words = useRefusal();
  const [state, setState] = useState<'idle' | 'making' | { readonly refusal: Refusal }>('idle');
  async function make(): Promise<void> {
    setState('making');
    const answer = await desk.client.exportClip(clipId);
    if (!answer.ok) return setState({ refusal: answer.refusal });
    const url = URL.createObjectURL(answer.value);
    const link = document.createElement('a');
    link.href = url;
    link.download = `${clipId}-copy-heads-blurred.mp4`;
    link.click();
    // The browser reads it after the click.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    setState('idle');
  }
  return (
    <span class="export">
      <button
        type="button"
        class="plain"
        title={t('exportNote')}
        disabled={state === 'making'}
        onClick={() => void make()}
      >
        {t(state === 'making' ? 'exportMaking' : 'exportBlurred')}
      </button>
      {typeof state === 'object' && <span role="alert">{words(state.refusal)}</span>}
    </span>
  );
}
