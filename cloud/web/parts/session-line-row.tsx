/** One row of the timeline: what was permitted and what happened, and to the right of now the place where a permit is drawn, by pointer or by keys. */
import { useRef } from 'preact/hooks';
import { MINUTES_MAX } from '../state/session-line.ts';

/** Shares of the track in percent. */
export interface Span {
  readonly id: string;
  readonly look: string;
  readonly words: string;
  readonly left: number;
  readonly right: number;
}

export interface LineRowProps {
  readonly row: string;
  readonly name: string;
  readonly label: string;
  /** Minutes that stand or are drawn, and the same in words. */
  readonly value: number;
  readonly words: string;
  readonly spans: readonly Span[];
  readonly below: readonly Span[];
  readonly draft: Pick<Span, 'left' | 'right'> | undefined;
  readonly nowAt: number;
  readonly disabled: boolean;
  readonly onMinutes: (minutes: number) => void;
  /** Minutes from now to a share 0..1 of the track. */
  readonly minutesAt: (share: number) => number;
  readonly onGive: () => void;
  readonly onDrop: () => void;
}

/** A finger that only rests gives nothing. */
const DRAG = 8;
/** Percent of the track below which there is no room for words. */
export const NARROW = 6;
const STEP = 1;
const STRIDE = 5;

export function LineRow(props: LineRowProps) {
  const { value, disabled } = props;
  const track = useRef<HTMLDivElement>(null);
  /** Where the pointer went down, while it is down. */
  const from = useRef<{ readonly x: number; drags: boolean } | undefined>(undefined);
  const place = (span: Pick<Span, 'left' | 'right'>, least = 0) => {
    const left = Math.max(0, span.left);
    return { left: `${left}%`, width: `${Math.max(least, Math.min(100, span.right) - left)}%` };
  };
  const drag = (event: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    const going = from.current;
    if (!box || !going) return;
    if (!going.drags && Math.abs(event.clientX - going.x) < DRAG) return;
    going.drags = true;
    props.onMinutes(props.minutesAt((event.clientX - box.left) / box.width));
  };
  const pressed = (event: KeyboardEvent) => {
    const { key } = event;
    const by = event.shiftKey ? STRIDE : STEP;
    // The first press draws what is given most.
    if (key === 'ArrowRight' || key === 'ArrowUp') props.onMinutes(value === 0 ? STRIDE : value + by);
    else if (key === 'ArrowLeft' || key === 'ArrowDown') props.onMinutes(value - by);
    else if (key === 'PageUp') props.onMinutes(value + 3 * STRIDE);
    else if (key === 'PageDown') props.onMinutes(value - 3 * STRIDE);
    else if (key === 'Home') props.onMinutes(0);
    else if (key === 'Enter') props.onGive();
    else if (key === 'Escape') props.onDrop();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="line-row" data-line-row={props.row}>
      <span class="line-name">{props.name}</span>
      <div
        ref={track}
        class={`line-track ${disabled ? '' : 'line-takes'}`}
        role="slider"
        tabIndex={disabled ? -1 : 0}
        aria-label={props.label}
        aria-valuemin={0}
        aria-valuemax={MINUTES_MAX}
        aria-valuenow={value}
        aria-valuetext={props.words}
        aria-disabled={disabled}
        onKeyDown={disabled ? undefined : pressed}
        onPointerDown={(event) => {
          if (disabled || event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          from.current = { x: event.clientX, drags: false };
        }}
        onPointerMove={drag}
        onPointerUp={() => {
          from.current = undefined;
        }}
        onPointerCancel={() => {
          // The page scrolls: nothing was meant.
          if (from.current?.drags) props.onDrop();
          from.current = undefined;
        }}
      >
        <span class="line-future" style={{ left: `${props.nowAt}%` }} />
        {props.spans.map((span) => (
          <span key={span.id} class={`line-span line-${span.look}`} style={place(span, 0.6)} title={span.words}>
            {span.right - Math.max(0, span.left) > NARROW && span.words}
          </span>
        ))}
        {props.below.map((span) => (
          <span key={span.id} class={`line-mark line-${span.look}`} style={place(span, 0.6)} title={span.words} />
        ))}
        {props.draft && <span class="line-ghost" style={place(props.draft, 0.6)} />}
        <span class="line-now" style={{ left: `${props.nowAt}%` }} />
      </div>
    </div>
  );
}
