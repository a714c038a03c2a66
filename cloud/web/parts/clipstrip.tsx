/** The strip under the player: occupancy of the seats concerned, words as they fall, marks of the events; drag to scrub. */
import type { RefObject } from 'preact';
import type { ClipManifest, Overlay } from '../../../protocol/clip.ts';
import { isAddition, type Occupancy } from '../../../protocol/event.ts';
import type { AlertView, RoomCard, StoredEvent } from '../../http/api.ts';
import { useDesk } from '../state/desk.ts';
import { clockTime, timer } from '../words/time.ts';
import { seatWords } from '../words/words.ts';
import { useSize, useWords } from './use.ts';

export interface Run {
  readonly fromMs: number;
  readonly toMs: number;
  readonly occupancy: Occupancy;
}

/** Occupancy of one seat over a clip as runs of equal value. */
export function runsOf(overlay: Overlay, seatId: string, durationMs: number): readonly Run[] {
  const runs: { fromMs: number; toMs: number; occupancy: Occupancy }[] = [];
  for (const frame of overlay.frames) {
    const occupancy = frame.seats[seatId] ?? 'unknown';
    const last = runs.at(-1);
    if (last) last.toMs = frame.tMs;
    if (!last || last.occupancy !== occupancy) runs.push({ fromMs: last ? frame.tMs : 0, toMs: frame.tMs, occupancy });
  }
  const last = runs.at(-1);
  if (last) last.toMs = Math.max(last.toMs, durationMs);
  return runs;
}

export interface ClipStripProps {
  readonly clip: ClipManifest;
  readonly overlay: Overlay | undefined;
  readonly alert: AlertView;
  readonly events: readonly StoredEvent[];
  readonly room: RoomCard | undefined;
  /** Moved by the player for every picture, without drawing the strip anew. */
  readonly head: RefObject<SVGGElement | null>;
  readonly onScrub: (tMs: number) => void;
}

const LANE = 18;

export function ClipStrip({ clip, overlay, alert, events, room, head, onScrub }: ClipStripProps) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const [ref, width] = useSize<HTMLDivElement>();
  const duration = Math.max(1, clip.durationMs);
  const x = (tMs: number) => Math.max(0, Math.min(width, (tMs / duration) * width));
  const zone = room?.state?.layout.timeZone ?? 'Asia/Shanghai';
  const all = overlay?.seats.map((seat) => seat.seatId) ?? [];
  const seats = (alert.seatIds.length > 0 ? alert.seatIds : []).filter((seatId) => all.includes(seatId)).slice(0, 3);
  const words = overlay?.words ?? [];
  const wordsTop = seats.length * LANE;
  const marksTop = wordsTop + (words.length > 0 ? LANE : 0);
  const height = marksTop + LANE;
  const marks = events.flatMap((event) => {
    if (event.body.kind !== 'episode' || isAddition(event.body)) return [];
    const tMs = event.at.wallMs - clip.beginWallMs;
    return tMs < 0 || tMs > duration
      ? []
      : [{ id: event.eventId, tMs, phase: event.body.phase, level: event.body.level }];
  });
  const began = alert.beganWallMs - clip.beginWallMs;

  const scrub = (event: PointerEvent & { currentTarget: Element }) => {
    const box = event.currentTarget.getBoundingClientRect();
    onScrub(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * duration);
  };
  return (
    <div class="clipstrip">
      <div class="clipstrip-names" aria-hidden="true">
        {seats.map((seatId) => (
          <span key={seatId}>{seatWords(room?.state?.layout, seatId, lang)}</span>
        ))}
        {words.length > 0 && <span>{t('wordsLine')}</span>}
        <span>{t('marksLine')}</span>
      </div>
      <div
        class="clipstrip-lines"
        ref={ref}
        style={{ height: `${height}px` }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          scrub(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) scrub(event);
        }}
      >
        {width > 0 && (
          <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
            {seats.map((seatId, row) => (
              <g key={seatId} transform={`translate(0 ${row * LANE})`}>
                {overlay &&
                  runsOf(overlay, seatId, duration).map((run) => {
                    const [x0, w] = [x(run.fromMs), Math.max(0.5, x(run.toMs) - x(run.fromMs))];
                    if (run.occupancy === 'yes')
                      return <rect key={run.fromMs} class="strip-yes" x={x0} y="5" width={w} height="9" />;
                    if (run.occupancy === 'unknown')
                      return <rect key={run.fromMs} fill="url(#hatch)" x={x0} y="5" width={w} height="9" />;
                    return (
                      <rect
                        key={run.fromMs}
                        class="strip-no"
                        x={x0 + 0.5}
                        y="5.5"
                        width={Math.max(0.5, w - 1)}
                        height="8"
                      />
                    );
                  })}
              </g>
            ))}
            <g transform={`translate(0 ${wordsTop})`}>
              {words.map((word) => (
                <g key={`${word.tMs} ${word.text}`} transform={`translate(${x(word.tMs)} 0)`}>
                  <rect class={word.hit ? 'word-hit' : 'word'} x="0" y="3" width={word.hit ? 3 : 2} height="12" />
                  <title>{word.text}</title>
                </g>
              ))}
            </g>
            <g transform={`translate(0 ${marksTop})`}>
              <line class="strip-base" x1="0" x2={width} y1={LANE / 2} y2={LANE / 2} />
              {began >= 0 && began <= duration && (
                <line class="clip-began" x1={x(began)} x2={x(began)} y1={-marksTop} y2={LANE} />
              )}
              {marks.map((mark) => (
                <path
                  key={mark.id}
                  class={`clip-mark clip-mark-${mark.level}`}
                  transform={`translate(${x(mark.tMs)} ${LANE / 2})`}
                  d={
                    mark.phase === 'begin'
                      ? 'M-4-6L5 0L-4 6z'
                      : mark.phase === 'end'
                        ? 'M-4-4h8v8h-8z'
                        : 'M0-6L5 0L0 6L-5 0z'
                  }
                >
                  <title>
                    {t(mark.phase === 'begin' ? 'phaseBegin' : mark.phase === 'end' ? 'phaseEnd' : 'phaseUpdate')}
                  </title>
                </path>
              ))}
            </g>
            <g ref={head} class="clip-head">
              <line x1="0" x2="0" y1="0" y2={height} />
              <path d="M-5 0h10l-5 6z" />
            </g>
          </svg>
        )}
      </div>
      <div class="clipstrip-axis" aria-hidden="true">
        <span>{clockTime(clip.beginWallMs, zone, desk.nowMs(), lang)}</span>
        <span>{timer(duration)}</span>
        <span>{clockTime(clip.endWallMs, zone, desk.nowMs(), lang)}</span>
      </div>
    </div>
  );
}
