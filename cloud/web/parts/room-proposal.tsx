/** Small parts of the room editor: its keys, and places that are proposed for a seat. */
import { useEffect } from 'preact/hooks';
import { bounds, type Polygon } from '../../../protocol/seat.ts';
import type { Board } from './room-stage.tsx';

/** As useKeys, but with Ctrl, which undo and save need. */
export function useEditorKeys(handle: (event: KeyboardEvent) => boolean): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target instanceof Element ? event.target : undefined;
      const save = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's';
      if (event.defaultPrevented || (!save && target?.closest('input, textarea, select, dialog[open]'))) return;
      if (event.key === 'Enter' && target?.closest('button, a')) return;
      if (handle(event)) event.preventDefault();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  });
}

/** A place where somebody was seen to sit: dashed, with one button to take it. */
export function Proposal({
  zone,
  board,
  label,
  onTake,
}: {
  zone: Polygon;
  board: Board;
  label: string;
  onTake: () => void;
}) {
  const points = zone.map(board.at);
  const [x0, y0, x1, y1] = bounds(points);
  const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return (
    <g class="proposal">
      <polygon points={points.map((p) => p.join()).join(' ')} />
      {/* biome-ignore lint/a11y/useSemanticElements: a button of HTML can not stand in a drawing */}
      <g
        class="proposal-take"
        role="button"
        tabIndex={0}
        aria-label={label}
        onPointerDown={(event) => event.stopPropagation()}
        onClick={onTake}
        onKeyDown={(event) => {
          if (event.key === 'Enter' || event.key === ' ') onTake();
        }}
      >
        <title>{label}</title>
        <circle cx={cx} cy={cy} r="22" />
        <path d={`M${cx - 8} ${cy}h16M${cx} ${cy - 8}v16`} />
      </g>
    </g>
  );
}
