/** Row 6, whispering: two people at their seats have put their heads together. */
import type { Point } from '../../protocol/seat.ts';
import { apart, type Body, bodiesOf, faintBody, isInReach, joint, looking, worthOf } from './bodies.ts';
import type { Spot } from './place.ts';
import type { RuleContext } from './rule.ts';
import type { Scene } from './scene.ts';
import { seatEn, seatZh, spanEn, spanZh } from './sentence.ts';
import { type Evidence, spellRule } from './spell.ts';

/** Heads are this wide, in shoulder widths: the gap is between them, not between their middles. */
const HEAD = 0.4;
/** Seats may be near in the picture without anybody leaning: the gap must have become smaller by so much, in shoulder widths. */
const NEARER = 0.5;
/** Gap of heads that are put together, for a pack that does not watch for it. */
const NEAR = 1.5;
/** Of people who are hardly detected, or whose faces no pose shows, both must lean, by so many shoulder widths. */
const LEANS = 0.3;

/** With a track, or seen too weakly for one. */
type Sitter = Omit<Body, 'track'> & Partial<Pick<Body, 'track'>>;

export const whispering = spellRule({
  behaviour: 'whispering',
  // Who whispers draws back now and then, and a nose is not seen in every frame.
  windowMs: 4000,
  beginShare: 0.5,
  fineMs: 4000,
  vetoed: true,
  rule: ({ pack }) => pack.rules.whispering,
  repeats: ({ pack: { rules } }) =>
    rules.whispering?.repeats == null
      ? undefined
      : { count: rules.whispering.repeats, withinMs: rules.whispering.repeatMs },
  figure: 'headGap',
  look: together,
  sentence: ({ seatIds: [a = '', b = ''], lastingMs }, limitMs, { layout }) => ({
    zh: `${seatZh(layout, a)}与${seatZh(layout, b)}交头接耳 ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）`,
    en: `${seatEn(a)} and ${seatEn(b).toLowerCase()}: heads together for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})`,
  }),
});

/** What each camera's frame says of every two who could put their heads together. */
export function together(scene: Scene, { pack, layout }: Pick<RuleContext, 'pack' | 'layout'>): readonly Evidence[] {
  const limit = pack.rules.whispering?.shoulderWidths ?? NEAR;
  const persons = scene.input.kind === 'frame' ? scene.input.persons : [];
  return looking(scene.cameras).flatMap((camera) => {
    const seen = bodiesOf(camera).filter((b) => b.homeId !== undefined && b.seatId === b.homeId && b.home);
    const missed = scene.seats.filter((s) => s.occupancy === 'yes' && !seen.some((b) => b.homeId === s.seatId));
    const faint = missed.flatMap(({ seatId }) => faintBody(camera, seatId, persons, seen) ?? []);
    const sitting: readonly Sitter[] = [...seen, ...faint];
    return sitting.flatMap((a, i) =>
      sitting.slice(i + 1).flatMap((b): Evidence[] => {
        if (!isInReach(a, b, layout)) return [];
        const seatIds = [a.homeId!, b.homeId!].sort();
        const gap = gapOf(a, b);
        const sure = showsFace(a) && showsFace(b);
        const nearer = usualGap(a, b) - gap >= NEARER && (sure || (leansTo(a, b) && leansTo(b, a)));
        const holds = gap < limit && (nearer || (faces(a, b) && faces(b, a)));
        return [
          {
            key: seatIds.join('+'),
            seatIds,
            cameraId: camera.cameraId,
            holds,
            value: gap,
            threshold: limit,
            unit: 'shoulders',
            worth: worthOf(camera, seatIds),
          },
        ];
      }),
    );
  });
}

/** Where the head is, is seen, and not only guessed by the box. */
const showsFace = ({ track }: Sitter) => track !== undefined && joint(track, 0) !== undefined;

function gapOf(a: Sitter, b: Sitter): number {
  const mean = (a.shoulders + b.shoulders) / 2;
  return Math.max(0, apart(a.head, b.head) / mean - HEAD);
}

/** As the seats are drawn: who whispers for long must not become the habit. */
function usualGap(a: Sitter, b: Sitter): number {
  const mean = (a.shoulders + b.shoulders) / 2;
  return Math.max(0, apart(middle(a.home!), middle(b.home!)) / mean - HEAD);
}

const middle = ({ zone: [x0, y0, x1, y1] }: Spot): Point => [(x0 + x1) / 2, (y0 + y1) / 2];

/** Away from the own place towards the other one. */
function leansTo(a: Sitter, b: Sitter): boolean {
  if (!a.habit) return false;
  const lean = ((a.head[0] - a.habit.middle) * 16) / 9 / a.shoulders;
  return Math.abs(lean) >= LEANS && Math.sign(lean) === Math.sign(b.head[0] - a.head[0]);
}

/** The nose is on the other's side of the middle of the ears. */
function faces(a: Sitter, b: Sitter): boolean {
  if (!a.track) return false;
  const [nose, left, right] = [joint(a.track, 0), joint(a.track, 3), joint(a.track, 4)];
  if (!nose || !left || !right) return false;
  const turned = nose[0] - (left[0] + right[0]) / 2;
  const wide = Math.abs(left[0] - right[0]);
  return Math.abs(turned) > 0.3 * wide && Math.sign(turned) === Math.sign(b.head[0] - a.head[0]);
}
