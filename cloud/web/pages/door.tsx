/** The door: the first supervisor's set-up with the one-time token, and the login. The address is kept for afterwards. */
import { useState } from 'preact/hooks';
import { PASSWORD_MIN, PERSON_NAME_MAX } from '../../http/people-api.ts';
import { useRefusal } from '../parts/states.tsx';
import { LanguageSwitch, ThemeSwitch } from '../parts/top.tsx';
import { useWords } from '../parts/use.ts';
import { type Gate, useDesk } from '../state/desk.ts';
import { peopleWords } from '../words/people.ts';

export function DoorPage({ gate }: { gate: Extract<Gate, { kind: 'setup' | 'login' | 'invited' }> }) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const refusalWords = useRefusal();
  const [wrong, setWrong] = useState<string>();
  const [busy, setBusy] = useState(false);
  const setup = gate.kind === 'setup';
  const token = gate.kind === 'setup' ? gate.token : undefined;
  const closed = setup && token === undefined;
  const invited = gate.kind === 'invited' ? gate : undefined;
  const chooses = setup || invited !== undefined;

  async function enter(form: HTMLFormElement): Promise<void> {
    const fields = new FormData(form);
    const [name, password] = [String(fields.get('name') ?? '').trim(), String(fields.get('password') ?? '')];
    if (name === '' && !invited) return setWrong(t('nameMissing'));
    if (chooses && password.length < PASSWORD_MIN) return setWrong(t('passwordShort', { n: PASSWORD_MIN }));
    if (chooses && password !== String(fields.get('again') ?? '')) return setWrong(t('passwordDiffers'));
    setWrong(undefined);
    setBusy(true);
    if (invited) {
      const answer = await desk.client.accept(invited.token, password);
      if (answer.ok) await desk.entered(answer.value.user);
      else setWrong(refusalWords(answer.refusal));
      return setBusy(false);
    }
    const answer = await (setup && token !== undefined
      ? desk.client.setup(token, name, password)
      : desk.client.login(name, password));
    // The session is asked for by itself: the answer of the door does not have to carry the user.
    if (answer.ok) await desk.entered(undefined);
    else setWrong(refusalWords(answer.refusal));
    setBusy(false);
  }

  return (
    <div class="door">
      <div class="door-top">
        <LanguageSwitch />
        <ThemeSwitch />
      </div>
      <main class="door-card">
        <p class="door-product">{t('product')}</p>
        <h1>
          {invited
            ? peopleWords(lang, 'inviteTitle', { name: invited.name })
            : setup
              ? t('setupTitle')
              : t('loginTitle')}
        </h1>
        <p class="door-lead">
          {closed
            ? t('setupNoToken')
            : setup
              ? t('setupLead')
              : invited
                ? peopleWords(lang, 'inviteLead')
                : gate.kind === 'login' && gate.expired
                  ? t('sessionExpired')
                  : t('loginLead')}
        </p>
        {!closed && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void enter(event.currentTarget);
            }}
          >
            <label hidden={invited !== undefined}>
              <span>{t('name')}</span>
              <input
                name="name"
                autocomplete="username"
                required
                maxLength={PERSON_NAME_MAX}
                autofocus={!invited}
                defaultValue={invited?.name ?? ''}
              />
            </label>
            <label>
              <span>
                {t('password')}
                {chooses && <small>{t('passwordHint', { n: PASSWORD_MIN })}</small>}
              </span>
              <input
                name="password"
                type="password"
                autocomplete={chooses ? 'new-password' : 'current-password'}
                required
              />
            </label>
            {chooses && (
              <label>
                <span>{t('passwordAgain')}</span>
                <input name="again" type="password" autocomplete="new-password" required />
              </label>
            )}
            {wrong && (
              <p class="door-wrong" role="alert">
                {wrong}
              </p>
            )}
            <button type="submit" class="button primary" disabled={busy}>
              {busy ? t('working') : invited ? peopleWords(lang, 'inviteGo') : setup ? t('create') : t('login')}
            </button>
          </form>
        )}
      </main>
    </div>
  );
}
