/** Ways to spoil footage whose truth is known, for `eval vision --augment`: the same people through another camera, in worse light, over a worse line. */
import type { Point } from '../protocol/seat.ts';
import { type Turn, turned, turnFilter } from './eval-vision-lens.ts';
import { type Cut, type Part, partsOf, shownIn } from './eval-vision-parts.ts';
import type { Truth, TruthRoom } from './eval-vision-truth.ts';

/** How one variant of a video is made. */
export interface Variant {
  /** `clean`, `mirrored` …; part of the room's name in every report. */
  readonly name: string;
  /** ffmpeg filters before the picture is scaled to a sub-stream's size. */
  readonly filters: readonly string[];
  /** Encoded anew with this constant rate factor, at the sub-stream's size, before it is looked at. */
  readonly crf?: number;
  /** Analysed frames per second, whatever the command asks for. */
  readonly fps?: number;
  /** Where a pixel of the original lies in the variant, for a picture of this size; default: where it was. */
  readonly place?: (x: number, y: number, width: number, height: number) => readonly [number, number];
  /** Parts of the room lie outside: seats are drawn as far as they are in the picture, and one that hardly is, is left out. */
  readonly narrow?: boolean;
  /** The camera is turned and has another lens, after the filters. */
  readonly turn?: Turn;
  /** The film begins later, or its parts come in another order. */
  readonly cut?: Cut;
  /** What `cut` means for this room's footage, in the video's own seconds; absent: all of it. */
  readonly parts?: readonly Part[];
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

/** Fixed bands above and below of this share of the whole height: 16:9 in a picture of 4:3. */
const BAND = 1 / 8;
const TURNED = { keep: 0.9, x: 0.02, y: 0.06 };
/** A nudge in mid-film by this share of the picture. */
const NUDGE = { keep: 0.94, x: 0.02, at: 70 };
const CLOCK = "drawtext=text='%{pts\\:hms}  CAM 01':x=w*0.03:y=h*0.03:fontsize=h/18:fontcolor=white:borderw=2";
const PLATE = "drawtext=text='ROOM 3':x=w*0.8:y=h*0.92:fontsize=h/18:fontcolor=white:borderw=2";

/** A camera that looks a little elsewhere, all seats of a room that fills the picture still in it. */
const OTHER_LENS: Turn = { yaw: 2.5, pitch: 3, roll: -3, zoom: 1.04 };
/** One that hangs further away, as far as the size of people goes: they are smaller by a quarter. */
const FAR: Turn = { yaw: -5, pitch: -4, roll: 2, zoom: 0.72 };
/** Greens for blues, and a warmer wall; skin stays near to skin, as other people's would be. */
const RECOLOURED = 'colorchannelmixer=gg=0.15:gb=0.85:bb=0.15:bg=0.85,eq=saturation=0.9:gamma_r=1.05:gamma_b=0.9';
const PALE = 'hue=h=25:s=0.6,eq=brightness=0.04:contrast=0.9';

/** Further ones, not part of `--augment`: run by name, so that what was made with the others in view is judged on others. */
export const FURTHER: readonly Variant[] = [
  {
    name: 'turned',
    filters: [`hflip,crop=iw*${TURNED.keep}:ih*${TURNED.keep}:iw*${TURNED.x}:ih*${TURNED.y}`],
    fps: 3,
    place: (x, y, width, height) => [
      (width - x - TURNED.x * width) / TURNED.keep,
      (y - TURNED.y * height) / TURNED.keep,
    ],
  },
  {
    name: 'letterboxed',
    filters: [`pad=iw:ih/${1 - 2 * BAND}:0:(oh-ih)/2`],
    place: (x, y, _width, height) => [x, y * (1 - 2 * BAND) + BAND * height],
  },
  {
    // The middle, as a camera of 4:3 in the same place would show it.
    name: 'narrow',
    filters: ['crop=ih*4/3:ih'],
    narrow: true,
    place: (x, y, width, height) => [((x - width / 2) * width) / ((height * 4) / 3) + width / 2, y],
  },
  { name: 'captioned', filters: [CLOCK, PLATE] },
  { name: 'small', filters: ['scale=426:240', 'eq=contrast=0.8:saturation=0.6'], fps: 4 },
  {
    name: 'nudged',
    filters: [
      `crop=iw*${NUDGE.keep}:ih*${NUDGE.keep}:x='iw*(0.02+if(gt(t,${NUDGE.at}),${NUDGE.x},0))':y='ih*(0.04-if(gt(t,${NUDGE.at}),${NUDGE.x},0))'`,
    ],
    place: (x, y, width, height) => [(x - 0.02 * width) / NUDGE.keep, (y - 0.04 * height) / NUDGE.keep],
  },
  // What another film of another room has: its own camera, clothes and walls, beginning and order.
  { name: 'other-lens', filters: [], turn: OTHER_LENS },
  { name: 'far', filters: [], turn: FAR },
  { name: 'recoloured', filters: [RECOLOURED] },
  { name: 'late-start', filters: [], cut: 'late' },
  { name: 'trimmed', filters: [], cut: 'middle' },
  { name: 'spliced', filters: [], cut: 'swapped' },
  {
    name: 'acceptance-like',
    filters: ['hflip', RECOLOURED],
    place: (x, y, width) => [width - x, y],
    turn: OTHER_LENS,
    cut: 'late',
    fps: 2.5,
  },
  {
    name: 'acceptance-far',
    filters: ['hflip', PALE],
    place: (x, y, width) => [width - x, y],
    turn: FAR,
    cut: 'swapped',
  },
];

/** The room as its variant shows it: polygons and camera follow the picture, episodes and people the film. */
export function varied(room: TruthRoom, variant: Variant): TruthRoom {
  const parts = variant.cut && partsOf(room, variant.cut);
  return {
    name: variant.name === CLEAN.name ? room.name : `${room.name}/${variant.name}`,
    cameras: room.cameras.map((camera) => {
      const there = placed(camera.truth, variant);
      const filters = variant.turn && [...variant.filters, turnFilter(there, variant.turn)];
      const seen = inPicture(variant.turn ? turned(there, variant.turn) : there, variant);
      return {
        ...camera,
        truth: parts ? shownIn(seen, parts) : seen,
        ...(filters || parts
          ? { shown: { ...variant, ...(filters ? { filters } : {}), ...(parts ? { parts } : {}) } }
          : {}),
      };
    }),
  };
}

/** A seat of which less than this share of width is in the picture is not this camera's. */
const LEAST_SEEN = 0.5;

/** Without the seats that are not in the picture, and without what happened at them. */
function inPicture(truth: Truth, { narrow }: Variant): Truth {
  if (!narrow) return truth;
  const clipped = (polygon: readonly Point[]) =>
    polygon.map(([x, y]): Point => [Math.min(truth.width, Math.max(0, x)), y]);
  const wide = (polygon: readonly Point[]) => {
    const xs = polygon.map(([x]) => x);
    return Math.max(...xs) - Math.min(...xs);
  };
  const seats = truth.seats
    .filter(({ seat_polygon }) => wide(clipped(seat_polygon)) >= LEAST_SEEN * wide(seat_polygon))
    .map((seat) => ({
      ...seat,
      seat_polygon: clipped(seat.seat_polygon),
      ...(seat.desk_polygon ? { desk_polygon: clipped(seat.desk_polygon) } : {}),
    }));
  const isSeen = (seat: number | string | null | undefined) =>
    seat == null || seats.some((one) => String(one.seat) === String(seat));
  return { ...truth, seats, events: truth.events.filter((e) => isSeen(e.seat) && isSeen(e.with_seat)) };
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
