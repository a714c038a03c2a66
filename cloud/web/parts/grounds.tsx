/** The grounds of an alert: since when, by which rule, which figures, which words, what went before, how sound the evidence is. */
import type { ComponentChildren } from 'preact';
import type { EpisodeBody, Figure } from '../../../protocol/event.ts';
import type { AlertDetailView, AlertView, RoomCard } from '../../http/api.ts';
import { useDesk } from '../state/desk.ts';
import { durationWords } from '../words/time.ts';
import { behaviourWords, causeWords, faultWords, figureWords, languageWords, valueWords } from '../words/words.ts';
import { Part } from './course.tsx';
import { BelongsTo } from './event-evaluation.tsx';
import { ExportButton } from './export.tsx';
import { Heard } from './heard.tsx';
import { RoomTime, runningMs } from './marks.tsx';
import { useWords } from './use.ts';

export interface GroundsProps {
  readonly alert: AlertView;
  readonly detail: AlertDetailView;
  readonly room: RoomCard | undefined;
}

export function Grounds({ alert, detail, room }: GroundsProps) {
  const { lang, t } = useWords();
  const bodies = bodiesOf(detail);
  const last = bodies.at(-1);
  const heard = bodies.findLast((body) => body.transcript)?.transcript;
  const gone = bodies.findLast((body) => body.wordsRemoved)?.wordsRemoved;
  return (
    <>
      <dl class="facts">
        <Fact name={t('since')}>
          <RoomTime wallMs={alert.beganWallMs} room={room} />
        </Fact>
        <Fact name={t('howLong')}>
          <Lasting alert={alert} />
          <span class={alert.phase === 'end' ? 'ended' : 'running'}>
            {' '}
            {t(alert.phase === 'end' ? 'ended' : 'goingOn')}
          </span>
        </Fact>
        <Fact name={t('room')}>{room?.name ?? alert.roomId}</Fact>
        <BelongsTo alert={alert} room={room} />
        {alert.sourceId && <Fact name={t('source')}>{alert.sourceId}</Fact>}
        {alert.fault && <Fact name={t('fault')}>{faultWords(alert.fault, lang)}</Fact>}
      </dl>
      {last && (
        <Part title={t('rule')}>
          <blockquote>{last.rule.citation}</blockquote>
          <p class="small">
            {t('rulePackOf', {
              pack: last.rule.pack,
              version: last.rule.packVersion,
              rule: behaviourWords(last.behaviour, lang),
            })}
          </p>
        </Part>
      )}
      {last && last.figures.length > 0 && (
        <Part title={t('figures')}>
          <Figures figures={gravest(bodies)?.figures ?? last.figures} />
        </Part>
      )}
      {!heard && gone && (
        <Part title={t('transcript')}>
          <p class="words-gone" lang={lang}>
            {t(gone.afterDays === 1 ? 'wordsGoneDay' : 'wordsGone', { days: String(gone.afterDays) })}
          </p>
          <p class="small">
            {t(gone.by === 'box' ? 'wordsGoneBox' : 'wordsGoneCloud')} <RoomTime wallMs={gone.wallMs} room={room} />
          </p>
        </Part>
      )}
      {heard && (
        <Part title={t('transcript')}>
          <Heard transcript={heard} />
          <p class="small">
            {t('transcriptBy', { engine: heard.engine, language: languageWords(heard.language, lang) })}
          </p>
        </Part>
      )}
      <Evidence detail={detail} room={room} />
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The episode's own events, oldest first. */
export function bodiesOf(detail: AlertDetailView): readonly EpisodeBody[] {
  return detail.events.flatMap((event) => (event.body.kind === 'episode' ? [event.body] : []));
}

/** The newest event of the gravest level: what it says is what fired, not how it ended. */
export function gravest(bodies: readonly EpisodeBody[]): EpisodeBody | undefined {
  const fired = bodies.filter((body) => body.phase !== 'end');
  const pool = fired.length > 0 ? fired : bodies;
  const alarms = pool.filter((body) => body.level === 'alarm');
  return (alarms.length > 0 ? alarms : pool).at(-1);
}

function Figures({ figures }: { figures: readonly Figure[] }) {
  const { lang, t } = useWords();
  return (
    <ul class="figures">
      {figures.map((figure) => {
        const { value, threshold, unit } = figure;
        const top = threshold === undefined ? 0 : Math.max(value, threshold) * 1.15;
        // A bar begins at zero: a score below zero has none, only its numbers.
        const bar = threshold !== undefined && value >= 0 && threshold >= 0 && top > 0;
        return (
          <li key={figure.name}>
            <span class="figure-name">{figureWords(figure.name, lang)}</span>
            <span class="figure-value">{valueWords(figure.name, value, unit, lang)}</span>
            {threshold !== undefined && (
              <>
                {bar && (
                  <svg class="figure-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="figure-ground" width="100" height="8" />
                    <rect class="figure-fill" width={(value / top) * 100} height="8" />
                    <line x1={(threshold / top) * 100} x2={(threshold / top) * 100} y1="0" y2="8" />
                  </svg>
                )}
                <span class="figure-threshold">
                  {t('threshold', { value: valueWords(figure.name, threshold, unit, lang) })}
                </span>
              </>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** How long it has gone on, running while it does. */
function Lasting({ alert }: { alert: AlertView }) {
  const { now } = useDesk();
  const { lang } = useWords();
  return <>{durationWords(alert.phase === 'end' ? alert.durationMs : runningMs(alert, now.value), lang)}</>;
}

function Evidence({ detail, room }: { detail: AlertDetailView; room: RoomCard | undefined }) {
  const { lang, t } = useWords();
  const doubtful = detail.events.some((event) => event.at.clock === 'doubtful');
  return (
    <Part title={t('evidence')}>
      <ul class="evidence">
        {detail.clips.map(({ clip, ready, storedWallMs }) => (
          <li key={clip.clipId}>
            <span>
              {causeWords(clip.cause, lang)} · {clip.cameraId}
            </span>
            <span class={ready ? 'good' : 'coming'}>
              {ready ? (
                <>
                  ✓ {t('evidenceVerified')}
                  {storedWallMs !== undefined && (
                    <>
                      {' '}
                      <RoomTime wallMs={storedWallMs} room={room} />
                    </>
                  )}
                </>
              ) : (
                `… ${t('evidenceComing')}`
              )}
            </span>
            <code title={t('evidenceHash')}>
              {clip.files.find((file) => file.name === 'clip.mp4')?.sha256.slice(0, 16)}…
            </code>
            {ready && <ExportButton clipId={clip.clipId} />}
          </li>
        ))}
        <li class={doubtful ? 'ours' : ''}>{t(doubtful ? 'evidenceClock' : 'evidenceClockOk')}</li>
      </ul>
      <h3>{t('viewedBy')}</h3>
      {detail.views.length === 0 ? (
        <p class="small">{t('viewedNone')}</p>
      ) : (
        <ul class="views">
          {detail.views.slice(0, 5).map((view) => (
            <li key={`${view.wallMs} ${view.clipId} ${view.userName}`}>
              <span>{view.userName}</span>
              <RoomTime wallMs={view.wallMs} room={room} />
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}
