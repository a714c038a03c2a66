/** What was done in an evaluation, newest first. */
import type { RoomCard } from '../../http/api.ts';
import type { StepView } from '../../http/sessions-api.ts';
import { stepWords } from '../words/session.ts';
import { RoomTime } from './marks.tsx';
import { whoseWords } from './session-chip.tsx';
import { useWords } from './use.ts';

export function Steps({ steps, room }: { steps: readonly StepView[]; room: RoomCard | undefined }) {
  const { lang } = useWords();
  return (
    <ol class="steps">
      {[...steps].reverse().map((step) => (
        <li key={step.n}>
          <RoomTime wallMs={step.wallMs} room={room} />
          <span>{stepWords(step, whoseWords(step.permit ?? {}, room, lang), lang)}</span>
          <span class="small">{step.actor}</span>
        </li>
      ))}
    </ol>
  );
}
