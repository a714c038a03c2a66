/** The magnifier of the room editor: what lies under a finger or a cross-hair, three times as large, in the corner farthest from it. */
import type { Point } from '../../../protocol/seat.ts';

const SIZE = 140;
const LARGER = 3;

export interface LoupeProps {
  readonly src: string;
  /** Where the picture lies on the board, in pixels, and the board's width. */
  readonly picture: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  readonly boardWidth: number;
  /** Pixels on the board. */
  readonly at: Point;
  /** Outline of what is being drawn, in pixels on the board. */
  readonly outline: readonly Point[];
}

export function Loupe({ src, picture, boardWidth, at: [x, y], outline }: LoupeProps) {
  const half = SIZE / 2;
  const place = ([px, py]: Point): string => `${half + (px - x) * LARGER},${half + (py - y) * LARGER}`;
  const side = x < boardWidth / 2 ? 'right' : 'left';
  return (
    <div class={`loupe loupe-${side}`} data-loupe aria-hidden="true">
      <img
        src={src}
        alt=""
        draggable={false}
        style={{
          left: half + (picture.left - x) * LARGER,
          top: half + (picture.top - y) * LARGER,
          width: picture.width * LARGER,
          height: picture.height * LARGER,
        }}
      />
      <svg width={SIZE} height={SIZE} aria-hidden="true">
        {outline.length > 1 && <polygon points={outline.map(place).join(' ')} />}
        <path
          class="loupe-cross"
          d={`M${half} 8V${half - 7}M${half} ${half + 7}V${SIZE - 8}M8 ${half}H${half - 7}M${half + 7} ${half}H${SIZE - 8}`}
        />
      </svg>
    </div>
  );
}
