/** Scoring of `eval vision`: who was said to sit where, against truth files at whatever rate they tell it. Pure. */
import type { Occupancy } from '../protocol/event.ts';
import { seatIdsOf, type Truth, type TruthRoom } from './eval-vision-truth.ts';

/** Distance to the own seat up to which a seat counts as taken, metres. */
const SEAT_M = 0.85;
/** Frames this near to a change are left out. */
const GRACE_S = 2;

/** What was said of the seats at one analysed frame. */
export interface Said {
  readonly t: number;
  readonly seats: Readonly<Record<string, Occupancy>>;
}

/** What the truth says of a seat at the instants of its frames, of which it may have few, or some of the video alone. */
interface Course {
  /** Seconds, ascending. */
  readonly times: readonly number[];
  readonly values: readonly (boolean | undefined)[];
  /** Between which two frames the value changes, seconds. */
  readonly changes: readonly { readonly fromS: number; readonly toS: number }[];
  /** A frame speaks for instants this near, seconds. */
  readonly reach: number;
}

function courseOf(truth: Truth, value: (frame: Truth['frames'][number]) => boolean | undefined): Course {
  const times = truth.frames.map(({ t }) => t);
  const gaps = times.slice(1).map((t, i) => t - times[i]!);
  // Half of the usual distance between two of them, and a little for the rounding of their times.
  const usual = [...gaps].sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 1 / truth.fps;
  const values = truth.frames.map(value);
  const changes = times.flatMap((toS, i) =>
    i > 0 && values[i] !== values[i - 1] ? [{ fromS: times[i - 1]!, toS }] : [],
  );
  return { times, values, changes, reach: Math.max(usual, 1 / truth.fps) * 0.55 };
}

/** The value of the nearest frame; undefined where the truth says nothing of this instant. */
function valueAt({ times, values, reach }: Course, t: number): boolean | undefined {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < t) low = middle + 1;
    else high = middle;
  }
  const nearest = low > 0 && (low === times.length || t - times[low - 1]! <= times[low]! - t) ? low - 1 : low;
  return Math.abs((times[nearest] ?? Number.POSITIVE_INFINITY) - t) <= reach ? values[nearest] : undefined;
}

const isNearChange = ({ changes }: Course, t: number): boolean =>
  changes.some(({ fromS, toS }) => t > Math.min(fromS, toS - GRACE_S) && t < toS + GRACE_S);

const isBlind = ({ image }: Truth['frames'][number]) => image === 'covered' || image === 'moved';

/**
 * Right and wrong by seat, at every instant of which the truth files tell. While every camera that sees a seat is covered
 * or moved, unknown alone is right, and counts apart.
 */
export function scoreOccupancy(room: TruthRoom, said: readonly Said[]) {
  const occupancy: Record<string, { right: number; unknown: number; frames: number }> = {};
  const fault = { right: 0, frames: 0 };
  for (const seatId of seatIdsOf(room)) {
    const listed = room.cameras.filter(({ truth }) => truth.seats.some((one) => String(one.seat) === seatId));
    const seen = listed.filter(({ truth }) =>
      truth.seats.some((one) => String(one.seat) === seatId && one.seat_polygon.length >= 3),
    );
    const blind = (seen.length > 0 ? seen : listed).map(({ truth }) => courseOf(truth, isBlind));
    // Each file tells of the whole room; one without frames tells nothing of it.
    const { truth } = listed.find((one) => one.truth.frames.length > 0) ?? listed[0]!;
    const owner = truth.people.find((p) => String(p.seat) === seatId);
    const taken = courseOf(truth, (frame) => {
      const person = frame.people.find((p) => p.id === owner?.id);
      if (!person?.in_room) return false;
      return person.seat_dist === undefined ? undefined : (person.seat_dist ?? Number.POSITIVE_INFINITY) <= SEAT_M;
    });
    const count = { right: 0, unknown: 0, frames: 0 };
    for (const { t, seats } of said) {
      const is = valueAt(taken, t);
      if (is === undefined || blind.some((course) => isNearChange(course, t))) continue;
      const now = seats[seatId] ?? 'unknown';
      if (blind.every((course) => valueAt(course, t) === true)) {
        fault.frames++;
        if (now === 'unknown') fault.right++;
        continue;
      }
      if (isNearChange(taken, t)) continue;
      count.frames++;
      if (now === 'unknown') count.unknown++;
      else if ((now === 'yes') === is) count.right++;
    }
    occupancy[seatId] = count;
  }
  return { occupancy, fault };
}
