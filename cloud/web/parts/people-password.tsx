/** The own password: the present one, the next one twice. */
import { useState } from 'preact/hooks';
import { PASSWORD_MIN } from '../../http/people-api.ts';
import { useDesk } from '../state/desk.ts';
import { peopleWords } from '../words/people.ts';
import { useRefusal } from './states.tsx';
import { useWords } from './use.ts';

export function PasswordForm() {
  const desk = useDesk();
  const { lang, t } = useWords();
  const refusalWords = useRefusal();
  const [said, setSaid] = useState<{ readonly good: boolean; readonly words: string }>();
  const gate = desk.gate.value;

  async function change(form: HTMLFormElement): Promise<void> {
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? '');
    if (text('next').length < PASSWORD_MIN)
      return setSaid({ good: false, words: t('passwordShort', { n: PASSWORD_MIN }) });
    if (text('next') !== text('again')) return setSaid({ good: false, words: t('passwordDiffers') });
    const answer = await desk.client.password(text('present'), text('next'));
    if (answer.ok) form.reset();
    setSaid({ good: answer.ok, words: answer.ok ? peopleWords(lang, 'changed') : refusalWords(answer.refusal) });
  }
  return (
    <form
      class="people-password"
      onSubmit={(event) => {
        event.preventDefault();
        void change(event.currentTarget);
      }}
    >
      <h3>{peopleWords(lang, 'changePassword')}</h3>
      {/* For the browser's own memory of passwords. */}
      <input
        class="unseen"
        name="username"
        autocomplete="username"
        tabIndex={-1}
        readOnly
        value={gate.kind === 'open' ? gate.user.name : ''}
        aria-hidden="true"
      />
      <div class="people-fields">
        <label>
          <span>{peopleWords(lang, 'present')}</span>
          <input name="present" type="password" autocomplete="current-password" required />
        </label>
        <label>
          <span>{peopleWords(lang, 'next')}</span>
          <input name="next" type="password" autocomplete="new-password" required />
        </label>
        <label>
          <span>{peopleWords(lang, 'nextAgain')}</span>
          <input name="again" type="password" autocomplete="new-password" required />
        </label>
        <button type="submit" class="button">
          {peopleWords(lang, 'changePassword')}
        </button>
      </div>
      {said && (
        <p class={said.good ? 'note-plain' : 'door-wrong'} role={said.good ? 'status' : 'alert'}>
          {said.words}
        </p>
      )}
    </form>
  );
}
