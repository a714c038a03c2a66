/** The signs of the desk: level, fault, running time. Shape says it first, colour second, words third. */

import type { Level } from '../../../protocol/event.ts';
import type { AlertView, RoomCard } from '../../http/api.ts';
import { useDesk } from '../state/desk.ts';
import { isOurFault } from '../state/order.ts';
import { agoWords, clockTime, durationWords, timer } from '../words/time.ts';
import { useWords } from './use.ts';

/** Alarm: filled square with a corner mark. Notice: amber ring. Fault of ours: violet stripes. Quiet once acknowledged. */
export function LevelMark({
  level,
  fault,
  quiet,
  size = 16,
}: {
  level: Level;
  fault: boolean;
  quiet: boolean;
  size?: number;
}) {
  const { t } = useWords();
  const label = `${fault ? `${t('ourFault')} ` : ''}${t(level)}`;
  return (
    <svg
      class={`mark ${quiet ? 'quiet' : ''}`}
      viewBox="0 0 16 16"
      width={size}
      height={size}
      role="img"
      aria-label={label}
    >
      {fault ? (
        <>
          <rect class="mark-fault" x="1.5" y="1.5" width="13" height="13" rx="2" />
          <path class="mark-stripe" d="M2 10L10 2M4 14L14 4M9 14l5-5" />
          {level === 'alarm' && <path class="mark-corner" d="M9 1h6v6z" />}
        </>
      ) : level === 'alarm' ? (
        <>
          <rect class="mark-alarm" x="1" y="1" width="14" height="14" rx="2" />
          <path class="mark-corner" d="M8.5 1H15v6.5z" />
        </>
      ) : (
        <circle class="mark-notice" cx="8" cy="8" r="5.5" />
      )}
    </svg>
  );
}

export function AlertMark({ alert, size }: { alert: AlertView; size?: number }) {
  return (
    <LevelMark
      level={alert.level}
      fault={isOurFault(alert.behaviour)}
      quiet={alert.state !== 'open'}
      {...(size === undefined ? {} : { size })}
    />
  );
}

/** How long an alert has gone on by now: runs on while it goes on, by what the server counted up to its last event. */
export function runningMs(alert: AlertView, nowMs: number): number {
  if (alert.phase === 'end') return alert.durationMs;
  return alert.durationMs + Math.max(0, nowMs - alert.lastStoredWallMs);
}

/** `▸ 1:06` running, or how long it lasted. */
export function Running({ alert }: { alert: AlertView }) {
  const { now } = useDesk();
  const { lang, t } = useWords();
  if (alert.phase === 'end')
    return (
      <span class="ended" title={`${t('ended')} · ${durationWords(alert.durationMs, lang)}`}>
        {timer(alert.durationMs)}
      </span>
    );
  const ms = runningMs(alert, now.value);
  return (
    <span class="running" title={`${t('goingOn')} · ${durationWords(ms, lang)}`}>
      <span class="running-dot" aria-hidden="true" />
      {timer(ms)}
    </span>
  );
}

export function Ago({ wallMs }: { wallMs: number }) {
  const { now } = useDesk();
  const { lang } = useWords();
  return <>{agoWords(now.value - wallMs, lang)}</>;
}

/** A time in the room's own zone. */
export function RoomTime({ wallMs, room }: { wallMs: number; room: RoomCard | undefined }) {
  const desk = useDesk();
  const { lang } = useWords();
  const zone = room?.state?.layout.timeZone ?? 'Asia/Shanghai';
  return <time dateTime={new Date(wallMs).toISOString()}>{clockTime(wallMs, zone, desk.nowMs(), lang)}</time>;
}
