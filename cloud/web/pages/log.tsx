/** The append-only log: who did what, newest first, and whether its chain of hashes holds. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { LogEntryView, RefusedView } from '../../http/api.ts';
import { RoomTime } from '../parts/marks.tsx';
import { Blank, Loading, Refused, RefusedLine } from '../parts/states.tsx';
import { useWords } from '../parts/use.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { actorWords, logWords } from '../words/words.ts';

const PAGE = 100;

export function LogPage() {
  const desk = useDesk();
  const { lang, t } = useWords();
  const [entries, setEntries] = useState<readonly LogEntryView[]>();
  const [holds, setHolds] = useState(true);
  const [done, setDone] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const q = (desk.place.value.q ?? '').toLowerCase();
  const room = desk.plates.value.values().next().value;

  const load = useCallback(
    async (before: number | undefined) => {
      const answer = await desk.client.log(before, PAGE);
      if (!answer.ok) return setRefusal(answer.refusal);
      setRefusal(undefined);
      setEntries((known) => [...(before === undefined ? [] : (known ?? [])), ...answer.value.entries]);
      setHolds((sofar) => (before === undefined ? true : sofar) && answer.value.chainHolds);
      setDone(answer.value.entries.length < PAGE);
    },
    [desk],
  );
  useEffect(() => void load(undefined), [load]);

  if (refusal && !entries)
    return <Refused title={t('logTitle')} refusal={refusal} onRetry={() => void load(undefined)} />;
  if (!entries) return <Loading />;
  const shown = entries.filter(
    (entry) =>
      q === '' ||
      `${entry.actor} ${actorWords(entry.actor, lang).words} ${logWords(entry.action, lang)} ${entry.object}`
        .toLowerCase()
        .includes(q),
  );
  return (
    <div class="log">
      <header class="log-head">
        <div>
          <h1>{t('logTitle')}</h1>
          <p class="small">{t('logLead')}</p>
        </div>
        <p class={holds ? 'chain chain-holds' : 'chain chain-broken'} role="status">
          {holds ? '✓ ' : '✕ '}
          {t(holds ? 'chainHolds' : 'chainBroken')}
        </p>
      </header>
      {entries.length === 0 ? (
        <Blank title={t('logEmpty')} />
      ) : (
        <table class="log-table log-entries">
          <thead>
            <tr>
              <th scope="col" class="num">
                #
              </th>
              <th scope="col">{t('time')}</th>
              <th scope="col">{t('who')}</th>
              <th scope="col">{t('what')}</th>
              <th scope="col">{t('object')}</th>
              <th scope="col">{t('hash')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((entry) => (
              <tr key={entry.seq}>
                <td class="num">{entry.seq}</td>
                <td>
                  <RoomTime wallMs={entry.wallMs} room={room} />
                </td>
                <Actor actor={entry.actor} />
                <td>{logWords(entry.action, lang)}</td>
                <td class="log-object">{entry.object}</td>
                <td>
                  <code>{entry.hash.slice(0, 12)}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <RefusedReports />
      {refusal && <Refused title={t('logTitle')} refusal={refusal} onRetry={() => void load(entries.at(-1)?.seq)} />}
      {!done && !refusal && (
        <p class="log-more">
          <button type="button" class="button" onClick={() => void load(entries.at(-1)?.seq)}>
            {t('more')}
          </button>
        </p>
      )}
    </div>
  );
}

function Actor({ actor }: { actor: string }) {
  const { lang } = useWords();
  const { words, person } = actorWords(actor, lang);
  return <td class={person ? undefined : 'log-machine'}>{words}</td>;
}

/** Shown only where there is something: most clouds never refuse anything. */
function RefusedReports() {
  const desk = useDesk();
  const { t } = useWords();
  const [view, setView] = useState<RefusedView>();
  const [refusal, setRefusal] = useState<Refusal>();
  const may = desk.mayAct();
  const load = useCallback(async () => {
    const answer = await desk.client.refused();
    if (answer.ok) setView(answer.value);
    setRefusal(answer.ok ? undefined : answer.refusal);
  }, [desk]);
  useEffect(() => {
    if (may) void load();
  }, [load, may]);
  if (!may) return <p class="small log-refused">{t('refusedOnly')}</p>;
  if (refusal)
    return (
      <section class="log-refused">
        <h2>{t('refusedTitle')}</h2>
        <RefusedLine refusal={refusal} onRetry={() => void load()} />
      </section>
    );
  if (!view || view.total + view.quarantined === 0) return null;
  return (
    <section class="log-refused">
      <h2>{t('refusedTitle')}</h2>
      <p class="small">
        {t('refusedLead', { n: view.total, q: view.quarantined })}
        {view.total > view.refused.length && ` ${t('refusedNewest', { n: view.refused.length })}`}
      </p>
      <table class="log-table">
        <thead>
          <tr>
            <th scope="col">{t('time')}</th>
            <th scope="col">{t('room')}</th>
            <th scope="col">{t('refusedWhy')}</th>
            <th scope="col">{t('refusedRaw')}</th>
          </tr>
        </thead>
        <tbody>
          {view.refused.map((one, index) => (
            <tr key={`${one.storedWallMs}-${index}`}>
              <td>
                <RoomTime wallMs={one.storedWallMs} room={desk.plates.value.get(one.roomId)} />
              </td>
              <td>{desk.plates.value.get(one.roomId)?.name ?? one.roomId}</td>
              <td>
                {one.reason} <code>{one.code}</code>
              </td>
              <td class="log-object">
                <details>
                  <summary>{one.payload.slice(0, 40)}</summary>
                  <pre>{one.payload}</pre>
                </details>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
