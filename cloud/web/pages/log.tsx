/** The append-only log: who did what, newest first, and whether its chain of hashes holds. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { LogEntryView } from '../../http/api.ts';
import { RoomTime } from '../parts/marks.tsx';
import { Blank, Loading, Refused } from '../parts/states.tsx';
import { useWords } from '../parts/use.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { logWords } from '../words/words.ts';

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
    (entry) => q === '' || `${entry.actor} ${logWords(entry.action, lang)} ${entry.object}`.toLowerCase().includes(q),
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
        <table class="log-table">
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
                <td>{entry.actor}</td>
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
