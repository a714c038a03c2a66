/** A place that is proposed for a seat, on the room editor's picture. */
import { bounds, type Polygon } from '../../../protocol/seat.ts';
import type { Board } from './room-stage.tsx';

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
