/** Inside perceive.ts: what of a frame is worth the models' time, by what moves in it and by how busy the eyes are. */
import type { Frame } from '../hardware/camera.ts';
import type { Motion } from '../models/motion.ts';
import { type Person, upperBody } from '../protocol/observation.ts';
import { type Box, contains, type Polygon } from '../protocol/seat.ts';
import type { MonoMs } from '../protocol/time.ts';

export interface AttentionPlan {
  /**
   * Nothing in the whole picture changed since the detector ran: these persons are still what there is to see, their
   * poses as old as that.
   */
  readonly repeat?: readonly Person[];
  /** Regions that are looked into besides the whole. */
  readonly regions: readonly Box[];
  /** Only what is urgent. */
  readonly strained: boolean;
}

export interface Attention {
  plan(frame: Frame, motion: Motion): AttentionPlan;
  /** Who was found in the frame planned last, by all of the eyes; poses of this frame or with their age, and none that was thrown away. */
  saw(frame: Frame, persons: readonly Person[]): void;
  /** The eyes failed: nothing that was seen before may be repeated. */
  forget(): void;
  strained(): boolean;
}

/** Nothing is repeated longer than this without the detector. */
const REPEAT_MS = 2_000;
/** Share of the picture's cells that may change in a picture where nothing happens: four of 14,400. */
const STILL = 0.0003;
/** Share of a region's cells, those of sitting people left out, from which something is going on there. */
const ENTERS = 0.01;
/** A region is looked into so long after the last that went on there, and at least this often anyway. */
const LINGER_MS = 4_000;
const GLANCE_MS = 10_000;
/** The eyes are strained when more than this share of the frames, smoothed, was dropped; no longer below the second. */
const STRAINED = 0.3;
const RELAXED = 0.05;
const WHOLE: Box = [0, 0, 1, 1];

/** One camera's. `zones` are those of its seats: whoever sits there is nobody who comes in. */
export function createAttention({
  regions,
  zones,
}: {
  readonly regions: readonly Box[];
  readonly zones: readonly Polygon[];
}): Attention {
  let last: { readonly persons: readonly Person[]; readonly monoMs: MonoMs } | undefined;
  let before: number | undefined;
  let dropped = 0;
  let strained = false;
  const watched = regions.map((region) => ({
    region,
    untilMs: Number.NEGATIVE_INFINITY,
    lookedMs: Number.NEGATIVE_INFINITY,
  }));

  const sits = (person: Person) => zones.some((zone) => contains(zone, upperBody(person)));

  /** Somebody who does not sit is in it, or something moves there that is not a sitting person. */
  function goesOn(region: Box, motion: Motion): boolean {
    const persons = last?.persons ?? [];
    const inside = ({ box }: Person) => contains(cornersOf(region), [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]);
    if (persons.some((person) => inside(person) && !sits(person))) return true;
    return (
      motion.within(
        region,
        persons.filter(sits).map(({ box }) => grown(box)),
      ) > ENTERS
    );
  }

  return {
    plan({ at, frame }, motion) {
      const nowMs = at.monoMs;
      // Numbers begin anew with each capture run.
      const lost = before !== undefined && frame > before ? frame - before - 1 : 0;
      before = frame;
      dropped = 0.9 * dropped + 0.1 * (lost / (lost + 1));
      strained = dropped > (strained ? RELAXED : STRAINED);
      if (last && nowMs - last.monoMs < REPEAT_MS && motion.within(WHOLE) <= STILL)
        return { repeat: aged(last.persons, nowMs - last.monoMs), regions: [], strained };
      for (const one of watched) if (goesOn(one.region, motion)) one.untilMs = nowMs + LINGER_MS;
      const chosen = watched.filter(({ untilMs, lookedMs }) => nowMs < untilMs || nowMs - lookedMs >= GLANCE_MS);
      for (const one of chosen) one.lookedMs = nowMs;
      return { regions: chosen.map(({ region }) => region), strained };
    },
    saw({ at }, persons) {
      last = { persons, monoMs: at.monoMs };
    },
    forget() {
      last = undefined;
    },
    strained: () => strained,
  };
}

function aged(persons: readonly Person[], ageMs: number): readonly Person[] {
  return persons.map((person) => (person.pose ? { ...person, poseAgeMs: (person.poseAgeMs ?? 0) + ageMs } : person));
}

/** A sitting person's box with room for what the detector cuts off. */
function grown([x0, y0, x1, y1]: Box): Box {
  const [w, h] = [(x1 - x0) * 0.15, (y1 - y0) * 0.1];
  return [x0 - w, y0 - h, x1 + w, y1 + h];
}

function cornersOf([x0, y0, x1, y1]: Box): Polygon {
  return [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ];
}
