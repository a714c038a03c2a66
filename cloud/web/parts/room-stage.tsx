/** The drawing board of the room editor: the picture, what is drawn on it, and what fingers, mouse and wheel do to both. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { bounds, type Point, type Polygon } from '../../../protocol/seat.ts';
import { containRect } from '../geometry.ts';
import { inside, moved, type Picked, rectangle, type Shape, samePick } from '../state/draft.ts';
import { pushed, type Sight, toPicture, toScreen, WHOLE, zoomed } from '../state/sight.ts';
import { Loupe } from './room-loupe.tsx';
import { Corners, ShapeDrawing } from './room-shapes.tsx';
import { ZoomButtons } from './room-tools.tsx';
import { useKeys, useSize } from './use.ts';

export type Tool = 'select' | 'seat' | 'desk' | 'zone' | 'door' | 'floor';

/** Where things lie on the screen; handed to what is drawn over the picture. */
export interface Board {
  readonly at: (point: Point) => Point;
  readonly width: number;
  readonly height: number;
}

export interface StageProps {
  readonly src: string | undefined;
  readonly label: string;
  readonly tool: Tool;
  readonly shapes: readonly Shape[];
  readonly picked: Picked | undefined;
  readonly corner: number | undefined;
  /** Corners tapped so far for a shape that is not closed yet. */
  readonly trace: readonly Point[];
  readonly sight: Sight;
  readonly onSight: (sight: Sight) => void;
  readonly onPick: (shape: Shape | undefined, corner?: number) => void;
  /** While something is dragged, and with `done` when it is let go. */
  readonly onPoints: (shape: Shape, points: readonly Point[], done: boolean) => void;
  readonly onArea: (polygon: Polygon) => void;
  readonly onTrace: (trace: readonly Point[]) => void;
  readonly onLine: (a: Point, b: Point) => void;
  readonly onPoint: (point: Point) => void;
  /** Drawn under the shapes (grid) and over them (proposals). */
  readonly under?: (board: Board) => ComponentChildren;
  readonly over?: (board: Board) => ComponentChildren;
  readonly children?: ComponentChildren;
}

/** Pixels within which a press is a tap. */
const TAP = 6;
const REACH = 22;

type Gesture =
  | { readonly kind: 'corner'; readonly shape: Shape; readonly corner: number }
  | { readonly kind: 'move'; readonly shape: Shape; readonly from: Point }
  | { readonly kind: 'draw'; readonly from: Point }
  | { readonly kind: 'pan' };

export function Stage(props: StageProps) {
  const { tool, shapes, picked, sight, trace } = props;
  const [ref, width, height] = useSize<HTMLDivElement>();
  const [aspect, setAspect] = useState(16 / 9);
  const [rubber, setRubber] = useState<readonly [Point, Point] | undefined>(undefined);
  /** The point that is set just now, in pixels of the board: what a finger hides is shown beside it. */
  const [aim, setAim] = useState<Point | undefined>(undefined);
  const gesture = useRef<Gesture | undefined>(undefined);
  const pointers = useRef(new Map<number, Point>());
  const travelled = useRef(0);
  const last = useRef<readonly Point[] | undefined>(undefined);
  const base = containRect(aspect, 1, width, height);
  const at = (point: Point) => toScreen(base, sight, point);
  const newest = useRef({ sight, base, onSight: props.onSight });
  newest.current = { sight, base, onSight: props.onSight };

  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    // Not passive: the page itself must not scroll or zoom.
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const now = newest.current;
      const box = element.getBoundingClientRect();
      const place: Point = [event.clientX - box.left, event.clientY - box.top];
      const pinch = event.ctrlKey || Math.abs(event.deltaY) >= Math.abs(event.deltaX);
      now.onSight(
        pinch
          ? zoomed(now.base, now.sight, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), place)
          : pushed(now.base, now.sight, -event.deltaX, 0),
      );
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  }, [ref]);

  const zoomBy = (factor: number) =>
    props.onSight(factor === 0 ? WHOLE : zoomed(base, sight, factor, [base.x + base.w / 2, base.y + base.h / 2]));
  useKeys(({ key }) => {
    const factor = key === '+' || key === '=' ? 1.5 : key === '-' ? 1 / 1.5 : key === '0' ? 0 : undefined;
    if (factor === undefined) return false;
    zoomBy(factor);
    return true;
  });

  const placeOf = (event: PointerEvent): Point => {
    const box = ref.current?.getBoundingClientRect();
    return [event.clientX - (box?.left ?? 0), event.clientY - (box?.top ?? 0)];
  };

  function begin(event: PointerEvent, what: Gesture): void {
    event.stopPropagation();
    const place = placeOf(event);
    pointers.current.set(event.pointerId, place);
    ref.current?.setPointerCapture(event.pointerId);
    if (pointers.current.size > 1) {
      // A second finger: what the first one began is taken back.
      const going = gesture.current;
      if (going?.kind === 'corner' || going?.kind === 'move') props.onPoints(going.shape, going.shape.points, true);
      gesture.current = { kind: 'pan' };
      setRubber(undefined);
      setAim(undefined);
      return;
    }
    travelled.current = 0;
    last.current = undefined;
    gesture.current = event.button === 1 ? { kind: 'pan' } : what;
    setAim(aimOf(gesture.current, place));
  }

  function move(event: PointerEvent): void {
    const before = pointers.current.get(event.pointerId);
    const going = gesture.current;
    if (!before || !going) return;
    const place = placeOf(event);
    const [dx, dy] = [place[0] - before[0], place[1] - before[1]];
    travelled.current += Math.hypot(dx, dy);
    if (pointers.current.size === 2) {
      const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1] ?? place;
      const spread = (p: Point) => Math.max(1, Math.hypot(p[0] - other[0], p[1] - other[1]));
      const middle: Point = [(place[0] + other[0]) / 2, (place[1] + other[1]) / 2];
      props.onSight(zoomed(base, pushed(base, sight, dx / 2, dy / 2), spread(place) / spread(before), middle));
    } else if (going.kind === 'pan') props.onSight(pushed(base, sight, dx, dy));
    else if (travelled.current > TAP || last.current) {
      if (going.kind === 'draw') setRubber([going.from, inside(toPicture(base, sight, place))]);
      else {
        last.current = draggedTo(going, place);
        props.onPoints(going.shape, last.current, false);
      }
    }
    pointers.current.set(event.pointerId, place);
    if (pointers.current.size === 1) setAim(aimOf(going, place));
  }

  function draggedTo(going: Extract<Gesture, { shape: Shape }>, place: Point): readonly Point[] {
    const to = toPicture(base, sight, place);
    if (going.kind === 'corner') return going.shape.points.map((p, i) => (i === going.corner ? inside(to) : p));
    return moved(going.shape.points, to[0] - going.from[0], to[1] - going.from[1]);
  }

  function end(event: PointerEvent): void {
    if (!pointers.current.delete(event.pointerId)) return;
    const going = gesture.current;
    if (pointers.current.size > 0 || !going) return;
    gesture.current = undefined;
    setAim(undefined);
    const place = placeOf(event);
    const tapped = travelled.current <= TAP;
    if (going.kind === 'corner' || going.kind === 'move') {
      if (last.current) props.onPoints(going.shape, last.current, true);
      last.current = undefined;
    } else if (going.kind === 'pan') {
      if (tapped && event.type === 'pointerup') props.onPick(undefined);
    } else if (event.type === 'pointerup') drawn(going.from, inside(toPicture(base, sight, place)), tapped, place);
    setRubber(undefined);
  }

  function drawn(from: Point, to: Point, tapped: boolean, place: Point): void {
    const [first] = trace;
    const [fx, fy] = first ? at(first) : [Number.NaN, 0];
    if (tool === 'floor') props.onPoint(to);
    else if (!tapped && !first) {
      if (tool === 'door') props.onLine(from, to);
      else props.onArea(rectangle(from, to));
    } else if (tool === 'door' && first) props.onLine(first, to);
    else if (trace.length >= 3 && Math.hypot(fx - place[0], fy - place[1]) <= REACH) props.onArea(trace);
    else props.onTrace([...trace, to]);
  }

  const chosen = shapes.find((shape) => samePick(shape, picked));
  const board: Board = { at, width, height };
  const [left, top] = at([0, 0]);
  const draws = tool !== 'select';
  return (
    <div
      ref={ref}
      class={`board ${draws ? 'board-draws' : ''}`}
      data-zoom={sight.zoom.toFixed(2)}
      onPointerDown={(event) => {
        const from = inside(toPicture(base, sight, placeOf(event)));
        begin(event, draws ? { kind: 'draw', from } : { kind: 'pan' });
      }}
      onPointerMove={(event) => {
        move(event);
        // A mouse aims before it presses.
        if (draws && pointers.current.size === 0 && event.pointerType === 'mouse') setAim(placeOf(event));
      }}
      onPointerLeave={() => pointers.current.size === 0 && setAim(undefined)}
      onPointerUp={end}
      onPointerCancel={end}
    >
      {props.src && (
        <img
          class="board-picture"
          src={props.src}
          alt=""
          draggable={false}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setAspect(naturalWidth / Math.max(1, naturalHeight))
          }
          style={{ left, top, width: base.w * sight.zoom, height: base.h * sight.zoom }}
        />
      )}
      <svg class="board-drawing" width={width} height={height} role="img" aria-label={props.label}>
        <clipPath id="board-clip">
          <rect x={left} y={top} width={base.w * sight.zoom} height={base.h * sight.zoom} />
        </clipPath>
        <g clip-path="url(#board-clip)">{props.under?.(board)}</g>
        {/* What is picked lies on top, as an element of its own: one that is only moved is not always painted anew. */}
        {[...shapes.filter((one) => one !== chosen), ...(chosen ? [chosen] : [])].map((shape) => (
          <ShapeDrawing
            key={`${shape === chosen ? 'picked ' : ''}${shape.part} ${shape.index}`}
            shape={shape}
            points={shape.points.map(at)}
            picked={shape === chosen}
            onPress={
              draws
                ? undefined
                : (event) => {
                    if (shape !== chosen) props.onPick(shape);
                    begin(event, { kind: 'move', shape, from: toPicture(base, sight, placeOf(event)) });
                  }
            }
          />
        ))}
        {chosen && (
          <Corners
            shape={chosen}
            points={chosen.points.map(at)}
            corner={props.corner}
            reach={reachOf(chosen.points.map(at))}
            onPress={(event, corner) => {
              props.onPick(chosen, corner);
              begin(event, { kind: 'corner', shape: chosen, corner });
            }}
            onSplit={(event, edge) => {
              const [a, b] = [chosen.points[edge], chosen.points[(edge + 1) % chosen.points.length]];
              if (!a || !b) return;
              const middle = inside([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
              const points = [...chosen.points.slice(0, edge + 1), middle, ...chosen.points.slice(edge + 1)];
              const shape = { ...chosen, points };
              props.onPoints(shape, points, true);
              props.onPick(shape, edge + 1);
              begin(event, { kind: 'corner', shape, corner: edge + 1 });
            }}
          />
        )}
        {rubber && <Rubber a={at(rubber[0])} b={at(rubber[1])} line={tool === 'door'} />}
        {trace.length > 0 && (
          <g class="trace">
            <polyline points={trace.map((p) => at(p).join()).join(' ')} />
            {trace.map((point, i) => (
              <circle key={point.join()} cx={at(point)[0]} cy={at(point)[1]} r={i === 0 ? 9 : 5} />
            ))}
          </g>
        )}
        {props.over?.(board)}
      </svg>
      {props.src && (draws || gesture.current) && aim && (
        <Loupe
          src={props.src}
          picture={{ left, top, width: base.w * sight.zoom, height: base.h * sight.zoom }}
          boardWidth={width}
          at={aim}
          outline={rubber ? rectangle(...rubber).map(at) : draws ? trace.map(at) : (chosen?.points.map(at) ?? [])}
        />
      )}
      <ZoomButtons zoom={sight.zoom} onZoom={zoomBy} />
      {props.children}
    </div>
  );
}

/** Moving a whole shape or the picture needs no aim. */
const aimOf = ({ kind }: Gesture, place: Point): Point | undefined =>
  kind === 'corner' || kind === 'draw' ? place : undefined;

/** A finger needs 44 px; where corners lie closer together, each gets its share. */
function reachOf(points: readonly Point[]): number {
  if (points.length === 0) return REACH;
  const [x0, y0, x1, y1] = bounds(points);
  return Math.max(12, Math.min(REACH, Math.min(x1 - x0, y1 - y0) / 2.6));
}

function Rubber({ a, b, line }: { a: Point; b: Point; line: boolean }) {
  if (line) return <line class="rubber" x1={a[0]} y1={a[1]} x2={b[0]} y2={b[1]} />;
  const [x, y] = [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
  return <rect class="rubber" x={x} y={y} width={Math.abs(a[0] - b[0])} height={Math.abs(a[1] - b[1])} />;
}
