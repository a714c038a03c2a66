/** What the draft would have silenced or raised among the stored events, each with its way to the event. */
import { useState } from 'preact/hooks';
import type { Behaviour } from '../../../protocol/event.ts';
import type { PackName, RerunFindingView, RerunView } from '../../http/rules-api.ts';
import { formatAddress } from '../address.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import type { DraftPack } from '../state/rules-draft.ts';
import { sayRules } from '../words/rules.ts';
import { clockTime, durationWords } from '../words/time.ts';
import { behaviourWords } from '../words/words.ts';
import { RefusedLine } from './states.tsx';
import { useWords } from './use.ts';

const ORDER = ['silenced', 'milder', 'moved', 'graver', 'sure', 'raised'] as const;

export function RulesEffect({ pack, base }: { pack: DraftPack; base: PackName }) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const [room, setRoom] = useState(desk.place.value.room ?? '');
  const [found, setFound] = useState<{ pack: DraftPack; view: RerunView }>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const compare = async () => {
    setBusy(true);
    const answer = await desk.client.rules.rerun(pack, base, room);
    setBusy(false);
    setRefusal(answer.ok ? undefined : answer.refusal);
    setFound(answer.ok ? { pack, view: answer.value } : undefined);
  };
  // Of another draft than the one on screen: not shown.
  const view = found?.pack === pack ? found.view : undefined;
  return (
    <div class="rules-card rules-effect">
      <p>{sayRules(lang, 'effectLead')}</p>
      <div class="rules-ask">
        <select
          aria-label={sayRules(lang, 'effectRoom')}
          value={room}
          onChange={(event) => setRoom(event.currentTarget.value)}
        >
          <option value="">{t('allRooms')}</option>
          {[...desk.plates.value.values()].map((one) => (
            <option key={one.roomId} value={one.roomId}>
              {one.name}
            </option>
          ))}
        </select>
        <button type="button" class="button primary" disabled={busy} onClick={() => void compare()}>
          {sayRules(lang, busy ? 'comparing' : 'compare')}
        </button>
      </div>
      {refusal && <RefusedLine refusal={refusal} />}
      {view && (
        <div role="status" data-findings={view.findings.length}>
          <p class="small">
            {sayRules(lang, 'effectCount', { episodes: view.episodes, excerpts: view.excerpts })}
            {view.unread > 0 && ` ${sayRules(lang, 'unread', { n: view.unread })}`}
            {view.leftOut > 0 && ` ${sayRules(lang, 'leftOut', { n: view.leftOut })}`}
          </p>
          {view.findings.length === 0 && <p class="rules-nothing">{sayRules(lang, 'effectNone')}</p>}
          {ORDER.map((change) => {
            const own = view.findings.filter((one) => one.change === change);
            return own.length === 0 ? null : (
              <section key={change}>
                <h2 class="rules-category">
                  {sayRules(lang, change)}
                  <span class="small">{sayRules(lang, 'phrasesN', { n: own.length })}</span>
                </h2>
                <ul class="rules-findings">
                  {own.map((one, index) => (
                    <Finding key={`${one.episodeId} ${index}`} finding={one} />
                  ))}
                </ul>
              </section>
            );
          })}
          {view.more > 0 && <p class="small">{sayRules(lang, 'moreFindings', { n: view.more })}</p>}
        </div>
      )}
      <p class="small">{sayRules(lang, 'effectLimit')}</p>
    </div>
  );
}

function Finding({ finding }: { finding: RerunFindingView }) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const { episodeId, roomId, behaviour, beganWallMs, durationMs, change, before, after, hit, excerpt } = finding;
  const room = desk.plates.value.get(roomId);
  const zone = room?.state?.layout.timeZone ?? 'Asia/Shanghai';
  return (
    <li class="rules-effect-row" data-change={change}>
      <a href={formatAddress({ page: 'queue', episodeId })}>
        <span class="rules-effect-what">
          {behaviourWords(behaviour as Behaviour, lang)}
          {finding.suspected && <span class="tag tag-suspected">{t('suspected')}</span>}
        </span>
        <span class="small">
          {room?.name ?? roomId} · {clockTime(beganWallMs, zone, desk.nowMs(), lang)}
          {excerpt === undefined ? ` · ${durationWords(durationMs, lang)}` : ''}
          {before && after && before !== after
            ? ` · ${sayRules(lang, 'levels', { before: sayRules(lang, before), after: sayRules(lang, after) })}`
            : ''}
        </span>
        {excerpt !== undefined && (
          <span class="rules-said">
            {hit ? (
              <>
                {excerpt.slice(0, hit.from)}
                <mark>{excerpt.slice(hit.from, hit.to)}</mark>
                {excerpt.slice(hit.to)} <code>{hit.phraseId}</code>
              </>
            ) : (
              excerpt
            )}
          </span>
        )}
      </a>
    </li>
  );
}
