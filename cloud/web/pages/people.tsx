/** People: who may enter and as what, one-time links for those who are invited, and the own password. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import {
  PERSON_NAME_MAX,
  type PersonLinkView,
  type PersonRole,
  type PersonView,
  ROLES,
} from '../../http/people-api.ts';
import { RoomTime } from '../parts/marks.tsx';
import { PasswordForm } from '../parts/people-password.tsx';
import { Loading, Refused, RefusedLine, useRefusal } from '../parts/states.tsx';
import { useWords } from '../parts/use.ts';
import type { Answer, Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { peopleWords, roleWords } from '../words/people.ts';

export function PeoplePage() {
  const desk = useDesk();
  const { lang } = useWords();
  const gate = desk.gate.value;
  if (gate.kind !== 'open') return null;
  return (
    <div class="people">
      {desk.mayAct() ? <Everybody me={gate.user.userId} /> : <p class="note-plain">{peopleWords(lang, 'onlyLook')}</p>}
      <article class="card-plain people-me">
        <h2>{peopleWords(lang, 'me')}</h2>
        <p>
          {gate.user.name} <span class="tag">{roleWords(gate.user.role, lang)}</span>
        </p>
        <PasswordForm />
      </article>
    </div>
  );
}

function Everybody({ me }: { me: string }) {
  const desk = useDesk();
  const { lang } = useWords();
  const refusalWords = useRefusal();
  const [people, setPeople] = useState<readonly PersonView[]>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [wrong, setWrong] = useState<string>();
  const [link, setLink] = useState<PersonLinkView>();
  const [adding, setAdding] = useState(false);

  const load = useCallback(async () => {
    const answer = await desk.client.people();
    if (answer.ok) setPeople(answer.value.people);
    setRefusal(answer.ok ? undefined : answer.refusal);
  }, [desk]);
  useEffect(() => void load(), [load]);
  const act = async <T,>(work: Promise<Answer<T>>): Promise<T | undefined> => {
    const answer = await work;
    setWrong(answer.ok ? undefined : refusalWords(answer.refusal));
    await load();
    return answer.ok ? answer.value : undefined;
  };

  if (refusal && !people)
    return <Refused title={peopleWords(lang, 'title')} refusal={refusal} onRetry={() => void load()} />;
  if (!people) return <Loading />;
  return (
    <article class="card-plain">
      <h1>{peopleWords(lang, 'title')}</h1>
      <p class="small">{peopleWords(lang, 'lead')}</p>
      <ul class="people-list">
        {people.map((person) => (
          <PersonRow
            key={person.userId}
            person={person}
            mine={person.userId === me}
            onLink={async () => setLink(await act(desk.client.personLink(person.userId)))}
            onSet={(what) => {
              setLink(undefined);
              return act(desk.client.setPerson(person.userId, what));
            }}
          />
        ))}
      </ul>
      {refusal && <RefusedLine refusal={refusal} onRetry={() => void load()} />}
      {wrong && (
        <p class="door-wrong" role="alert">
          {wrong}
        </p>
      )}
      {link && <LinkShown link={link} />}
      <form
        class="people-add"
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          const fields = new FormData(form);
          const [name, role] = [String(fields.get('name') ?? ''), String(fields.get('role')) as PersonRole];
          setAdding(true);
          void act(desk.client.addPerson(name, role)).then((made) => {
            setAdding(false);
            setLink(made);
            if (made) form.reset();
          });
        }}
      >
        <h2>{peopleWords(lang, 'addTitle')}</h2>
        <p class="small">{peopleWords(lang, 'addNote')}</p>
        <div class="people-fields">
          <label>
            <span>{peopleWords(lang, 'name')}</span>
            <input name="name" required maxLength={PERSON_NAME_MAX} autocomplete="off" />
          </label>
          <label>
            <span>{peopleWords(lang, 'role')}</span>
            <select name="role">
              {ROLES.map((role) => (
                <option key={role} value={role}>
                  {roleWords(role, lang)}
                </option>
              ))}
            </select>
          </label>
          <button type="submit" class="button primary" disabled={adding}>
            {peopleWords(lang, 'add')}
          </button>
        </div>
      </form>
    </article>
  );
}

interface RowProps {
  readonly person: PersonView;
  readonly mine: boolean;
  readonly onLink: () => Promise<void>;
  readonly onSet: (what: 'disable' | 'enable') => Promise<unknown>;
}

function PersonRow({ person, mine, onLink, onSet }: RowProps) {
  const desk = useDesk();
  const { lang } = useWords();
  const [sure, setSure] = useState(false);
  const room = desk.plates.value.values().next().value;
  const out = person.disabledWallMs !== undefined;
  const state = out ? 'disabled' : !person.invited ? 'enabled' : person.linkExpiresWallMs ? 'invited' : 'invitedOver';
  return (
    <li class={`people-row ${out ? 'people-out' : ''}`} data-person={person.name} data-state={state}>
      <span class="people-name">
        <strong>{person.name}</strong> {mine && <span class="small">{peopleWords(lang, 'you')}</span>}
      </span>
      <span class="tag">{roleWords(person.role, lang)}</span>
      <span class="people-state">
        {peopleWords(lang, state)}
        <span class="small">
          {person.invited ? (
            ''
          ) : (
            <>
              {peopleWords(lang, 'lastLogin')}{' '}
              {person.lastLoginWallMs === undefined ? (
                peopleWords(lang, 'never')
              ) : (
                <RoomTime wallMs={person.lastLoginWallMs} room={room} />
              )}
            </>
          )}
        </span>
      </span>
      <span class="people-do">
        {!out && !mine && (
          <button type="button" class="button" data-action="link" onClick={() => void onLink()}>
            {peopleWords(lang, person.invited ? 'linkAgain' : 'link')}
          </button>
        )}
        {out ? (
          <button type="button" class="button" data-action="enable" onClick={() => void onSet('enable')}>
            {peopleWords(lang, 'enable')}
          </button>
        ) : mine ? null : sure ? (
          <>
            <button type="button" class="button" onClick={() => setSure(false)}>
              {peopleWords(lang, 'keep')}
            </button>
            <button
              type="button"
              class="button primary"
              data-action="disable-sure"
              onClick={() => {
                setSure(false);
                void onSet('disable');
              }}
            >
              {peopleWords(lang, 'disableSure')}
            </button>
          </>
        ) : (
          <button type="button" class="button" data-action="disable" onClick={() => setSure(true)}>
            {peopleWords(lang, 'disable')}
          </button>
        )}
      </span>
    </li>
  );
}

/** Shown once: what is kept of it is a hash. */
function LinkShown({ link }: { link: PersonLinkView }) {
  const desk = useDesk();
  const { lang } = useWords();
  const [copied, setCopied] = useState<'copied' | 'copyByHand'>();
  const shown = useRef<HTMLOutputElement>(null);
  const address = `${location.origin}/#invite=${link.token}`;
  return (
    <div class="people-link" role="status">
      <p>{peopleWords(lang, 'linkFor', { name: link.person.name })}</p>
      <output ref={shown} class="boxes-word" data-link>
        {address}
      </output>
      <p class="small">
        {peopleWords(lang, 'linkUntil')}{' '}
        <RoomTime wallMs={link.expiresWallMs} room={desk.plates.value.values().next().value} />
      </p>
      <button
        type="button"
        class="button"
        onClick={() => {
          // A page without TLS on another machine has no clipboard: there the link is marked, to be copied by hand.
          const byHand = () => {
            if (shown.current) getSelection()?.selectAllChildren(shown.current);
            setCopied('copyByHand');
          };
          if (navigator.clipboard) navigator.clipboard.writeText(address).then(() => setCopied('copied'), byHand);
          else byHand();
        }}
      >
        {peopleWords(lang, copied ?? 'copy')}
      </button>
    </div>
  );
}
