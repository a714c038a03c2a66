/** What is drawn on the editor's picture: seats, desks, zones, door lines, floor points, their handles, the metre grid. */
import { fromFloor, toFloor } from '../../../protocol/floor.ts';
import type { FloorCalibration } from '../../../protocol/room.ts';
import { bounds, type Point } from '../../../protocol/seat.ts';
import type { Draft, Shape } from '../state/draft.ts';
import { roomWords } from '../words/room.ts';
import type { Board } from './room-stage.tsx';
import { useWords } from './use.ts';

type Press = (event: PointerEvent) => void;

/** Points are pixels. `onPress` absent: the shape lets everything through, since something is being drawn. */
export function ShapeDrawing({
  shape,
  points,
  picked,
  onPress,
}: {
  shape: Shape;
  points: readonly Point[];
  picked: boolean;
  onPress: Press | undefined;
}) {
  const { lang } = useWords();
  const outline = points.map((p) => p.join()).join(' ');
  const name = `thing thing-${shape.part} ${picked ? 'is-picked' : ''} ${onPress ? '' : 'is-through'}`;
  if (shape.part === 'floor')
    return (
      <g class={name} onPointerDown={onPress} data-part="floor">
        {points.map(([x, y], i) => (
          <g key={`${x} ${y}`} class="floor-point">
            <circle cx={x} cy={y} r="16" class="floor-hit" />
            <path d={`M${x - 8} ${y}h16M${x} ${y - 8}v16`} />
            <text x={x + 9} y={y - 7}>
              {i + 1}
            </text>
          </g>
        ))}
      </g>
    );
  if (shape.part === 'door') {
    const [[ax, ay], [bx, by], [ix, iy]] = points as [Point, Point, Point];
    return (
      <g class={name} onPointerDown={onPress} data-part="door">
        <line class="door-hit" x1={ax} y1={ay} x2={bx} y2={by} />
        <line x1={ax} y1={ay} x2={bx} y2={by} />
        <path class="door-arrow" d={`M${(ax + bx) / 2} ${(ay + by) / 2}L${ix} ${iy}`} />
        <circle class="door-inside" cx={ix} cy={iy} r="13" />
        <text class="door-word" x={ix} y={iy + 4}>
          {roomWords(lang, 'inside')}
        </text>
      </g>
    );
  }
  const [x0, y0] = bounds(points);
  return (
    <g class={name} onPointerDown={onPress} data-part={shape.part} data-name={shape.name}>
      <polygon points={outline} />
      {shape.part !== 'desk' && (
        <text x={x0 + 6} y={y0 + 17}>
          {shape.name}
        </text>
      )}
    </g>
  );
}

/** The picked shape's corners, each with room for a finger, and a small one on each edge that makes a new corner. */
export function Corners({
  shape,
  points,
  corner,
  reach,
  onPress,
  onSplit,
}: {
  shape: Shape;
  points: readonly Point[];
  corner: number | undefined;
  reach: number;
  onPress: (event: PointerEvent, corner: number) => void;
  onSplit: (event: PointerEvent, edge: number) => void;
}) {
  const splits = shape.part !== 'door' && shape.part !== 'floor' && points.length < 64;
  return (
    <g class="corners">
      {splits &&
        points.map(([x, y], i) => {
          const [nx, ny] = points[(i + 1) % points.length]!;
          // Between two corners that are close there is no room for a third.
          if (Math.hypot(nx - x, ny - y) < 72) return null;
          return (
            <g key={`edge ${i + 1}`} class="split" onPointerDown={(event) => onSplit(event, i)}>
              <circle cx={(x + nx) / 2} cy={(y + ny) / 2} r="14" class="corner-hit" />
              <circle cx={(x + nx) / 2} cy={(y + ny) / 2} r="4" />
            </g>
          );
        })}
      {points.map(([x, y], i) => (
        <g
          key={`corner ${i + 1}`}
          class={`corner ${corner === i ? 'is-picked' : ''}`}
          data-corner={i}
          onPointerDown={(event) => onPress(event, i)}
        >
          <circle cx={x} cy={y} r={reach} class="corner-hit" />
          <circle cx={x} cy={y} r="7" />
        </g>
      ))}
    </g>
  );
}

/** Where the seats stand on the floor, as a check by eye: a foot under each that this camera's floor shows. */
export function Places({
  draft,
  calibration,
  board,
  picked,
}: {
  draft: Draft;
  calibration: FloorCalibration;
  board: Board;
  picked: number | undefined;
}) {
  const back = fromFloor(calibration);
  if (!back) return null;
  return (
    <g class="places">
      {draft.seats.map(({ seatId, name, floor }, index) => {
        const at = floor && toFloor(back, floor);
        if (!at || at[0] < 0 || at[0] > 1 || at[1] < 0 || at[1] > 1) return null;
        const [x, y] = board.at(at);
        return (
          <g key={seatId} class={picked === index ? 'is-picked' : ''} data-place={seatId}>
            <ellipse cx={x} cy={y} rx="12" ry="5" />
            <text x={x} y={y + 18}>
              {name}
            </text>
          </g>
        );
      })}
    </g>
  );
}

/** One cell a metre, over what the points span and a metre around it. */
export function FloorGrid({ calibration, board }: { calibration: FloorCalibration; board: Board }) {
  const back = fromFloor(calibration);
  if (!back) return null;
  const [x0, y0, x1, y1] = bounds(calibration.points.map(({ floor }) => floor));
  const [left, right, near, far] = [Math.floor(x0) - 1, Math.ceil(x1) + 1, Math.floor(y0) - 1, Math.ceil(y1) + 1];
  if (right - left > 60 || far - near > 60) return null;
  // Beyond the horizon a line would come back on the other side.
  const side = (x: number, y: number) => Math.sign(back[6]! * x + back[7]! * y + back[8]!);
  const [first] = calibration.points;
  const mine = first ? side(...first.floor) : 1;
  const lines: { key: string; d: string; axis: boolean }[] = [];
  const draw = (key: string, axis: boolean, place: (t: number) => Point, from: number, to: number) => {
    let d = '';
    for (let t = from; t <= to + 1e-9; t += 0.25) {
      const floor = place(t);
      const seen = side(...floor) === mine ? toFloor(back, floor) : undefined;
      if (!seen || Math.abs(seen[0]) > 3 || Math.abs(seen[1]) > 3) continue;
      const [x, y] = board.at(seen);
      d += `${d === '' ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    }
    if (d.includes('L')) lines.push({ key, d, axis });
  };
  for (let x = left; x <= right; x += 1) draw(`x${x}`, x === 0, (t) => [x, t], near, far);
  for (let y = near; y <= far; y += 1) draw(`y${y}`, y === 0, (t) => [t, y], left, right);
  return (
    <g class="grid" data-lines={lines.length}>
      {lines.map(({ key, d, axis }) => (
        <path key={key} d={d} class={axis ? 'grid-axis' : ''} />
      ))}
    </g>
  );
}
