/** Ways to spoil footage whose truth is known, for `eval vision --augment`: the same people through another camera, in worse light, over a worse line. */
import type { Truth, TruthRoom } from './eval-vision-truth.ts';

/** How one variant of a video is made. */
export interface Variant {
  /** `clean`, `mirrored` …; part of the room's name in every report. */
  readonly name: string;
  /** ffmpeg filters before the picture is scaled to a sub-stream's size. */
  readonly filters: readonly string[];
  /** Encoded anew with this constant rate factor, at the sub-stream's size, before it is looked at. */
  readonly crf?: number;
  /** Where a pixel of the original lies in the variant, for a picture of this size; default: where it was. */
  readonly place?: (x: number, y: number, width: number, height: number) => readonly [number, number];
}

/** Share of the width and of the height that a crop keeps, and where it begins. */
const CROP = { keep: 0.92, x: 0.05, y: 0.04 };
const SHIFT = 0.05;

export const CLEAN: Variant = { name: 'clean', filters: [] };

/** The augmented variants, clean not among them. */
export const VARIANTS: readonly Variant[] = [
  { name: 'mirrored', filters: ['hflip'], place: (x, y, width) => [width - x, y] },
  {
    name: 'cropped',
    filters: [`crop=iw*${CROP.keep}:ih*${CROP.keep}:iw*${CROP.x}:ih*${CROP.y}`],
    place: (x, y, width, height) => [(x - CROP.x * width) / CROP.keep, (y - CROP.y * height) / CROP.keep],
  },
  { name: 'blurred', filters: ['gblur=sigma=3'] },
  { name: 'gamma-0.5', filters: ['eq=gamma=0.5'] },
  { name: 'gamma-2', filters: ['eq=gamma=2'] },
  { name: 'noise', filters: ['noise=alls=20:allf=t'] },
  { name: 'crf-38', filters: [], crf: 38 },
  // Frames at other instants than the clean run's, and no others between them.
  { name: '2-fps', filters: ['trim=start=0.3,setpts=PTS-STARTPTS+0.3/TB', 'fps=2'] },
  {
    name: 'shifted',
    filters: [
      `pad=iw*${1 + SHIFT}:ih*${1 + SHIFT}:iw*${SHIFT}:ih*${SHIFT}`,
      `crop=iw/${1 + SHIFT}:ih/${1 + SHIFT}:0:0`,
    ],
    place: (x, y, width, height) => [x + SHIFT * width, y + SHIFT * height],
  },
];

/** The room as its variant shows it: polygons and camera follow the picture, episodes and people stay. */
export function varied(room: TruthRoom, variant: Variant): TruthRoom {
  return {
    name: variant.name === CLEAN.name ? room.name : `${room.name}/${variant.name}`,
    cameras: room.cameras.map((camera) => ({ ...camera, truth: placed(camera.truth, variant) })),
  };
}

function placed(truth: Truth, { place }: Variant): Truth {
  if (!place) return truth;
  const { width, height } = truth;
  const at = (p: readonly [number, number]) => place(p[0], p[1], width, height);
  const model = truth.camera_model;
  // Every placement here is linear in x and in y alone, and so the lens stays a pinhole.
  const [ox, oy] = at([0, 0]);
  const [sx, sy] = [at([1, 0])[0] - ox, at([0, 1])[1] - oy];
  return {
    ...truth,
    ...(model
      ? {
          camera_model: {
            ...model,
            fx: model.fx * sx,
            fy: model.fy * sy,
            cx: model.cx * sx + ox,
            cy: model.cy * sy + oy,
          },
        }
      : {}),
    seats: truth.seats.map((seat) => ({
      ...seat,
      seat_polygon: seat.seat_polygon.map(at),
      ...(seat.desk_polygon ? { desk_polygon: seat.desk_polygon.map(at) } : {}),
    })),
  };
}
