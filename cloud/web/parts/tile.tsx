/** One room on the wall: plan or picture, what is going on, its last ten minutes, and what is wrong with its equipment. */

import { useState } from 'preact/hooks';
import { bounds } from '../../../protocol/seat.ts';
import type { AlertView, RoomCard } from '../../http/api.ts';
import { formatAddress } from '../address.ts';
import { snapshotUrl } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { type Fault, faultsOf, isSilent } from '../state/faults.ts';
import { compareAlerts, isOurFault } from '../state/order.ts';
import { seatSign } from '../state/seat-sign.ts';
import { bytesWords, clockTime, durationWords, type Lang } from '../words/time.ts';
import { blindWords, whyWords } from '../words/why.ts';
import { faultWords, languageWords, say, seatShort, sentence } from '../words/words.ts';
import { AlertMark, RoomTime, Running } from './marks.tsx';
import { PlanDrawing } from './plan.tsx';
import { PhaseChip, Quiet } from './session-chip.tsx';
import { Strip } from './strip.tsx';
import { useWords } from './use.ts';

export function faultLine(fault: Fault, zone: string, nowMs: number, lang: Lang): string {
  switch (fault.kind) {
    case 'offline':
      return say(lang, 'faultOffline', { time: clockTime(fault.sinceWallMs, zone, nowMs, lang) });
    case 'never_heard':
      return say(lang, 'faultNeverHeard');
    case 'blind':
      return fault.fault
        ? say(lang, 'faultBlindBy', {
            camera: fault.cameraId,
            fault: blindWords(fault, lang),
          })
        : say(lang, 'faultBlind', { camera: fault.cameraId });
    case 'not_recording':
      return say(lang, 'faultNotRecording', { camera: fault.cameraId });
    case 'deaf':
      return say(lang, fault.slow ? 'faultDeafSlow' : 'faultDeaf', { language: languageWords(fault.language, lang) });
    case 'unconfirmed':
      return say(lang, 'faultUnconfirmed', { language: languageWords(fault.language, lang) });
    case 'sound':
      return say(lang, 'faultSound', { microphone: fault.microphoneId, fault: faultWords(fault.fault, lang) });
    case 'clock':
      return say(lang, 'faultClock');
    case 'floor':
      return say(lang, 'faultFloor', { camera: fault.cameraId });
    case 'outbox_full':
      return say(lang, 'faultOutboxFull');
    case 'outbox_old':
      return say(lang, 'faultOutboxOld', { n: fault.events, time: durationWords(fault.oldestMs, lang) });
    case 'disk_low':
      return say(lang, 'faultDisk', { bytes: bytesWords(fault.freeBytes) });
  }
}

export function Faults({ room }: { room: RoomCard }) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const zone = room.state?.layout.timeZone ?? 'Asia/Shanghai';
  const faults = faultsOf(room, desk.knownNow.value);
  if (faults.length === 0) return null;
  return (
    <ul class="faults" aria-label={t('ourFault')}>
      {faults.map((fault) => {
        const words = faultLine(fault, zone, desk.nowMs(), lang);
        return (
          <li
            key={words}
            class="fault"
            data-fault={fault.kind}
            title={fault.kind === 'deaf' ? whyWords(fault.why, fault.reason, lang) : undefined}
          >
            {words}
          </li>
        );
      })}
    </ul>
  );
}

export function Tile({ room, alerts, large }: { room: RoomCard; alerts: readonly AlertView[]; large: boolean }) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const silent = isSilent(room, desk.knownNow.value);
  const history = desk.feed.value?.histories.get(room.roomId);
  const live = alerts.filter((alert) => alert.state !== 'closed').sort(compareAlerts);
  const going = live.filter((alert) => alert.phase !== 'end' || alert.state === 'open');
  const open = live.filter((alert) => alert.state === 'open' && !isOurFault(alert.behaviour));
  const alarms = open.filter((alert) => alert.level === 'alarm').length;
  const seats = room.state?.layout.seats ?? [];
  const signs = seats
    .map((seat) => seatSign(room, seat.seatId, live, silent))
    .filter((sign) => sign.state !== 'absent');
  const present = signs.filter((sign) => sign.state === 'present').length;
  const shown = desk.shows.value;
  const evaluation = desk.feed.value?.sessions.get(room.roomId);
  return (
    <article
      class={`tile ${large ? 'tile-large' : ''} ${alarms > 0 ? 'tile-alarm' : open.length > 0 ? 'tile-notice' : ''} ${silent ? 'tile-silent' : ''}`}
      data-room-id={room.roomId}
      aria-label={room.name}
    >
      <header class="tile-head">
        <h2>
          <a
            href={formatAddress({ page: 'queue', room: room.roomId })}
            onClick={(event) => {
              event.preventDefault();
              desk.go({ page: 'queue', room: room.roomId });
            }}
          >
            {room.name}
          </a>
        </h2>
        {evaluation && (
          <a
            class="tile-phase"
            href={formatAddress({ page: 'sessions', room: room.roomId })}
            title={evaluation.title}
            onClick={(event) => {
              event.preventDefault();
              desk.go({ page: 'sessions', room: room.roomId });
            }}
          >
            <PhaseChip evaluation={evaluation} />
          </a>
        )}
        {room.state && (
          <span class="tile-pack" title={t('rulePack')}>
            {t('rulePack')} {room.state.rulePack.name}
          </span>
        )}
        <span class="tile-gap" />
        {desk.mayAct() && (
          <a
            class="tile-setup"
            href={formatAddress({ page: 'setup', room: room.roomId })}
            title={t('setup')}
            onClick={(event) => {
              event.preventDefault();
              desk.go({ page: 'setup', room: room.roomId });
            }}
          >
            {t('setup')}
          </a>
        )}
        {!silent && signs.length > 0 && (
          <span class="tile-count">{t('attended', { n: present, all: signs.length })}</span>
        )}
        {open.length > 0 && (
          <span class={`tile-open ${alarms > 0 ? 'is-alarm' : ''}`}>{t('openCount', { n: open.length })}</span>
        )}
      </header>
      <Faults room={room} />
      {evaluation && <Quiet evaluation={evaluation} room={room} />}
      <div class="tile-views">
        {(large || shown === 'plan') && <PlanDrawing room={room} alerts={live} silent={silent} />}
        {(large || shown === 'picture') && <Picture room={room} alerts={live} silent={silent} />}
      </div>
      <ol class="tile-now">
        {going.slice(0, large ? 4 : 1).map((alert) => (
          <li key={alert.episodeId}>
            <a
              href={formatAddress({ page: 'queue', episodeId: alert.episodeId })}
              onClick={(event) => {
                event.preventDefault();
                desk.go({ page: 'queue', episodeId: alert.episodeId });
              }}
            >
              <AlertMark alert={alert} size={14} />
              <span class="tile-now-words" title={sentence(alert.sentence, lang)}>
                {sentence(alert.sentence, lang)}
              </span>
              <Running alert={alert} />
            </a>
          </li>
        ))}
        {going.length === 0 && <li class="tile-quiet">{silent ? ' ' : t('quietNow')}</li>}
      </ol>
      <Strip room={room} history={history} alerts={alerts} large={large} />
    </article>
  );
}

function Picture({ room, alerts, silent }: { room: RoomCard; alerts: readonly AlertView[]; silent: boolean }) {
  const { t } = useWords();
  // A camera's picture has its own shape, and its seats are drawn in shares of it.
  const [shape, setShape] = useState(16 / 9);
  const newest = [...room.snapshots].sort((a, b) => (a.cameraId < b.cameraId ? -1 : 1))[0];
  if (!newest) return <div class="picture picture-none">{t('noPicture')}</div>;
  const seats = room.state?.layout.seats ?? [];
  return (
    <figure class={`picture ${silent ? 'picture-old' : ''}`}>
      <div class="picture-frame" style={{ '--shape': shape }}>
        <img
          src={snapshotUrl(room.roomId, newest)}
          alt={room.name}
          decoding="async"
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setShape(naturalWidth / Math.max(1, naturalHeight))
          }
        />
        <svg viewBox="0 0 160 90" preserveAspectRatio="none" aria-hidden="true">
          {seats.map((seat) => {
            const view = seat.views.find((one) => one.cameraId === newest.cameraId);
            if (!view) return null;
            const sign = seatSign(room, seat.seatId, alerts, silent);
            const points = view.zone.map(([x, y]) => `${x * 160},${y * 90}`).join(' ');
            const [x0, y0] = bounds(view.zone);
            return (
              <g
                key={seat.seatId}
                class={`outline outline-${sign.state} ${sign.level ? `outline-${sign.level}` : ''} ${sign.quiet ? 'quiet' : ''}`}
              >
                <polygon points={points} vector-effect="non-scaling-stroke" />
                <text x={x0 * 160 + 1.5} y={y0 * 90 + 5}>
                  {seatShort(seat.name, seat.seatId)}
                </text>
              </g>
            );
          })}
        </svg>
        <figcaption>
          {newest.cameraId} · <RoomTime wallMs={newest.wallMs} room={room} />
        </figcaption>
      </div>
    </figure>
  );
}
